"""What is live here, told from memory; and who has it besides its callers: an agent holds a session until it gives it
back, and so does a person who has taken it over.

Below: life, live, slot, hold, redaction, refusals. Above: registry.
"""

from contextlib import AbstractAsyncContextManager

from notte_mcp.records import SessionRecord
from notte_mcp.registry import refusals
from notte_mcp.registry.clock import Clock
from notte_mcp.registry.hold import Hold
from notte_mcp.registry.life import Life
from notte_mcp.registry.live import LiveSession
from notte_mcp.registry.redaction import Redactor
from notte_mcp.registry.slot import Slot


class Holding:
    """The registry's part of that: see the module."""

    _life: Life

    def __init__(self, slots: dict[str, Slot], clock: Clock) -> None:
        self._slots = slots
        self._clock = clock

    def live(self) -> list[SessionRecord]:
        """The sessions that have a place here as they stand, newest first."""
        return [slot.snapshot() for slot in reversed(self._slots.values())]

    def is_live(self, session_id: str) -> bool:
        """Whether the session has a browser here that is not being ended."""
        slot = self._slots.get(session_id)
        return slot is not None and slot.ending is None

    def secrets(self, session_id: str) -> dict[str, str]:
        """NAME to value of what was typed into the session's secret fields; empty once it is not live here.

        For another session that types them again, and for nothing that is written or told.
        """
        slot = self._slots.get(session_id)
        return dict(slot.redactor.values) if slot is not None and slot.ending is None else {}

    def take(self, session_id: str, hold: Hold) -> Redactor:
        """Give an agent the session: what is done there from now on are its steps.

        Gives what takes the session's secrets out of a value, for as long as anyone has use for it.

        Raises:
            SessionNotLive: it has no browser here. SessionBusy: another agent has it.
        """
        slot = self._slots.get(session_id)
        if slot is None or slot.ending is not None or not slot.has_browser:
            raise slot.unusable() if slot is not None else refusals.gone(session_id)
        if slot.hold is not None and slot.hold is not hold:
            raise refusals.held(session_id, slot.hold.agent_id)
        slot.hold = hold
        return slot.redactor

    def cut(self, session_id: str, hold: Hold) -> None:
        """End the action in flight in a session that the agent has: its outcome is unknown then."""
        slot = self._slots.get(session_id)
        if slot is not None and slot.hold is hold and slot.work is not None and slot.work.what == "execute":
            slot.work.cut()

    def release(self, session_id: str, hold: Hold) -> None:
        """Take the session back, if that agent has it."""
        slot = self._slots.get(session_id)
        if slot is not None and slot.hold is hold:
            slot.hold = None
            slot.used_at = self._clock.now()

    def holder(self, session_id: str) -> str | None:
        """The id of the agent that has the session, if any."""
        slot = self._slots.get(session_id)
        return slot.hold.agent_id if slot is not None and slot.hold is not None else None

    # --- people -------------------------------------------------------------------

    def use(self, session_id: str | None) -> AbstractAsyncContextManager[LiveSession]:
        """Hold a live session."""
        raise NotImplementedError

    async def take_over(self, session_id: str) -> None:
        """Give a person the session: nobody else acts in it until `give_back`. Waits for who acts in it just now, as
        `use` does. Doing so again says that the person is still there.

        It is given back by itself once the person has done nothing for `taking.KEPT_S`, or when the session ends. An
        agent that has it is paused before, by whoever takes it over for the person.

        Raises:
            UnknownSession, SessionNotLive, SessionBusy, SessionLost.
        """
        async with self.use(session_id) as live:
            slot = self._slots[live.record.id]
            was_on = slot.taking.is_on
            slot.taking.begin(slot.record.step_count)
        if not was_on:
            self._life.taken(slot)
            slot.beat()

    async def give_back(self, session_id: str) -> None:
        """The person is done; no error where nobody had it."""
        if (slot := self._slots.get(session_id)) is not None:
            self._life.given_back(slot)

    def is_taken(self, session_id: str) -> bool:
        """Whether a person has the session just now."""
        slot = self._slots.get(session_id)
        return slot is not None and slot.ending is None and slot.taking.is_on

    async def until_given_back(self, session_id: str) -> None:
        """Come back once no person has the session (any more)."""
        slot = self._slots.get(session_id)
        while slot is not None and slot.ending is None and slot.taking.is_on:
            await slot.next_beat()
