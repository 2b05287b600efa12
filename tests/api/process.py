"""`notte-mcp api` as a process of its own, for whoever asks it over HTTP."""

import json
import os
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.forks import PIPE, Forked

KEY: Final = "a-key-of-the-tests-3f9c2b7e41d0"
"""Long and strange enough to be looked for everywhere."""

STARTED_S: Final = 40


@dataclass(frozen=True, slots=True)
class Served:
    """A running API. `plan` is the file of its agents' answers, read anew by each agent."""

    url: str
    key: str
    plan: Path
    process: Forked

    @property
    def env(self) -> dict[str, str]:
        """What a server needs to use it as its cloud."""
        return {"NOTTE_API_URL": self.url, "NOTTE_API_KEY": self.key}


@contextmanager
def api_process(folder: Path, *flags: str, chromium: Path, **settings: str) -> Generator[Served]:
    """The API on a free port, with a state of its own in the folder and the scripted model, ended with all that it
    started. As its user starts it, but for `settings` (of the environment, without their prefix)."""
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"answers": []}), encoding="utf-8")
    ours = {
        "STATE_DIR": str(folder / "state"),
        "BROWSER": str(chromium),
        "NO_SANDBOX": "1" if os.geteuid() == 0 else "0",
        "API_KEY": KEY,
        "MODEL": f"scripted:{plan}",
        "VIEWER": "0",
    } | settings
    env = {name: value for name, value in os.environ.items() if not name.startswith("NOTTE_")}
    env |= {f"NOTTE_MCP_{name}": value for name, value in ours.items()}
    with Forked(["-m", "notte_mcp", "api", "--port", "0", *flags], env=env, stderr=PIPE) as process:
        try:
            yield Served(_address(process), KEY, plan, process)
        finally:
            process.terminate()
            with until(process, seconds=20):
                process.wait()


@contextmanager
def until(process: Forked, *, seconds: float) -> Generator[None]:
    """The process is killed if this lasts."""
    late = threading.Timer(seconds, process.kill)
    late.start()
    try:
        yield
    finally:
        late.cancel()


def _address(process: Forked) -> str:
    """Where it says that it serves. What it says later is read, and left."""
    assert process.stderr is not None
    said: list[str] = []
    with until(process, seconds=STARTED_S):
        for line in process.stderr:
            said.append(line.decode())
            if found := re.search(r"is served at (http://\S+);", said[-1]):
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return found[1]
    raise AssertionError(f"the API did not start:\n{''.join(said)}")
