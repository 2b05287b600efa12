"""`notte-mcp api` as a process of its own, as its user starts it, with a Chromium; and a judge in front of it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from notte_mcp.demo.shop import Shop
from tests.judges import Ran, Sdk, run_script
from tests.site import Site

KEY: Final = "a-key-of-the-judges-0123456789"
JUDGED: Final = Path(__file__).parent / "judged"
STARTED_S: Final = 40


@dataclass(frozen=True, slots=True)
class Served:
    """A running API. `plan` is the file of its agents' answers, read anew by each agent."""

    url: str
    key: str
    plan: Path
    process: "subprocess.Popen[str]"


@contextmanager
def api_process(folder: Path, *, chromium: Path, contract: Literal["1.9", "1.10"] | None = None) -> Generator[Served]:
    """The API on a free port, with a state of its own in the folder and the scripted model; as its user starts it, in the
    contract of the SDK that asks, unless one is given."""
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"answers": []}), encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("NOTTE_")} | {
        "NOTTE_MCP_STATE_DIR": str(folder / "state"),
        "NOTTE_MCP_BROWSER": str(chromium),
        "NOTTE_MCP_NO_SANDBOX": "1" if os.geteuid() == 0 else "0",
        "NOTTE_MCP_API_KEY": KEY,
        "NOTTE_MCP_MODEL": f"scripted:{plan}",
        "NOTTE_MCP_VIEWER": "0",
    }
    command = [sys.executable, "-m", "notte_mcp", "api", "--port", "0"]
    command += ["--contract", contract] if contract is not None else []
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Served(_address(process), KEY, plan, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def judge(
    served: Served,
    sdk: Sdk,
    name: str,
    folder: Path,
    *,
    shop: Shop | None = None,
    site: Site | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What a script of `judged` told: the facts of each check, by its name; a failure's are its traceback."""
    given = {
        "shop": shop.url if shop else "",
        "site": site.url("/") if site else "",
        "plan": str(served.plan),
        "folder": str(folder),
    }
    ran: Ran = run_script(sdk, JUDGED / name, url=served.url, key=served.key, arguments=(json.dumps(given),), **more)
    return {told["check"]: told["facts"] for told in ran.told if isinstance(told, dict) and "check" in told}


def _address(process: "subprocess.Popen[str]") -> str:
    """Where it says that it serves. What it says later is read, and left."""
    assert process.stderr is not None
    said: list[str] = []
    late = threading.Timer(STARTED_S, process.kill)
    late.start()
    try:
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"is served at (http://\S+);", line):
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return found[1]
    finally:
        late.cancel()
    raise AssertionError(f"the API did not start:\n{''.join(said)}")
