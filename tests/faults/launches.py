"""What keeps a browser from starting: each time a typed error with what mends it, soon, and nothing left.

Below: ward. Above: table.
"""

import resource
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from tests.e2e.whole import below
from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import Grounds
from tests.faults.ward import ward

ERROR_S: Final = 30.0
"""A browser that does not come has 20 s; every other reason is told at once."""

SOON_S: Final = 8.0
"""At once, on a busy machine."""


def _few_files(pid: int) -> None:
    psutil.Process(pid).rlimit(resource.RLIMIT_NOFILE, (64, 64))


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What is in the way: a script in the browser's place, variables, limits; and words of the error ("": none comes)."""

    name: str
    words: tuple[str, ...]
    script: str = ""
    env: dict[str, str] = field(default_factory=dict[str, str])
    limit: Callable[[int], None] = lambda _pid: None
    seconds: float = SOON_S


HINDRANCES: Final = (
    Hindrance("no such executable", ("no executable file",), env={"NOTTE_MCP_BROWSER": "/nowhere/chromium"}),
    Hindrance("exits at once", ("did not start",), script="exit 3"),
    Hindrance("says why and exits", ("did not start",), script="echo 'no usable gpu' >&2; exit 1"),
    Hindrance("driver exits at once", ("driver did not start",), env={"PLAYWRIGHT_NODEJS_PATH": "/bin/false"}),
    Hindrance("64 open files", ("did not start", "gave no page", "gone"), limit=_few_files),
    Hindrance("TMPDIR is not there", (), env={"TMPDIR": "/proc/none"}),
    Hindrance("hangs", ("did not start",), script="exec sleep 600", seconds=ERROR_S),
)


async def launch_faults(grounds: Grounds, times: int, tally: Tally) -> None:
    """Each hindrance in turn, so many of them."""
    for number in range(times):
        await _hindered(grounds, tally, HINDRANCES[number % len(HINDRANCES)])


async def _hindered(grounds: Grounds, tally: Tally, what: Hindrance) -> None:
    env = {**what.env, **({"NOTTE_MCP_BROWSER": str(_script(grounds.folder, what.script))} if what.script else {})}
    async with ward(grounds, tally, **env) as here:
        await here.call("notte_status")
        what.limit(here.pid)
        async with here.beside():
            answer = await here.call("notte_start", url=grounds.site.url("/form.html"))
        tally.most("start s at most", round(answer.seconds, 1))
        tally.expect(answer.seconds <= what.seconds, f"{what.name}: told after {answer.seconds:.1f} s")
        if not answer.is_error:
            tally.expect("" in what.words or not what.words, f"{what.name}: started all the same: {answer.text[:200]}")
            here.sick = str(answer.facts["session_id"])
            await here.stopped()
            return
        typed = any(words in answer.text for words in what.words) and "Next:" in answer.text
        tally.expect(typed, f"{what.name}: {answer.text[:400]}")
        chromium = [p for p in below(here.pid) if "node" not in p.name()]
        await here.gone(chromium, within_s=2)
        status = await here.must("notte_status")
        live = [one for one in status.facts["sessions"] if one["state"] not in ("stopped", "failed")]
        tally.expect(not live, f"{what.name}: a session that never was: {live}")


def _script(folder: Path, body: str) -> Path:
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    return path


FAULTS: Final = (
    Fault(
        name="launch-faults",
        promises=("P4", "P6"),
        does="no executable, one that exits or hangs, no driver, 64 open files, no TMPDIR",
        run=launch_faults,
        counts=Counts(gate=0, short=len(HINDRANCES), full=3 * len(HINDRANCES)),
        seconds=150,
    ),
)
"""Faults of starting browsers."""
