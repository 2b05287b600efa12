"""docs/notte.md: its table is the contract's, endpoint by endpoint."""

import re
from pathlib import Path

from notte_mcp.api.contract import CONTRACT
from scripts.notte_rules import USED

PAGE = (Path(__file__).parents[2] / "docs" / "notte.md").read_text(encoding="utf-8")
SHOWN = {"served": "served", "mapped": "mapped", "absent": "no"}


def test_every_endpoint_of_the_contract_stands_in_the_table_as_it_is_answered() -> None:
    """Ours: served, mapped, or not served and why."""
    rows = re.findall(r"^\| `(\w+ \S+)` \| (\w+) \| (.*?) \| (.*?) ?\|$", PAGE, re.MULTILINE)
    expected = [(f"{one.method} {one.path}", SHOWN[one.how], one.note) for one in CONTRACT]

    assert [row[:3] for row in rows] == expected
    assert all(one.note for one in CONTRACT if one.how == "absent")
    assert {name: used for name, _, _, used in rows if used} == USED
