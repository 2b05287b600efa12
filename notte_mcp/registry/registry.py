"""The registry itself: sessions by id, from opening to their end.

Whoever wants a browser comes through here: `open`, `use`, `stop`. It holds the
locks and the limits, and says of every session that ended how and why. Reading
(see `reading`) and `stop` never queue behind a caller.
It knows no MCP and no vendor.

Below: life, live, opening, engines.base, store.base. Above: tools, resources, app.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Literal, Self

import anyio
import anyio.to_thread

from notte_mcp.engines.base import Engine
from notte_mcp.engines.remote import Remote
from notte_mcp.errors import SessionNotLive
from notte_mcp.ids import new_session_id
from notte_mcp.logs import Log
from notte_mcp.profiles import ProfileStore
from notte_mcp.records import LIVE_STATES, SessionRecord, SessionSpec
from notte_mcp.registry import ending, files, opening, refusals
from notte_mcp.registry.batch import Batch
from notte_mcp.registry.clock import Clock, SystemClock
from notte_mcp.registry.elsewhere import Elsewhere
from notte_mcp.registry.life import Life
from notte_mcp.registry.live import LiveSession
from notte_mcp.registry.places import Count, Limits
from notte_mcp.registry.reading import Reading
from notte_mcp.registry.saving import read_state
from notte_mcp.registry.slot import Slot
from notte_mcp.replay.recorder import Recording
from notte_mcp.store.base import Store

CLOSE_S: Final = 1.0
"""How long ending all sessions takes at most when nobody says otherwise."""

log = Log("registry")


class Registry(Reading):
    """See the module. Runs between entering and leaving it (`async with`), in one task. `recording` is how sessions are
    filmed; without it none is."""

    def __init__(
        self,
        *,
        engines: Mapping[str, Engine],
        store: Store,
        sessions_dir: Path,
        profiles_dir: Path,
        owner: str,
        limits: Limits,
        places: Count | None = None,
        room: Callable[[], Awaitable[None]] | None = None,
        recording: Recording | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        elsewhere = Elsewhere(engines)
        self._life = Life(
            store=store, clock=self._clock, profiles=ProfileStore(profiles_dir), sessions_dir=sessions_dir,
            max_steps=limits.max_steps, recording=recording, elsewhere=elsewhere,
        )  # fmt: skip
        super().__init__(self._life.slots, self._clock, store, owner, elsewhere)
        self._engines = engines
        self._limits = limits
        self._places = places or Count(limits.max_sessions)
        self._joined_places = ExitStack()
        self._room = room
        self._closing = False

    async def __aenter__(self) -> Self:
        self._life.tasks = await anyio.create_task_group().__aenter__()
        self._joined_places.enter_context(self._places.joined(lambda: len(self._slots)))
        for engine in self._engines.values():
            engine.on_lost(self._life.lost)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close(deadline_s=CLOSE_S)
        self._joined_places.close()
        self._life.tasks.cancel_scope.cancel()
        # What ended the block goes its own way: through the group it would come out wrapped.
        await self._life.tasks.__aexit__(None, None, None)

    # --- beginnings ---------------------------------------------------------------

    async def open(
        self,
        spec: SessionSpec,
        *,
        url: str | None = None,
        aside: bool = False,
        secrets: Mapping[str, str] | None = None,
    ) -> tuple[SessionRecord, Batch | None]:
        """A new session, with `url` loaded as its first step when given (a failed load keeps the session).

        One that stands `aside` is never meant by a session id that is left out. `secrets` (NAME to value) are
        looked for from the beginning, and not only once they were typed.

        Raises:
            LimitReached, BrowserMissing, BrowserLaunchFailed, ProfileLocked, InvalidArgument, UnsupportedUrl,
            StateFolderUnusable, StoreUnusable: there is no session then.
            SessionLost: the browser died while the page loaded; the session can be restored.
        """
        engine = self._engine(spec)
        await self._has_room()
        now = self._clock.unix()
        slot = self._take_slot(SessionRecord(new_session_id(), self._owner, "starting", spec, now, now))
        slot.is_aside = aside
        for name, value in (secrets or {}).items():
            slot.redactor.add(name, value)
        batch = await opening.open_new(slot, engine, self._life, self._store, url=url)
        log.info("session.opened", session=slot.id, engine=spec.engine)
        return slot.snapshot(), batch

    async def restore(self, session_id: str) -> SessionRecord:
        """A new browser for an interrupted or crashed session: saved login state, last url, same numbering.

        No action is done again; loading the last url is a step of its own, and
        whether it worked stands there. `storage_saved_at` of what is returned
        is the age of the state that was brought back (None: there was none).
        A live session is returned as it is. One that lives on another machine is gone on with as it is there.

        Raises:
            UnknownSession; SessionNotLive (stopped here or there, or live in another server); and what `open` raises.
        """
        if (slot := self._slots.get(session_id)) is not None:
            return await self._joined(slot)
        record = await self._stored(session_id)
        # While that was read, another call may have begun the same.
        if (slot := self._slots.get(session_id)) is not None:
            return await self._joined(slot)
        if record.state not in refusals.RESTORABLE:
            raise refusals.not_live(record, owner=self._owner)
        engine = self._engine(record.spec)
        await self._require_there(record)
        await self._has_room()
        # So might one have while the disk was looked at.
        if (slot := self._slots.get(session_id)) is not None:
            return await self._joined(slot)
        slot = self._take_slot(replace(record, owner=self._owner, state="starting", reason=""))
        saved_at = await opening.restore(slot, record, engine, self._life, self._store)
        log.info("session.restored", session=slot.id)
        return replace(slot.snapshot(), storage_saved_at=saved_at)

    async def _joined(self, slot: Slot) -> SessionRecord:
        """A session that is live or that another call is opening, once it is open."""
        while not slot.is_open and not slot.ended.is_set():
            await slot.next_beat()
        if slot.is_stopping:
            raise slot.unusable()
        if slot.ending is not None:  # its browser died: that is put on record first
            await slot.ended.wait()
        # The other call gave up, so this one tries itself.
        return await self.restore(slot.id) if slot.ended.is_set() else slot.snapshot()

    def _engine(self, spec: SessionSpec) -> Engine:
        if self._closing:
            raise refusals.ending()
        return opening.engine_of(self._engines, spec)

    async def _has_room(self) -> None:
        if self._room is not None:
            await self._room()

    def _take_slot(self, record: SessionRecord) -> Slot:
        own, limit = len(self._slots), self._limits.max_sessions
        if own >= limit or self._places.is_full:
            limit = limit if own >= limit else self._places.limit
            others = 0 if own >= limit else self._places.live - own
            raise refusals.full(limit, [slot.listed() for slot in self._slots.values()], others=others)
        return self._life.take_slot(record)

    # --- use ----------------------------------------------------------------------

    async def resolve(self, session_id: str | None) -> str:
        """The id meant by `session_id`: itself, or the only live one. Raises: UnknownSession, SessionChoice."""
        if session_id is not None:
            return (await self.record(session_id)).id
        live = [slot for slot in self._slots.values() if slot.ending is None and not slot.is_aside]
        if len(live) == 1:
            return live[0].id
        for dying in [slot for slot in self._slots.values() if slot.ending is not None and not slot.is_stopping]:
            await dying.ended.wait()  # a moment: then it is on record as what can be restored
        restorable = [] if live else [r for r in await self._store.sessions() if r.state in refusals.RESTORABLE]
        raise refusals.choice([slot.listed() for slot in live], restorable)

    @asynccontextmanager
    async def use(self, session_id: str | None) -> AsyncGenerator[LiveSession]:
        """Hold a live session; waits for other holders in turn, at most `Limits.lock_wait_s`.

        Raises:
            UnknownSession, SessionChoice, SessionNotLive, SessionBusy, SessionLost.
        """
        meant = await self.resolve(session_id)
        slot = self._slots.get(meant)
        if slot is None:
            raise refusals.not_live(await self.record(meant), owner=self._owner)
        await self._acquire(slot)
        try:
            if slot.ending is None and not slot.browser.alive:
                raise slot.lost("it does not answer any more")
            if slot.ending is not None:
                raise slot.unusable()
            slot.held_since = self._clock.now()
            yield LiveSession(slot, self._store)
        finally:
            slot.used_at = self._clock.now()
            slot.lock.release()

    async def _acquire(self, slot: Slot) -> None:
        with anyio.move_on_after(self._limits.lock_wait_s):
            await slot.lock.acquire()
            return
        if slot.ending is not None:
            raise slot.unusable()
        what, since_s = slot.doing()
        raise refusals.busy(slot.id, what=what, since_s=since_s, waited_s=self._limits.lock_wait_s)

    # --- files ----------------------------------------------------------------------

    async def remote(self, session_id: str) -> Remote | None:
        """What the engine of a session on another machine can tell of it besides, also once it has ended; None for one
        of this machine. Raises: UnknownSession, CloudKeyMissing."""
        record = await self.record(session_id)
        if not record.remote_id:
            return None
        return await opening.engine_of(self._engines, record.spec).remote(record.remote_id)

    async def login(self, profile: str) -> dict[str, Any] | None:
        """The login state that a profile keeps, in Playwright's form. Raises: InvalidArgument, StateFolderUnusable."""
        return await anyio.to_thread.run_sync(self._life.profiles.load, profile)

    async def saved(self, session_id: str) -> dict[str, Any] | None:
        """The login state that was saved last of a session, in Playwright's form; None where none was. Raises:
        UnknownSession."""
        await self.record(session_id)
        return await anyio.to_thread.run_sync(read_state, self._life.folder(session_id))

    @property
    def profiles(self) -> ProfileStore:
        """The profiles that there are. (It is synchronous: for a worker thread.)"""
        return self._life.profiles

    async def keep_login(self, session_id: str, profile: str) -> None:
        """Keep a live session's login state in a profile, its own or another, as it is now.

        Raises:
            ProfileLocked, InvalidArgument, StateFolderUnusable; and what `use` raises.
        """
        async with self.use(session_id) as live:
            await self._life.keep(self._slots[live.record.id], profile)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener` on the event loop with a live session's id whenever a step of it has its outcome or its state
        has changed. One listener; it must not wait."""
        self._life.listener = listener

    def folder(self, session_id: str) -> Path:
        """Where the film and the files of a session lie; whether there is one is not looked at."""
        return self._life.folder(session_id)

    async def files(self, session_id: str) -> list[tuple[str, int]]:
        """(name, bytes) of the session's files. Raises: UnknownSession."""
        await self.record(session_id)
        return await anyio.to_thread.run_sync(files.list_files, self._life.folder(session_id))

    async def read_file(self, session_id: str, name: str) -> bytes:
        """One of the session's files. Raises: UnknownSession, UnknownResource."""
        await self.record(session_id)
        return await anyio.to_thread.run_sync(files.read_file, self._life.folder(session_id), name)

    async def unarrived(self, session_id: str) -> tuple[str, ...]:
        """Names of downloads that are under way, or were when the browser went: those never arrive."""
        return await anyio.to_thread.run_sync(files.unarrived, self._life.folder(session_id))

    async def forget_unarrived(self, session_id: str, names: Sequence[str]) -> None:
        """They were told of, and the session goes on."""
        await anyio.to_thread.run_sync(files.forget_unarrived, self._life.folder(session_id), names)

    async def put_file(self, session_id: str, name: str, content: bytes | BinaryIO) -> None:
        """Give the session a file, to be uploaded by its name. Raises: UnknownSession, LimitReached."""
        await self.record(session_id)
        await self._has_room()
        await anyio.to_thread.run_sync(files.put_file, self._life.folder(session_id), name, content)

    # --- ends ---------------------------------------------------------------------

    async def stop(
        self, session_id: str, *, mode: Literal["graceful", "now"] = "graceful", reason: str = "user"
    ) -> SessionRecord:
        """End a session within 4 s, whoever holds it. Idempotent; who stops it again waits for the same end. One on
        another machine is `stopping` for as long as its end is not acknowledged there.

        Raises:
            UnknownSession; SessionNotLive (live in another server); CloudError: it is interrupted here, and could not
            be reached there.
        """
        slot = self._slots.get(session_id)
        if slot is None:
            record = await self._stored(session_id)
            if (slot := self._slots.get(session_id)) is None:
                return await self._stop_record(record, reason)
        self._life.end(slot, ending.stopped(reason, now=mode == "now"))
        if mode == "now":
            slot.grace.cancel()
        while not slot.ended.is_set() and not slot.is_unheard:
            await slot.next_beat()
        return slot.snapshot()

    async def _stop_record(self, record: SessionRecord, reason: str) -> SessionRecord:
        """A session without a browser here: one that could be restored is not to be any more."""
        if record.state in LIVE_STATES and record.owner != self._owner:
            raise refusals.not_live(record, owner=self._owner)
        if record.remote_id and record.state in refusals.RESTORABLE:
            # It lives on there, as far as is known: whoever ends it goes on with it first.
            try:
                await self.restore(record.id)
            except SessionNotLive:
                return await self.record(record.id)
            return await self.stop(record.id, mode="now", reason=reason)
        if record.state in LIVE_STATES or record.state == "interrupted":
            record = replace(record, state="stopped", reason=reason, updated_at=self._clock.unix())
            await self._store.put_session(record)
        return record

    async def close(self, *, deadline_s: float) -> None:
        """The server ends: every live session is saved and becomes `interrupted`. Idempotent."""
        self._closing = True
        slots = list(self._slots.values())
        with anyio.CancelScope(shield=True), anyio.move_on_after(deadline_s):
            for slot in slots:
                if slot.ending is not None:
                    slot.grace.cancel()
                self._life.end(slot, ending.interrupted(deadline_s))
            for slot in slots:
                await slot.ended.wait()
