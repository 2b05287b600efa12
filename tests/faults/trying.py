"""One fault, tried on grounds of its own: whatever happens, there is a tally, and what is left over stands in it.

Below: fault, grounds. Above: `__main__`, test_gate.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from tests.faults.fault import Fault, Size, Tally
from tests.faults.grounds import Grounds
from tests.faults.talk import Talk
from tests.site import Site

FULL_MORE: Final = 40
"""How many times as long the full size may take."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A fault and what became of it; `seconds` is how long that took."""

    fault: Fault
    times: int
    tally: Tally
    seconds: float


async def attempt(fault: Fault, size: Size, folder: Path, site: Site, shared: Talk | None = None) -> Tried:
    """Do the fault as often as its size says, in a folder that does not exist yet, on pages with nothing recorded; in the
    `shared` server, where it can be."""
    site.reset()
    grounds, tally, times = Grounds(folder, site, shared), Tally(), fault.counts.of(size)
    begun = time.monotonic()
    limit = fault.seconds * (FULL_MORE if size == "full" else 1)
    try:
        with anyio.fail_after(limit):
            await fault.run(grounds, times, tally)
    except TimeoutError:
        tally.lost.append(f"it was not over after {limit:.0f} s")
    except Exception as error:  # noqa: BLE001 - a fault that breaks its own trial is one line of the table
        tally.lost.append(f"{type(error).__name__}: {error}")
    left = await grounds.left()
    tally.expect(not left, "; ".join(left))
    for process in grounds.processes():
        process.kill()
    return Tried(fault, times, tally, time.monotonic() - begun)
