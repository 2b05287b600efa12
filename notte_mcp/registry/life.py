"""What happens to live sessions by themselves: limits run out, logins are saved, browsers die, ends take place.

All of it runs in the registry's own task group, never in a caller's task: an
abandoned call must neither end a session nor keep one from ending. No fault in
here may take the task group down, since every session lives by it.

Below: slot, ending, saving, profiles, store.base. Above: registry.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from notte_mcp.errors import NotteMCPError, PageNotResponding
from notte_mcp.logs import Log
from notte_mcp.profiles import ProfileStore
from notte_mcp.records import SessionRecord
from notte_mcp.registry import ending, refusals
from notte_mcp.registry.clock import Clock
from notte_mcp.registry.elsewhere import Elsewhere, ended
from notte_mcp.registry.redaction import Redactor
from notte_mcp.registry.saving import merge, write_state
from notte_mcp.registry.slot import Ending, Slot
from notte_mcp.replay.recorder import Recorder, Recording
from notte_mcp.store.base import Store

SAVE_AFTER_S: Final = 0.3
"""How long after a navigation its login state is read."""

SAVE_ASIDE_AFTER_S: Final = 2.0
"""The same for a session that stands aside: most of these are over by then, and it would cost them time."""

SAVE_EVERY_S: Final = 2.0
"""Login state is written at most this often."""

_SAVE_TIMEOUT_S: Final = 5.0

_PAGES_SHARE: Final = 0.6
"""Of the time for a save: what pages have for telling their storage. One that hangs must not cost the cookies."""

log = Log("registry")


class Life:
    """See the module. `tasks` is set while the registry runs."""

    tasks: TaskGroup

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        profiles: ProfileStore,
        sessions_dir: Path,
        max_steps: int,
        recording: Recording | None,
        elsewhere: Elsewhere,
    ) -> None:
        self.slots: dict[str, Slot] = {}
        self.listener: Callable[[str], None] | None = None
        self._store = store
        self._clock = clock
        self.profiles = profiles
        self._sessions_dir = sessions_dir
        self._max_steps = max_steps
        self._recording = recording
        self._elsewhere = elsewhere
        # Of sessions that may come back in this process: what was typed before the crash stays secret after it.
        self._redactors: dict[str, Redactor] = {}

    # --- beginnings ---------------------------------------------------------------

    def folder(self, session_id: str) -> Path:
        """Where a session keeps its files and login state."""
        return self._sessions_dir / session_id

    def take_slot(self, record: SessionRecord) -> Slot:
        """A place for a session that is about to open."""
        slot = Slot(
            record,
            folder=self.folder(record.id),
            redactor=self._redactors.pop(record.id, None) or Redactor(),
            clock=self._clock,
            fail=self.fail,
            moved=self.moved,
            heard=self._tell,
            max_steps=self._max_steps,
        )
        self.slots[record.id] = slot
        return slot

    def _tell(self, session_id: str) -> None:
        if self.listener is not None:
            self.listener(session_id)

    def begun(self, slot: Slot) -> None:
        """The session has its browser: its time runs from now."""
        slot.opened_at = slot.used_at = self._clock.now()
        self._start(self._watch, slot)
        how, camera = self._recording, slot.camera
        if how is not None and slot.record.spec.record and not slot.is_aside:
            recorder = Recorder(slot.folder, how, stirred=camera.stir, tell=slot.noted.append)
            camera.recorder = recorder
            self._start(lambda _: recorder.watch_room(), slot)
        self._start(self._film, slot)

    async def _film(self, slot: Slot) -> None:
        if (browser := slot.last_browser) is not None:
            await slot.camera.run(browser)

    async def give_up(self, slot: Slot) -> None:
        """A session did not come to be: its slot and its profile are free again."""
        await slot.camera.close(slot.unusable)
        await self._release_profile(slot)
        self._leave(slot)

    async def hold_profile(self, slot: Slot) -> dict[str, Any] | None:
        """Lock the session's profile; gives the login state that is kept in it.

        Raises:
            ProfileLocked, InvalidArgument, StateFolderUnusable.
        """
        if (name := slot.record.spec.profile) is None:
            return None
        slot.profile_lock = await anyio.to_thread.run_sync(self.profiles.lock, name, slot.id)
        return await anyio.to_thread.run_sync(self.profiles.load, name)

    # --- limits -------------------------------------------------------------------

    async def _watch(self, slot: Slot) -> None:
        """Stop the session when its time is over; sleeps until that may be the case."""
        while slot.ending is None:
            at, limit = slot.expiry()
            if (left := at - self._clock.now()) <= 0:
                self.end(slot, ending.stopped(limit))
                return
            await self._clock.sleep(left)

    def taken(self, slot: Slot) -> None:
        """A person has the session: it is given back when he has gone."""
        log.info("session.taken_over", session=slot.id)
        self._start(self._until_gone, slot)

    async def _until_gone(self, slot: Slot) -> None:
        while slot.taking.is_on:
            await self._clock.sleep(slot.taking.left_s)
        self.given_back(slot)

    def given_back(self, slot: Slot) -> None:
        """The person is done, or has gone; its callers hear of what was done meanwhile."""
        if not slot.taking.is_begun:
            return
        slot.taking.end()
        first, last = slot.taking.steps + 1, slot.record.step_count
        if last >= first:
            what = f"step {first}" if first == last else f"steps {first} to {last}"
            slot.noted.append(f"a person had the session in the live view and did {what}")
        log.info("session.given_back", session=slot.id)
        slot.beat()

    # --- login state --------------------------------------------------------------

    def moved(self, slot: Slot) -> None:
        """A navigation took place: the login state is to be saved, but not too often."""
        if not slot.save_is_due:
            slot.save_is_due = True
            self._start(self._save_later, slot)

    async def _save_later(self, slot: Slot) -> None:
        # Not at once: the answer that tells of the navigation has the browser first.
        await anyio.sleep(SAVE_ASIDE_AFTER_S if slot.is_aside else SAVE_AFTER_S)
        if slot.saved_at is not None:
            await self._clock.sleep(max(0.0, slot.saved_at + SAVE_EVERY_S - self._clock.now()))
        slot.save_is_due = False
        await self.save(slot)

    async def save(self, slot: Slot, within_s: float = _SAVE_TIMEOUT_S) -> bool:
        """Write cookies and local storage into the session's folder; False where that did not work.

        `within_s` is what the browser has for telling them.
        """
        if (browser := slot.last_browser) is None:
            return False
        async with slot.saving:
            try:
                with anyio.fail_after(within_s):
                    state = await browser.storage_state(within_s=within_s * _PAGES_SHARE)
                slot.login = merge(slot.login, state)
                await anyio.to_thread.run_sync(write_state, slot.folder, slot.login)
            except (NotteMCPError, OSError) as error:  # TimeoutError is an OSError
                log.warning("login.not_saved", session=slot.id, reason=type(error).__name__)
                return False
            slot.saved_at = self._clock.now()
            record = slot.update(storage_saved_at=self._clock.unix())
            # While somebody acts, the next step's outcome brings it to the disk anyway, and must not wait behind it.
            if slot.ending is None and slot.begun is None:
                await self._store.put_session(record)
        log.debug("login.saved", session=slot.id)
        return True

    async def _save_finally(self, slot: Slot, within_s: float) -> None:
        """The last save of a clean end, into the profile too if that was asked for.

        Where the browser does not tell any more, the profile gets what it told last.
        """
        spec = slot.record.spec
        await self.save(slot, within_s)
        if spec.profile is None or not spec.save_profile or slot.ending is None or slot.ending.state != "stopped":
            return
        try:
            if slot.login is not None:
                await anyio.to_thread.run_sync(self.profiles.save, spec.profile, slot.login)
                log.info("profile.saved", session=slot.id, profile=spec.profile)
        except NotteMCPError as error:
            log.error("profile.not_saved", session=slot.id, profile=spec.profile, error=str(error))

    async def keep(self, slot: Slot, profile: str) -> None:
        """Write the login state of now into a profile, its own or another one that nobody holds.

        Raises:
            ProfileLocked, InvalidArgument, StateFolderUnusable; PageNotResponding: the browser does not tell it.
        """
        mine = slot.record.spec.profile == profile
        held = None if mine else await anyio.to_thread.run_sync(self.profiles.lock, profile, slot.id)
        try:
            if not await self.save(slot) or slot.login is None:
                raise PageNotResponding("The browser does not tell its login state.", kept="The profile is as it was.")
            await anyio.to_thread.run_sync(self.profiles.save, profile, slot.login)
        finally:
            if held is not None:
                await anyio.to_thread.run_sync(held.release)

    # --- ends ---------------------------------------------------------------------

    def end(self, slot: Slot, how: Ending) -> None:
        """Begin to end a session. The first to ask says how."""
        if slot.ending is not None:
            return
        slot.ending = how
        slot.record = replace(slot.record, state="stopping")
        slot.beat()
        self.tasks.start_soon(self._end, slot, how)

    def fail(self, slot: Slot, detail: str) -> None:
        """The session's browser is gone."""
        if slot.ending is None:
            log.warning("session.lost", session=slot.id)
        self.end(slot, ending.crashed(detail))

    def lost(self, session_id: str, detail: str) -> None:
        """An engine says that a session's browser is gone."""
        slot = self.slots.get(session_id)
        if slot is not None and slot.has_browser:
            self.fail(slot, detail)

    async def _end(self, slot: Slot, how: Ending) -> None:
        with anyio.CancelScope(shield=True):
            slot.ending = how = await self._known_there(slot, how)
            try:
                await ending.end(slot, self._store, save=self._save_finally, is_over=self._elsewhere.is_over)
            except Exception:
                log.exception("session.ended_badly", session=slot.id)
                slot.record = replace(slot.record, state=how.state, reason=how.reason)
        try:
            if slot.is_unheard:
                slot.beat()
                await self._elsewhere.until_over(slot)  # or until the server ends: the next one finds it `stopping`
                slot.is_unheard = False
        finally:
            with anyio.CancelScope(shield=True):
                await self._after(slot, how)

    async def _known_there(self, slot: Slot, how: Ending) -> Ending:
        """Of one that was lost on another machine: how it ended there, if it did; else it can be gone on with."""
        if how.state != "failed" or (stands := await self._elsewhere.heard(slot.record)) is None:
            return how
        if stands.is_live:
            return replace(how, state="interrupted", reason="connection")
        return replace(how, state="stopped", reason=ended(slot.record, stands).reason, is_there=True)

    async def _after(self, slot: Slot, how: Ending) -> None:
        """It has ended, or its server does."""
        if slot.record.state == "stopping" and not slot.is_unheard:
            slot.record = replace(slot.record, state=how.state, updated_at=self._clock.unix())
            try:
                await self._store.put_session(slot.record)
            except NotteMCPError as error:
                log.error("session.not_written", session=slot.id, error=str(error))
        await self._release_profile(slot)
        if how.state in refusals.RESTORABLE:
            self._redactors[slot.id] = slot.redactor
        self._leave(slot)
        self._filmed(slot)

    def _filmed(self, slot: Slot) -> None:
        recorder = slot.camera.recorder
        if (
            recorder is not None
            and recorder.frames
            and self._recording is not None
            and self._recording.over is not None
        ):
            self._recording.over(slot.id)

    def _leave(self, slot: Slot) -> None:
        self.slots.pop(slot.id, None)
        slot.ended.set()
        slot.beat()

    async def _release_profile(self, slot: Slot) -> None:
        if slot.profile_lock is not None:
            await anyio.to_thread.run_sync(slot.profile_lock.release)
            slot.profile_lock = None

    # --- background work ----------------------------------------------------------

    def _start(self, work: Callable[[Slot], Awaitable[None]], slot: Slot) -> None:
        self.tasks.start_soon(self._until_end, work, slot)

    async def _until_end(self, work: Callable[[Slot], Awaitable[None]], slot: Slot) -> None:
        if slot.ending is not None:
            return
        with slot.until_end():
            try:
                await work(slot)
            except Exception:
                log.exception("session.background_failed", session=slot.id)
