"""One live session's place in the registry: its record, its browser, and who does what in it.

Plain state with the rules that hold it together; nothing here opens, acts or
ends. `record` is always what the disk shall say next, whoever writes it, so
that two writers cannot undo each other; `acknowledged` is how far the disk has
got with the steps, `tail` holds the last of these, `flight` holds the steps whose outcome it does not have, and
`begun` is the number of the one that is being done; `unwanted` are the numbers of intents to be taken back.
`landmarks` are a view's number and what stood out in it. One that `is_aside` is meant by its id alone; of one that
`is_unheard` the end on another machine was asked for and is not acknowledged. `noted` is what
its callers are to be told of what went on beside it.

Below: refusals, redaction, clock, hold, taking, camera, engines.base. Above: live, batch, ending, registry.
"""

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import anyio

from notte_mcp.engines.base import BrowserSession
from notte_mcp.errors import SessionLost, SessionNotLive
from notte_mcp.profiles import ProfileLock
from notte_mcp.records import SessionRecord, SessionState, StepRecord
from notte_mcp.registry import refusals
from notte_mcp.registry.camera import Camera
from notte_mcp.registry.clock import Clock
from notte_mcp.registry.hold import Hold
from notte_mcp.registry.redaction import Redactor
from notte_mcp.registry.saving import State
from notte_mcp.registry.taking import TAKEN, Taking

SECONDS_A_MINUTE: Final = 60

TAIL_STEPS: Final = 100
"""Steps of a live session that are kept in memory, too."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session is to end: what it becomes, why, and how much patience there is (seconds).

    `grace_s` is for the action in flight, `budget_s` for everything together.
    `clean` means that login state is saved before the browser closes. `detail`
    is what is known of a crash. `is_there` says that on another machine it has ended already.
    """

    state: SessionState
    reason: str
    grace_s: float
    budget_s: float
    clean: bool
    detail: str = ""
    is_there: bool = False


@dataclass(slots=True, eq=False)
class Work:
    """What a caller is doing in a session right now; `since` is the clock's."""

    what: str
    since: float
    done: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope | None = None
    was_cut: bool = False

    def cut(self) -> None:
        """End the engine call in flight, and any that would follow it."""
        self.was_cut = True
        if self.scope is not None:
            self.scope.cancel()

    def cuttable(self, seconds: float) -> anyio.CancelScope:
        """The scope of an engine call: `cut` ends it, and it ends itself after `seconds`."""
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + seconds)
        if self.was_cut:
            self.scope.cancel()
        return self.scope


class Slot:
    """See the module. `fail` is called when the browser turns out to be gone, `moved` after a navigation, `heard` at each beat."""

    def __init__(
        self,
        record: SessionRecord,
        *,
        folder: Path,
        redactor: Redactor,
        clock: Clock,
        fail: Callable[["Slot", str], None],
        moved: Callable[["Slot"], None],
        heard: Callable[[str], None],
        max_steps: int,
    ) -> None:
        self.record = record
        self.folder = folder
        self.redactor = redactor
        self.clock = clock
        self.lock = anyio.Lock()
        self.work: Work | None = None
        self.held_since = clock.now()
        self.flight: dict[int, StepRecord] = {}
        self.begun: int | None = None
        self.unwanted: list[int] = []
        self.acknowledged = record.step_count
        self.tail: deque[StepRecord] = deque(maxlen=TAIL_STEPS)
        self.last_view: int | None = None
        self.landmarks: tuple[int, tuple[str, ...]] = (0, ())
        self.login: State | None = None
        self.saved_at: float | None = None
        self.save_is_due = False
        self.saving = anyio.Lock()
        self.profile_lock: ProfileLock | None = None
        self.recorded = False
        self.is_open = False
        self.ending: Ending | None = None
        self.grace = anyio.CancelScope()
        self.ended = anyio.Event()
        self.hold: Hold | None = None
        self.taking = Taking(clock)
        self.is_aside = False
        self.is_unheard = False
        self.camera = Camera()
        self.noted: list[str] = []
        self.opened_at = self.used_at = clock.now()
        self.fail = fail
        self.moved = moved
        self._heard = heard
        self._max_steps = max_steps
        self._browser: BrowserSession | None = None
        self._scopes: set[anyio.CancelScope] = set()
        self._pulse = anyio.Event()

    # --- what it is ---------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def has_browser(self) -> bool:
        return self._browser is not None

    @property
    def is_stopping(self) -> bool:
        """Whether the session is being ended by us, as opposed to a crash."""
        return self.ending is not None and self.ending.state != "failed"

    @property
    def browser(self) -> BrowserSession:
        """The session's browser. Raises SessionNotLive or SessionLost once the session is ending."""
        if self._browser is None or self.ending is not None:
            raise self.unusable()
        return self._browser

    @browser.setter
    def browser(self, browser: BrowserSession) -> None:
        self._browser = browser

    @property
    def last_browser(self) -> BrowserSession | None:
        """The browser whatever state the session is in, for ending it."""
        return self._browser

    def snapshot(self) -> SessionRecord:
        """The session as a reader may see it: no step and no end that is not on disk, `busy` while somebody acts."""
        state = self.record.state
        if self.ending is not None and not self.ended.is_set():
            state = "stopping"
        elif state == "ready" and self.work is not None:
            state = "busy"
        reason = TAKEN if state in ("ready", "busy") and self.taking.is_on else self.record.reason
        return replace(self.record, state=state, reason=reason, step_count=self.acknowledged)

    def listed(self) -> refusals.Live:
        """The session as a refusal names it."""
        idle_s = 0.0 if self.lock.locked() else self.clock.now() - self.used_at
        return refusals.Live(self.id, self.record.url, idle_s)

    def unusable(self, *, done: str = refusals.NOTHING_DONE) -> SessionNotLive | SessionLost:
        """Why it cannot be used any more."""
        if self.ending is not None and not self.is_stopping:
            return refusals.lost(self.snapshot(), self.redactor.text(self.ending.detail), done=done)
        becomes, because = (self.ending.state, self.ending.reason) if self.ending is not None else (None, "")
        record = self.snapshot()
        return refusals.not_live(record, owner=record.owner, done=done, becomes=becomes, because=because)

    @property
    def has_all_steps(self) -> bool:
        """Whether it may have no further step."""
        return self.record.step_count >= self._max_steps

    def require_steps(self, count: int) -> None:
        """Raises LimitReached where the session may not have so many more."""
        # Its first page it always gets: one that is restored would have none.
        if self.is_open and self.record.step_count + count > self._max_steps:
            raise refusals.out_of_steps(self.snapshot(), self._max_steps, count)

    def lost(self, detail: str, *, done: str = refusals.NOTHING_DONE) -> SessionNotLive | SessionLost:
        """The browser is gone: the session fails, and this is what its caller is told."""
        self.fail(self, detail)
        return self.unusable(done=done)

    # --- where it stands ----------------------------------------------------------

    def update(self, **changes: Any) -> SessionRecord:
        """The record brought up to date with the browser and `changes`; it is yet to be written."""
        where: dict[str, Any] = {}
        # A browser that is gone stands nowhere, and the last url is what a restore needs.
        if self._browser is not None and self._browser.alive:
            position = self._browser.position
            where = {
                "url": self.redactor.text(position.url),
                "title": self.redactor.text(position.title),
                "id_counters": dict(self._browser.id_counters),
                "remote_id": self._browser.remote_id,
            }
        self.record = replace(self.record, **{"updated_at": self.clock.unix(), **where, **changes})
        return self.record

    def beat(self) -> None:
        """Wake everyone who waits for something to change."""
        self._pulse.set()
        self._pulse = anyio.Event()
        self._heard(self.id)

    async def next_beat(self) -> None:
        """Come back at the next `beat`."""
        await self._pulse.wait()

    def steps_after(self, after: int, limit: int) -> list[StepRecord] | None:
        """Steps with a number above `after` from memory, so that who asks waits for no disk; None where that does
        not reach back so far, or where the disk is behind."""
        if any(step.state != "intended" for step in self.flight.values()):
            return None
        oldest = self.tail[0].number if self.tail else self.acknowledged + 1
        if after < oldest - 1:
            return None
        known = {step.number: step for step in (*self.flight.values(), *self.tail)}
        return [known[number] for number in sorted(known) if number > after][:limit]

    def never_begun(self) -> list[int]:
        """Take the intents that nothing was done for out of the flight; gives their numbers."""
        numbers = [n for n, step in self.flight.items() if step.state == "intended" and n != self.begun]
        for number in numbers:
            del self.flight[number]
        return numbers

    def begin(self, number: int) -> None:
        """The step of this number is being done."""
        self.begun = number
        self.camera.begun()

    def finish(self) -> None:
        """It was done, however it went."""
        self.begun = None
        self.camera.settled()

    def take_noted(self) -> tuple[str, ...]:
        """What was noted since this was last asked, for the session's callers."""
        taken = tuple(self.noted)
        self.noted.clear()
        return taken

    # --- who does what ------------------------------------------------------------

    @contextmanager
    def working(self, what: str) -> Generator[Work]:
        """A span in which a caller acts; ending the session waits for its end, then cuts it."""
        if self.ending is not None:
            raise self.unusable()
        self.work = work = Work(what, self.clock.now())
        try:
            yield work
        finally:
            self.work = None
            work.done.set()

    def doing(self) -> tuple[str, float]:
        """(what the holder does, for how many seconds)."""
        if self.work is not None:
            return self.work.what, self.clock.now() - self.work.since
        return "held by another call", self.clock.now() - self.held_since

    def expiry(self) -> tuple[float, str]:
        """When (on the clock) the session's time is over as things stand, and which limit that is."""
        spec = self.record.spec
        in_use = self.lock.locked() or (self.hold is not None and self.hold.keeps)
        used_at = self.clock.now() if in_use else max(self.used_at, min(self.clock.now(), self.taking.used_until))
        return min(
            (self.opened_at + spec.max_duration_minutes * SECONDS_A_MINUTE, "max_duration"),
            (used_at + spec.idle_timeout_minutes * SECONDS_A_MINUTE, "idle_timeout"),
        )

    # --- its end ------------------------------------------------------------------

    @contextmanager
    def until_end(self) -> Generator[None]:
        """Background work that is dropped when the session ends."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    def drop_background(self) -> None:
        """End everything that runs under `until_end`."""
        for scope in self._scopes:
            scope.cancel()
