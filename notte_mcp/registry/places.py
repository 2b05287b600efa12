"""Places: the limits of one App, and how many sessions and agents are live over all Apps of one process.

Where each user has an App of its own, its own limits hold for that user, and these for
the machine under all of them. Nothing is taken and given back: each App tells how many
it has, so that a place cannot be lost to whoever failed to return it.

Below: nothing. Above: registry, agents.supervisor, app (and who opens several Apps).
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one App: live sessions, steps of each, and how long a call waits for another one to let go (seconds)."""

    max_sessions: int = 16
    lock_wait_s: float = 10.0
    max_steps: int = 20_000


class Count:
    """The live ones of a kind, at most `limit` over everyone who joined."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._told: list[Callable[[], int]] = []

    @contextmanager
    def joined(self, live: Callable[[], int]) -> Generator[None]:
        """`live` tells how many its App has, for as long as the block runs."""
        self._told.append(live)
        try:
            yield
        finally:
            self._told.remove(live)

    @property
    def live(self) -> int:
        """How many there are, of all Apps."""
        return sum(one() for one in self._told)

    @property
    def is_full(self) -> bool:
        return self.live >= self.limit


@dataclass(frozen=True, slots=True)
class Places:
    """The counts that Apps share (see `open_app`)."""

    sessions: Count
    agents: Count

    @classmethod
    def of(cls, *, sessions: int, agents: int) -> Self:
        """Places for so many live sessions and agents in all."""
        return cls(Count(sessions), Count(agents))
