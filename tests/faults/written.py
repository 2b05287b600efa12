"""The table of docs/reliability.md: between two marks, one table for each size, so that one can be made anew alone.

Below: trying. Above: `__main__`.
"""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.faults.fault import Size, Tally
from tests.faults.trying import Tried

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"

COMMANDS: Final[dict[Size, str]] = {
    "short": "make faults",
    "full": "make faults-full",
    "gate": "python -m tests.faults --gate",
}


def write(done: Sequence[Tried], size: Size) -> None:
    """Put what was tried into its place on the page, which has to have one."""
    begin, end = f"<!-- {size} -->", f"<!-- end of {size} -->"
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"{PAGE.name} has no place for the table of {size}")
    table = f"{begin}\n{_table(done, size)}\n{end}"
    PAGE.write_text(pattern.sub(lambda _: table, page), encoding="utf-8")


def _table(done: Sequence[Tried], size: Size) -> str:
    trials, lost = sum(one.tally.tried for one in done), sum(len(one.tally.lost) for one in done)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    where = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    seconds = sum(one.seconds for one in done)
    head = f"`{COMMANDS[size]}`, {day}, {where}: {trials} trials, **{lost} lost**, in {seconds:.0f} s."
    return "\n".join(
        [
            head,
            "",
            "| fault | what is done | times | trials | lost | noted |",
            "|---|---|--:|--:|--:|---|",
            *(_row(one) for one in done),
        ]
    )


def _row(one: Tried) -> str:
    promises = f" ({', '.join(one.fault.promises)})" if one.fault.promises else ""
    counts = f"{one.times:,} | {one.tally.tried:,} | {len(one.tally.lost):,}"
    return f"| {one.fault.name} | {one.fault.does}{promises} | {counts} | {noted(one.tally)} |"


def noted(tally: Tally) -> str:
    """What is worth telling besides, in a line."""
    return ", ".join(f"{name} {value:,.10g}" for name, value in tally.noted.items())
