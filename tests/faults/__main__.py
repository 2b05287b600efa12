"""Every fault in the counts of a size, one after the other, and a table of what was tried and lost.

`python -m tests.faults [--full | --gate] [--only FAULT ...] [--write]`. `--write` puts the table into
docs/reliability.md. Exit codes: 0 nothing was lost, 1 something was.

Below: table, trying, written. Above: `make faults`, `make faults-full`.
"""

# ruff: noqa: T201 - what it prints is a table on stdout

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import anyio

from tests.faults.fault import Size
from tests.faults.table import BY_NAME, FAULTS
from tests.faults.trying import Tried, attempt
from tests.faults.written import noted, write
from tests.site import Site


async def _all(size: Size, names: Sequence[str]) -> list[Tried]:
    done: list[Tried] = []
    with Site() as site, tempfile.TemporaryDirectory() as folder:
        for fault in FAULTS:
            if fault.counts.of(size) and (not names or fault.name in names):
                tried = await attempt(fault, size, Path(folder) / fault.name, site)
                done.append(tried)
                print(_row(tried), flush=True)
    return done


def _row(tried: Tried) -> str:
    counts = f"{tried.times:>7}{tried.tally.tried:>8}{len(tried.tally.lost):>6}{tried.seconds:>8.1f}"
    return f"{tried.fault.name:<24}{counts}  {noted(tried.tally)}"


def main(arguments: Sequence[str]) -> int:
    """Do it all, print the table; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description="Let things go wrong, count what is lost."
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--full", dest="size", action="store_const", const="full", help="in large counts, for hours")
    sizes.add_argument("--gate", dest="size", action="store_const", const="gate", help="as the tests do it")
    parser.add_argument(
        "--only", action="append", metavar="FAULT", choices=list(BY_NAME), default=[], help="this fault"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    options = parser.parse_args(arguments)
    size: Size = options.size or "short"
    begun = time.monotonic()
    print(f"{'fault':<24}{'times':>7}{'trials':>8}{'lost':>6}{'s':>8}  noted")
    done = anyio.run(_all, size, options.only)
    lost = [f"{tried.fault.name}: {one}" for tried in done for one in tried.tally.lost]
    for one in lost:
        print(f"\n{one}")
    trials = sum(tried.tally.tried for tried in done)
    print(f"\n{len(done)} faults, {trials} trials, {len(lost)} lost, in {time.monotonic() - begun:.0f} s.")
    if options.write:
        write(done, size)
    return 1 if lost or not done else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
