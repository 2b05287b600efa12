"""docs/limits.md: every limit that can be set stands in it, with the default that it really has."""

import re
from pathlib import Path

from notte_mcp.keeper.given import OF_PROCESS
from notte_mcp.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
LIMITS = {name for name in Settings.model_fields if re.search(r"(^|_)(max|min)_|_minutes$|_days$", name)}


def test_every_limit_stands_in_the_table_with_its_default() -> None:
    """And no row is about a setting that there is not."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert rows == {name: str(Settings.model_fields[name].default) for name in LIMITS}


def test_what_bounds_the_machine_is_the_keepers_and_no_connections() -> None:
    """A host may not raise what holds for all; a session's own times are its own."""
    own = {"idle_timeout_minutes", "max_duration_minutes"}
    assert {name for name in LIMITS if not name.startswith("http_")} - own <= set(OF_PROCESS)
