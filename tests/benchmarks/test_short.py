"""The benchmarks can be run: every row, once. How long they took is for `make bench` to say, on a quiet machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import ROWS

ROOT = Path(__file__).parents[2]


def test_a_short_run_measures_every_row(tmp_path: Path, chromium: Path) -> None:
    """Ours: a benchmark that nobody runs stops working, and is found out when its number is needed."""
    found = tmp_path / "numbers.json"
    command = [sys.executable, "-m", "benchmarks", "--short", "--json", str(found)]
    env = {**os.environ, "NOTTE_MCP_BROWSER": str(chromium)}

    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    numbers = {row["row"]: row for row in json.loads(found.read_text(encoding="utf-8"))}
    assert list(numbers) == [row.name for row in ROWS]
    for row in ROWS:
        assert min(numbers[row.name]["ours"].values()) > 0
        assert min(numbers[row.name]["floor"].values()) > 0
        assert {target.unit for target in row.targets} <= set(numbers[row.name]["ours"])
