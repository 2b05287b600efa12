"""Does an agent go in circles? The same action, on the same target, while the page stays as it is.

Only what happened since the page last changed counts, and an action once per turn: a
batch may press a key five times.

Below: moves. Above: loop.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from notte_mcp.agent_records import UNCOUNTED
from notte_mcp.agents.moves import Outcome

LIMIT: Final = 3
"""As often, on an unchanged page, is a loop."""

PATIENT_LIMIT: Final = 10
"""The limit of actions that are meant to be repeated until something shows."""

_PATIENT: Final = frozenset({"wait", "wait_for", "scroll_up", "scroll_down"})
# What may differ between two actions that are the same: how long, how far.
_NO_DIFFERENCE: Final = frozenset({"type", "timeout_ms", "time_ms", "amount"})


class Repeats:
    """How often each action was done since the page last changed."""

    def __init__(self) -> None:
        self._signature: str | None = None
        self._counts: Counter[str] = Counter()
        self._kinds: dict[str, str] = {}

    def clear(self) -> None:
        """Begin anew: somebody told the agent something, so that the same may be worth another try."""
        self._counts.clear()
        self._kinds.clear()

    def look(self, signature: str) -> None:
        """The page as it is now; a changed one begins anew."""
        if signature != self._signature:
            self.clear()
        self._signature = signature

    def count(self, outcomes: Sequence[Outcome], signature: str) -> None:
        """What one turn did, and the page after it."""
        keys = {_key(one): _named(one) for one in outcomes if one.action.type not in UNCOUNTED}
        self._counts.update(keys.keys())
        self._kinds |= keys
        self.look(signature)

    @property
    def loop(self) -> str:
        """What was done too often (`click B4`), or ""."""
        return next((self._kinds[key] for key, times in self._counts.items() if times >= _limit(key)), "")

    @property
    def warning(self) -> str:
        """A line for the model where it is half way to the limit, or ""."""
        for key, times in self._counts.items():
            if (_limit(key) + 1) // 2 <= times < _limit(key):
                left = _limit(key) - times
                return (
                    f"Warning: you did `{self._kinds[key]}` {times} times and the page did not change. "
                    f"{'Once' if left == 1 else f'{left} times'} more ends the task as a loop: try another way."
                )
        return ""


def _limit(key: str) -> int:
    return PATIENT_LIMIT if key.split(" ", 1)[0] in _PATIENT else LIMIT


def _key(outcome: Outcome) -> str:
    fields: dict[str, Any] = {k: v for k, v in outcome.written.items() if k not in _NO_DIFFERENCE}
    return f"{outcome.action.type} {json.dumps(fields, sort_keys=True, default=str)}"


def _named(outcome: Outcome) -> str:
    aim = outcome.written.get("id") or outcome.written.get("selector") or outcome.written.get("url") or ""
    return f"{outcome.action.type} {aim}".strip()[:120]
