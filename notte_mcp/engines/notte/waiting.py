"""Waiting for something on a page in the cloud: by scripts, a few seconds each, until it is so or the time is over.

Below: stage, reaching. Above: performing.
"""

import re
from typing import Any, Final

import anyio

from notte_mcp import actions as a
from notte_mcp.engines.notte.reaching import reach
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Receipt, Target

_AT_ONCE_MS: Final = 3_000
_PAUSE_S: Final = 0.1


async def wait_for(stage: Stage, action: a.WaitFor, allowed_ms: int) -> Receipt:
    """Wait until it is so.

    Raises:
        UnknownElement, StaleElement, SessionLost.
    """
    asked, target, healed = await _condition(stage, action)
    ends = anyio.current_time() + allowed_ms / 1000
    while (left_ms := int((ends - anyio.current_time()) * 1000)) > 0:
        found = None
        with anyio.move_on_after(left_ms / 1000 + 0.5):
            found = await stage.ask("wait", ms=min(left_ms, _AT_ONCE_MS), **asked)
            if found is not None and found.get("wrong"):
                return _not(
                    action, f"{_words(action)} is no selector that can be waited for in the cloud", "selector_not_found"
                )
            if found is not None and found["met"]:
                said = f"{_words(action)} {'went' if action.gone else 'is there'}"
                return Receipt(action.type, success=True, message=said, target=target, healed=healed)
        if found is None:
            await anyio.sleep(_PAUSE_S)
    what = f"the URL is {clean_line(stage.url, 200)}" if action.url else "it is not so"
    return _not(
        action,
        f"Within {allowed_ms} ms {_words(action)} did not {'go' if action.gone else 'come'}; {what}",
        "action_timeout",
    )


def _not(action: a.WaitFor, said: str, code: str) -> Receipt:
    return Receipt(action.type, success=False, code=code, message=f"{said}.")


async def _condition(stage: Stage, action: a.WaitFor) -> tuple[dict[str, Any], Target | None, bool]:
    if action.value is not None:
        return {"text": action.value}, None, False
    if action.gone is not None:
        return {"gone": action.gone}, None, False
    if action.url is not None:
        return {"url": _glob(action.url)}, None, False
    if action.selector is not None:
        return {"selector": action.selector}, None, False
    reached = await reach(stage, action.id, None, scroll=False)
    return {"key": reached.key}, reached.target, reached.healed


def _glob(url: str) -> str:
    """A URL with `*` (within a part) and `**` (of any length) as a regular expression."""
    parts = re.split(r"(\*\*|\*)", url)
    return "^" + "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts) + "$"


def _words(action: a.WaitFor) -> str:
    return f'"{clean_line(action.value or action.gone or action.url or action.selector or action.id or "", 80)}"'
