"""What a judge's script tells its test: a line of JSON per check. Runs with the SDK's own Python, as all in this folder."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

CHECKS: dict[str, Callable[[], object]] = {}

GIVEN: dict[str, str] = json.loads(sys.argv[1])
SHOP, SITE, PLAN, FOLDER = (GIVEN[name] for name in ("shop", "site", "plan", "folder"))
"""Where the shop and the site are, the file of the next agents' answers, and a folder to write to."""


def check(function: Callable[[], object]) -> Callable[[], object]:
    """One thing that is tried: what it returns is what the test is told."""
    CHECKS[function.__name__] = function
    return function


def tell_all() -> None:
    """Try each in order. One that raises is told with its traceback, and the next one is tried."""
    for name, function in CHECKS.items():
        begun = time.monotonic()
        try:
            told = {"check": name, "facts": function()}
        except Exception:
            told = {"check": name, "facts": traceback.format_exc()[-700:]}
        told["seconds"] = round(time.monotonic() - begun, 2)
        sys.stdout.write(json.dumps(told, default=str) + "\n")
        sys.stdout.flush()


def plan(*answers: dict[str, object], delay_s: float = 0.0, repeat_last: bool = False) -> None:
    """What the scripted model answers each agent from now on."""
    options = {"answers": answers, "delay_s": delay_s, "repeat_last": repeat_last}
    Path(PLAN).write_text(json.dumps(options), encoding="utf-8")


def does(*actions: dict[str, object], thought: str = "Go on.") -> dict[str, object]:
    """An answer: these actions."""
    return {"thought": thought, "actions": list(actions)}


def ends(answer: str, *, success: bool = True) -> dict[str, object]:
    """An answer: the end."""
    return does({"type": "completion", "success": success, "answer": answer})


SEARCH = does({"type": "fill", "id": "{{searchbox 'Search products'}}", "value": "kettle", "press_enter": True})
