"""A real `notte-mcp api` process with a Chromium, which is the cloud that a second server drives; and that server."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stdio.wire import START_S, environment

KEY = "key-of-the-cloud-3f9c2b7e41d0"
"""Long and strange enough to be looked for everywhere."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The process and its address; `env` is what a server needs to use it."""

    process: subprocess.Popen[bytes]
    url: str
    state: Path

    @property
    def env(self) -> dict[str, str]:
        return {"NOTTE_API_URL": self.url, "NOTTE_API_KEY": KEY}


@contextmanager
def cloud(state: Path, plan: Path | None = None) -> Generator[Cloud]:
    """The API as a process of its own, ended with all that it started; `plan` is its model's."""
    said = state.parent / "api-said.txt"
    with said.open("wb") as errors:
        env = {**environment(), "NOTTE_MCP_API_KEY": KEY, **({"NOTTE_MCP_MODEL": f"scripted:{plan}"} if plan else {})}
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [sys.executable, "-m", "notte_mcp", *sandbox, "--state-dir", str(state), "--log-level", "debug"]
        process = subprocess.Popen([*command, "api", "--port", "0"], stderr=errors, stdin=subprocess.DEVNULL, env=env)
    try:
        yield Cloud(process, _address(said, process), state)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
            process.wait()


def _address(said: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(r"served at (http://\S+);", said.read_text(encoding="utf-8")):
            return found.group(1)
        time.sleep(0.05)
    raise AssertionError(f"the API did not begin: {said.read_text(encoding='utf-8')}")


def holding(folder: Path, text: str) -> list[str]:
    """The files below a folder in which a text stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if text.encode() in path.read_bytes()]
