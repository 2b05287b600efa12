"""Whether a person has taken a session over: then nobody else acts in it, until it is given back.

A person who does nothing for a while has gone: the session is given back by itself. Whoever serves people (the live
view) pauses an agent before, and lets it go on after.

Below: refusals, clock. Above: slot, holding.
"""

from typing import Final

from notte_mcp.errors import NotteMCPError
from notte_mcp.records import Actor
from notte_mcp.registry import refusals
from notte_mcp.registry.clock import Clock

KEPT_S: Final = 300.0
"""How long a person who does nothing keeps a session."""

TAKEN: Final = "taken_over"
"""The reason that the record of a live session tells while a person has it."""


class Taking:
    """See the module. `steps` is how many steps the session had when it was taken; `is_begun` holds until `end`, even
    where the person has gone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.is_begun = False
        self._since = self._last = clock.now()
        self.steps = 0

    @property
    def is_on(self) -> bool:
        """Whether a person has the session."""
        return self.is_begun and self.left_s > 0

    @property
    def left_s(self) -> float:
        """For how many seconds more, should nothing be done."""
        return self._last + KEPT_S - self._clock.now()

    @property
    def used_until(self) -> float:
        """Until when (on the clock) the session counts as in use by a person; past where none had it."""
        return self._last + KEPT_S if self.is_begun else self._last

    def begin(self, steps: int) -> None:
        """A person takes the session, or still wants it."""
        if not self.is_on:
            self._since, self.steps = self._clock.now(), steps
        self.is_begun = True
        self.act()

    def act(self) -> None:
        """The person does something."""
        self._last = self._clock.now()

    def end(self) -> None:
        """It is given back."""
        self.is_begun = False
        self._last = min(self._last, self._clock.now())

    def refusal(self, session_id: str, actor: Actor) -> NotteMCPError | None:
        """Why `actor` may not act now."""
        if self.is_on and actor != "human":
            return refusals.taken(session_id, since_s=self._clock.now() - self._since)
        return refusals.not_taken(session_id) if actor == "human" and not self.is_on else None
