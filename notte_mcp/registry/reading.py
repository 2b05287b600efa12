"""Reading what is recorded and looking at what is live: no lock, and nobody waits for a caller.

Below: holding, camera, elsewhere, refusals, store.base. Above: registry.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

import anyio

from notte_mcp.engines.remote import RemoteSession
from notte_mcp.frames import Frame
from notte_mcp.observations import Tab
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.registry import refusals
from notte_mcp.registry.camera import Watch
from notte_mcp.registry.clock import Clock
from notte_mcp.registry.elsewhere import ASK_S, Elsewhere, ended
from notte_mcp.registry.holding import Holding
from notte_mcp.registry.slot import Slot
from notte_mcp.store.base import Store


class Reading(Holding):
    """The registry's part of that: see the module."""

    def __init__(self, slots: dict[str, Slot], clock: Clock, store: Store, owner: str, elsewhere: Elsewhere) -> None:
        super().__init__(slots, clock)
        self._elsewhere = elsewhere
        self._store = store
        self._owner = owner

    @asynccontextmanager
    async def watch(self, session_id: str, *, every_s: float) -> AsyncGenerator[Watch]:
        """Look at a live session beside whoever acts in it, at most every `every_s` seconds.

        `Watch.next` gives the newest frame, and raises what has become of the session once it has ended.

        Raises: UnknownSession, SessionNotLive.
        """
        if (slot := self._slots.get(session_id)) is None:
            raise refusals.not_live(await self.record(session_id), owner=self._owner)
        async with slot.camera.watching(every_s=every_s) as watch:
            yield watch

    def latest(self, session_id: str) -> Frame | None:
        """The last frame of a live session that anybody was shown; None where there is none."""
        slot = self._slots.get(session_id)
        return None if slot is None else slot.camera.latest

    def tabs(self, session_id: str) -> tuple[Tab, ...]:
        """The tabs of a live session as they are known; none of one that is not live. Never waits."""
        slot = self._slots.get(session_id)
        browser = slot.last_browser if slot is not None else None
        return () if slot is None or browser is None else slot.redactor(browser.position.tabs)

    async def record(self, session_id: str) -> SessionRecord:
        """The record of a session, live or not (never waits for a caller). Raises: UnknownSession."""
        slot = self._slots.get(session_id)
        return slot.snapshot() if slot is not None else await self._stored(session_id)

    async def asked_after(self, session_id: str) -> SessionRecord:
        """The record of a session; one that lives on another machine, and is not known to have ended, is asked after
        there before. Where that cannot be learnt it stays as it is. Raises: UnknownSession."""
        record = await self.record(session_id)
        if not record.remote_id or record.state == "stopped":
            return record
        if record.state in LIVE_STATES and record.owner != self._owner:
            return record  # another server's to say
        stands = await self._elsewhere.heard(record)
        if stands is None or stands.is_live:
            return await self.record(session_id)
        if (slot := self._slots.get(session_id)) is None:
            return await self._ended_there(record, stands)
        self._life.lost(session_id, f"it is {ended(record, stands).reason} there")
        await slot.ended.wait()
        return slot.snapshot()

    async def stands(self, session_id: str) -> RemoteSession | None:
        """How a session stands on the machine that it lives on; None for one of this machine, and where that cannot be
        learnt. Raises: UnknownSession."""
        return await self._elsewhere.heard(await self.record(session_id))

    async def _require_there(self, record: SessionRecord) -> None:
        """Raises: SessionNotLive: it has ended on its machine, which is on record then. CloudError: nobody knows."""
        try:
            stands = await self._elsewhere.stands(record)
        except TimeoutError:
            raise refusals.unheard(record, within_s=ASK_S) from None
        if stands is not None and not stands.is_live:
            raise refusals.not_live(await self._ended_there(record, stands), owner=record.owner)

    async def _ended_there(self, record: SessionRecord, stands: RemoteSession) -> SessionRecord:
        record = replace(ended(record, stands), updated_at=self._clock.unix())
        await self._store.put_session(record)
        return record

    async def sessions(self, *, limit: int = 100) -> list[SessionRecord]:
        """Sessions, newest first, the live ones as they stand."""
        stored = await self._store.sessions(limit=limit)
        known = {record.id for record in stored}
        told = [self._slots[r.id].snapshot() if r.id in self._slots else r for r in stored]
        return [*[record for record in self.live() if record.id not in known], *told][:limit]

    async def steps(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        """Steps with a number above `after`, in order; those in flight are `intended`. Raises: UnknownSession."""
        slot = self._slots.get(session_id)
        if slot is not None and (known := slot.steps_after(after, limit)) is not None:
            return known
        await self.record(session_id)
        return await self._store.steps(session_id, after=after, limit=limit)

    async def until_ended(self, session_id: str) -> SessionRecord:
        """Wait until a live session has ended; how it did. Raises: UnknownSession."""
        if (slot := self._slots.get(session_id)) is not None:
            await slot.ended.wait()
            return slot.snapshot()
        return await self._stored(session_id)

    async def wait(
        self, session_id: str, *, seconds: float, after_step: int | None, until: Literal["step", "input", "done"]
    ) -> SessionRecord:
        """Come back when a step above `after_step` (default: the last one) has its outcome, or the session
        ended, or a person gave it back, or `seconds` are over. A session by itself never needs input: `input` waits as `done` does.

        Raises:
            UnknownSession.
        """
        slot = self._slots.get(session_id)
        if slot is None:
            return await self._stored(session_id)
        after = slot.acknowledged if after_step is None else after_step
        was_taken = slot.taking.is_on
        with anyio.move_on_after(seconds):
            while not slot.ended.is_set() and not (until == "step" and slot.acknowledged > after):
                if was_taken and not slot.taking.is_on:
                    break
                await slot.next_beat()
        return slot.snapshot()

    async def _stored(self, session_id: str) -> SessionRecord:
        if (record := await self._store.session(session_id)) is None:
            raise refusals.unknown(session_id)
        return record
