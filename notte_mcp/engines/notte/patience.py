"""Asking again: which requests may be repeated, how often, and after how long.

The contract's rules: what certainly was not done (503, 529, no connection) is asked again whatever it was; where that is
not known (502, 504, a connection that broke, silence) only what does no harm twice. The waits are full jitter; a wait
that the server names is kept to if it is short. Not `stamina`, which takes neither a clock nor a way to wait.

Below: anyio. Above: client.
"""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import anyio

REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that do no harm when done twice."""

_NOT_DONE: Final = frozenset({503, 529})
_PERHAPS_DONE: Final = frozenset({502, 504})


def may_repeat(method: str, status: int | None, *, sent: bool = True) -> bool:
    """Whether a request may be sent again after this status, or (None) after no answer; `sent` is false where
    the request certainly did not reach the server."""
    if status is None:
        return not sent or method in REPEATABLE
    return status in _NOT_DONE or (status in _PERHAPS_DONE and method in REPEATABLE)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long (seconds); clock, chance and sleep are given by tests."""

    retries: int = 3
    base_s: float = 1
    cap_s: float = 10
    honoured_s: float = 20
    within_s: float = 60
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    def pause(self, turn: int, *, spent_s: float, asked_s: float | None = None) -> float | None:
        """The wait after the `turn`-th try (from 0), `spent_s` after the first began; None where it is not tried
        again. `asked_s` is what the server asked for."""
        if turn >= self.retries or (asked_s is not None and asked_s > self.honoured_s):
            return None
        drawn = self.chance() * min(self.cap_s, self.base_s * 2**turn)
        wait = drawn if asked_s is None else asked_s
        return wait if spent_s + wait < self.within_s else None
