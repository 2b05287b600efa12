"""The benchmarks can be run: a row of each file, once. How long it took is for `make bench` to say, on a quiet machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import ROWS

ROOT = Path(__file__).parents[2]

# One of each file, the one that needs the least: what a file's rows stand on is mostly the same. In two runs only, since
# a start takes seconds; those of the first share a server and a browser.
SOME = (
    {"form", "click", "workflow", "film", "crowd-cold"},
    {"tools", "log", "step", "turn", "keeper", "replay", "view", "api-log"},
)


def test_a_row_of_each_file_is_among_those_that_are_run() -> None:
    """Ours: a new file of rows is not forgotten here."""
    assert {row.measure.__module__ for row in ROWS if row.name in SOME[0] | SOME[1]} == {
        row.measure.__module__ for row in ROWS
    }


@pytest.mark.parametrize("names", SOME, ids=("warm", "cold"))
def test_a_short_run_measures_its_rows(tmp_path: Path, chromium: Path, names: set[str]) -> None:
    """Ours: a benchmark that nobody runs stops working, and is found out when its number is needed."""
    found = tmp_path / "numbers.json"
    some = [row for row in ROWS if row.name in names]
    only = [word for row in some for word in ("--only", row.name)]
    command = [sys.executable, "-m", "benchmarks", "--short", "--json", str(found), *only]
    env = {**os.environ, "NOTTE_MCP_BROWSER": str(chromium)}

    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    numbers = {row["row"]: row for row in json.loads(found.read_text(encoding="utf-8"))}
    assert set(numbers) == {row.name for row in some}
    for row in some:
        assert min(numbers[row.name]["ours"].values()) > 0
        # What nobody else shows has no floor.
        assert row.name == "view" or min(numbers[row.name]["floor"].values()) > 0
        assert {target.unit for target in row.targets} <= set(numbers[row.name]["ours"])
