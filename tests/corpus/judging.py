"""A script run as it is, in a process and a browser of its own, and judged by its exit code and by what it left behind.

Below: recording, grounds. Above: `__main__`, the test.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio.to_thread

from tests.corpus.grounds import Grounds
from tests.corpus.recording import Recorded, faults_of

DEADLINE_S: Final = 90
"""How long one script may take, on a machine that is busy with others."""

_COMMANDS: Final = {
    "playwright": (sys.executable, "script.py"),
    "pytest": (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "test_script.py"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run came to: `fault` is empty where it is right, else the first thing that is not. `ms` is wall time."""

    fault: str
    ms: float


async def judge(recorded: Recorded, language: str, grounds: Grounds, browser: Path) -> Verdict:
    """Run one of a flow's scripts, alone, in an empty folder, with no environment but what it needs."""
    code = recorded.scripts.get(language)
    if code is None:
        return Verdict(f"not written: {recorded.unwritten.get(language)}", 0)
    if found := faults_of(code, recorded.flow):
        return Verdict("; ".join(found), 0)
    grounds.forget()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = await anyio.to_thread.run_sync(_run, code, language, Path(folder), recorded.env | _surroundings(browser))
    ms = (time.monotonic() - begun) * 1_000
    if done.returncode:
        return Verdict(f"exit code {done.returncode}: {(done.stderr or done.stdout)[-1_500:]}", ms)
    return Verdict(grounds.difference(recorded.flow), ms)


async def judge_tests(flows: Sequence[tuple[Recorded, Grounds]], browser: Path) -> list[str]:
    """Run the tests of several flows, each recorded on grounds of its own, in one process and one browser; what is wrong."""
    found = [f"{one.flow.name}: {fault}" for one, _ in flows for fault in faults_of(one.scripts["pytest"], one.flow)]
    env = _surroundings(browser)
    for recorded, grounds in flows:
        grounds.forget()
        env |= recorded.env
    with tempfile.TemporaryDirectory() as name:
        for recorded, _ in flows:
            file = Path(name) / f"test_{recorded.flow.name.replace('-', '_')}.py"
            file.write_text(recorded.scripts["pytest"], encoding="utf-8")
        done = await anyio.to_thread.run_sync(_start, _COMMANDS["pytest"][:-1], Path(name), env)
    found += [f"exit code {done.returncode}: {(done.stderr or done.stdout)[-1_500:]}"] if done.returncode else []
    wrong = {recorded.flow.name: grounds.difference(recorded.flow) for recorded, grounds in flows}
    return found + [f"{name}: {fault}" for name, fault in wrong.items() if fault]


def _run(code: str, language: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = _COMMANDS[language]
    (folder / command[-1]).write_text(code, encoding="utf-8")
    return _start(command, folder, env)


def _start(command: Sequence[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(command, 124, "", f"not over after {error.timeout:.0f} s")


def _surroundings(browser: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    unsandboxed = {"NOTTE_MCP_NO_SANDBOX": "1"} if os.geteuid() == 0 else {}
    return kept | unsandboxed | {"NOTTE_MCP_BROWSER": str(browser)}
