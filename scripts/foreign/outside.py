"""An exported script as a file outside the project, run as whoever took it away would. Below: nothing. Above: __main__."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPT_S: Final = 90.0
"""How long a script may take."""

_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TMPDIR", "NOTTE_MCP_BROWSER", "NOTTE_MCP_NO_SANDBOX")


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended: `problem` is empty where all went well, else the end of what it said."""

    problem: str
    said: str


def run(script: Path, arguments: Sequence[str], secrets: Mapping[str, str]) -> Ran:
    """Run a script, or a test by pytest; in its own folder, with nothing of this environment but what a browser needs
    and the secrets that the script names."""
    runs = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if script.name.startswith("test_") else []
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, *runs, script.name, *arguments],
            cwd=script.parent, env={**env, **secrets}, capture_output=True, text=True, timeout=SCRIPT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Ran(f"not over after {SCRIPT_S:.0f} s", "")
    said = f"{done.stdout}{done.stderr}".strip()
    return Ran("" if done.returncode == 0 else f"exit code {done.returncode}: {said[-1500:]}", said)
