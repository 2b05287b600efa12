"""How the cloud's words tell that a session has ended, and why.

Below: nothing. Above: stage, engine.
"""

import re
from typing import Final

_ENDED: Final = re.compile(
    r"\b(closed|expired|ended|interrupted|stopp(ed|ing)|not (active|found|running)|no longer|timed.?out)\b",
    re.IGNORECASE,
)
_WHY: Final = {
    "idle_timeout": "it was idle for longer than its limit",
    "max_duration": "its time was over",
    "manual": "it was stopped",
    "error": "it failed there",
}


def sounds_ended(said: str) -> bool:
    """Whether an error's words may be of a session that has ended."""
    return _ENDED.search(said) is not None


def tells_of_end(message: str) -> bool:
    """Whether an action's message is of the session itself."""
    return "session" in message.lower() and sounds_ended(message)


def why_ended(state: str, close_reason: str) -> str:
    """The cloud's own word for why a session ended, in words."""
    said = _WHY.get(close_reason, "")
    return f"{close_reason}: {said}" if said else close_reason or state or "it does not say why"
