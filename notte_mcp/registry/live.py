"""A session while a caller holds it: look, act, read.

Everything that leaves here has passed the session's redactor, and every engine
call can be ended from outside, so that no caller makes another one wait for
longer than a stop may take.

Below: slot, batch, engines.base, store.base. Above: registry.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import anyio

from notte_mcp.actions import Action, PressKey, Scrape, WaitFor
from notte_mcp.engines.base import BrowserSession, Found, Hand, ObserveRequest, Scraped, Spot
from notte_mcp.engines.described import Described
from notte_mcp.errors import PageNotResponding, SessionLost
from notte_mcp.observations import MAX_LANDMARKS, Mode, Observation, landmarks_after
from notte_mcp.receipts import Receipt
from notte_mcp.records import Actor, SessionRecord
from notte_mcp.registry import refusals
from notte_mcp.registry.batch import Batch, OnError, Run
from notte_mcp.registry.noting import Deed, note_done
from notte_mcp.registry.portrait import Portrait, portray
from notte_mcp.registry.slot import Slot
from notte_mcp.store.base import Store

T = TypeVar("T")

LOOK_S: Final = 25.0
"""How long an engine may take for a look of any kind, whatever limits it has of its own."""

_TAKEN: Final = "a person has taken over (live view): you may observe, and act once it is given back"


def _writes(key: str) -> bool:
    """Whether a key by itself puts a character into a field."""
    bare = key.removeprefix("Shift+") or key
    return len(bare) == 1 or bare == "Space"


class LiveSession:
    """See the module. Lives between entering and leaving `Registry.use`, and for one task."""

    def __init__(self, slot: Slot, store: Store) -> None:
        self._slot = slot
        self._store = store
        self._events: tuple[str, ...] = ()

    @property
    def record(self) -> SessionRecord:
        """The session as it stands."""
        return self._slot.snapshot()

    @property
    def events(self) -> tuple[str, ...]:
        """What happened outside of any action since a holder last asked (dialogs, crash, closed tabs, no more film)."""
        if (browser := self._slot.last_browser) is not None:
            self._events += self._slot.redactor(browser.take_events()) + self._slot.take_noted()
        if not self._slot.taking.is_on or _TAKEN in self._events:
            return self._events
        self._events += (_TAKEN,)
        return self._events

    def redacted(self, value: T) -> T:
        """A copy of `value` without what was typed as a secret in this session."""
        return self._slot.redactor(value)

    async def observe(
        self,
        *,
        mode: Mode = "actions",
        since: int | None = None,
        find: str | None = None,
        cursor: str | None = None,
        max_tokens: int = 2_000,
        own: bool = False,
    ) -> Observation:
        """A view, numbered; `changes` are since the session's last view unless `since` says otherwise.

        An agent's `own` look is no view of the callers': what changed for them is counted from before it.

        Raises:
            UnknownView, PageNotResponding, PageCrashed, SessionNotLive, SessionLost, StoreUnusable.
        """
        slot = self._slot
        if mode == "changes" and since is None:
            since = slot.last_view
        request = ObserveRequest(slot.record.view + 1, mode, since, find, cursor, max_tokens)
        seen = await self._look("observe", lambda browser: browser.observe(request))
        await self._remember(seen, own=own, landmarks=None if find or cursor else self._landmarks(seen))
        return slot.redactor(seen)

    async def portray(self) -> Portrait:
        """The whole page at once, as a view of its callers (see `portrait`). Raises: as `observe`."""
        slot = self._slot
        view = slot.record.view + 1
        found = await self._look("observe", lambda browser: portray(browser, view))
        await self._remember(found.seen, own=False, landmarks=self._landmarks(found.seen))
        return slot.redactor(found)

    async def execute(
        self,
        actions: Sequence[Action],
        *,
        on_error: OnError = "stop",
        deadline_s: float,
        actor: Actor = "assistant",
        by: str | None = None,
        heard: Callable[[Receipt], None] | None = None,
        hand: Hand | None = None,
    ) -> Batch:
        """Validate all ids, write all intents in one commit, act, write each outcome.

        Starts no action later than `deadline_s` from now; stops at the first
        failure (or not), and at a navigation when a later action names an id of
        the page that was left. `by` is the id of the agent that acts (None: a
        caller). Where an agent has the session, its hold says who may act. `heard` is told each receipt as soon as
        it is on disk, so that it is known of those before a loss, too; it must not wait. A person (`human`) acts
        in a session that was taken over, one action at a time, which `hand` says more of.

        Raises:
            SessionBusy: an agent or a person has the session and lets nobody else act; nothing was done.
            InvalidAction: a person typed a character of a secret by itself; nothing was done.
            LimitReached: the session has no room for so many more steps; nothing was done.
            UnknownElement, StaleElement, UnsupportedUrl, UploadRefused: nothing was done.
            SessionNotLive, PageNotResponding: nothing was done.
            SessionLost: the text says what was done; the step in flight is `outcome_unknown`.
            StoreUnusable: the text says whether anything was done.
        """
        hold = self._slot.hold
        if (refusal := self._slot.taking.refusal(self._slot.id, actor)) is not None:
            raise refusal
        if actor == "human":
            hand = await self._by_hand(actions, hand)
        elif hold is not None and (refusal := hold.refusal(by)) is not None:
            raise refusal
        self._slot.require_steps(len(actions))
        ends_at = self._slot.clock.now() + deadline_s
        with self._slot.working("execute") as work:
            run = Run(
                self._slot,
                self._store,
                work,
                actions,
                actor=actor,
                ends_at=ends_at,
                hold=hold,
                by=by,
                heard=heard,
                hand=hand,
            )
            return await run.all(on_error=on_error)

    async def _by_hand(self, actions: Sequence[Action], hand: Hand | None) -> Hand:
        """The hand of a person who does this.

        Raises:
            InvalidAction: it would type a character of a secret, which its record would tell.
        """
        self._slot.taking.act()
        action = actions[0]
        if len(actions) > 1:
            raise ValueError("a hand does one action at a time")
        if isinstance(action, PressKey) and _writes(action.key):
            seen = await self._look("spot", lambda browser: browser.spot(None))
            if seen is not None and seen.secret is not None:
                raise refusals.secret_by_key(self._slot.id, seen.secret)
        return hand or Hand()

    async def spot(self, point: tuple[float, float] | None) -> Spot | None:
        """What stands at a point of the viewport, or has the focus (see `BrowserSession.spot`)."""
        found = await self._look("spot", lambda browser: browser.spot(point))
        known = self._slot.record.id_counters
        await self._keep_ids(self._slot.update(), known)
        return self._slot.redactor(found)

    async def scrape(
        self, *, selector: str | None = None, only_main_content: bool = True, links: bool = False, images: bool = False
    ) -> Scraped:
        """The current tab as markdown (see `BrowserSession.scrape`)."""
        scraped = await self._look(
            "scrape",
            lambda browser: browser.scrape(
                selector=selector, only_main_content=only_main_content, links=links, images=images
            ),
        )
        return self._slot.redactor(scraped)

    async def note_scrape(self, action: Scrape, found: Scraped) -> None:
        """Put a scrape on record as a step, so that a script can do it again. Where an agent has the session its steps
        are the agent's own, and it stays a look.

        Raises: SessionNotLive, SessionLost, StoreUnusable.
        """
        if self._slot.hold is not None or self._slot.has_all_steps:
            return
        said = f"Scraped {len(found.markdown)} characters"
        receipt = Receipt(action.type, success=True, message=said, url_before=found.url, url_after=found.url)
        ends_at = self._slot.clock.now() + LOOK_S
        with self._slot.working("scrape") as work:
            run = Run(self._slot, self._store, work, [action], actor="assistant", ends_at=ends_at, known=receipt)
            await run.all(on_error="stop")

    async def note_done(self, deed: Deed, *, actor: Actor) -> None:
        """Put on record what somebody else did in the session: it is a step of the agent that has it.

        Raises: LimitReached, SessionNotLive, SessionLost, StoreUnusable.
        """
        with self._slot.working("note"):
            await note_done(self._slot, self._store, deed, actor=actor)

    async def screenshot(self, *, marks: bool) -> bytes:
        """The viewport as a JPEG (see `BrowserSession.screenshot`)."""
        return await self._look("screenshot", lambda browser: browser.screenshot(marks=marks))

    async def find(self, selectors: Sequence[str]) -> list[Found | None]:
        """The one element that each selector matches now, if any (see `BrowserSession.find`)."""
        return self._slot.redactor(await self._look("find", lambda browser: browser.find(selectors)))

    async def describe(self, names: Sequence[str]) -> list[Described | None]:
        """Elements as their documents spell them (see `BrowserSession.describe`)."""
        return self._slot.redactor(await self._look("describe", lambda browser: browser.describe(names)))

    async def cookies(self) -> list[dict[str, Any]]:
        """The session's cookies with their values, in Playwright's form; what was typed as a secret is taken out."""
        state = await self._look("cookies", lambda browser: browser.storage_state())
        return self._slot.redactor(list[dict[str, Any]](state["cookies"]))

    async def set_cookies(self, cookies: Sequence[dict[str, Any]]) -> None:
        """Add cookies, in Playwright's form (see `BrowserSession.set_cookies`). It is no step: no page is touched.

        Raises:
            InvalidArgument: one of them is none; and as looks do.
        """
        await self._look("cookies", lambda browser: browser.set_cookies(cookies))

    async def locate(self) -> None:
        """Learn where it stands while somebody else leads it, on another machine. Raises: as looks do."""
        await self._look("locate", lambda browser: browser.locate())
        self._slot.update()
        self._slot.beat()

    async def met(self, condition: WaitFor) -> bool:
        """Whether it came about in its time. It changes nothing, so it is no step. Raises: as looks do, and where its
        time is longer than `LOOK_S`."""
        receipt = await self._look("wait", lambda browser: browser.perform(condition, timeout_ms=condition.timeout_ms))
        return receipt.success

    async def _look(self, what: str, call: Callable[[BrowserSession], Awaitable[T]]) -> T:
        """An engine call that changes nothing: bounded, and cut when the session ends."""
        slot = self._slot
        with slot.working(what) as work:
            try:
                with work.cuttable(LOOK_S):
                    return await call(slot.browser)
            except SessionLost as error:
                raise slot.lost(error.what) from error
        if slot.ending is not None:
            raise slot.unusable()
        raise PageNotResponding(
            f"The page did not answer within {LOOK_S:.0f} s.",
            kept="The session is live.",
            next_call='notte_execute with [{"type": "reload"}] or a goto: navigation ends a hung script',
        )

    def _landmarks(self, seen: Observation) -> tuple[str, ...]:
        """What stands out in the page as a look of any kind leaves it known; nothing with a secret in it."""
        redactor, (view, known) = self._slot.redactor, self._slot.landmarks
        same = seen.changes is not None and seen.changes.since == view
        found = landmarks_after(known if same else (), seen)
        record = self._slot.record
        if seen.mode == "actions" and seen.changes is None and redactor.text(seen.url) == record.url:
            # Such a look tells no plain texts: what a look before it told, with no step since, is not gone.
            found = tuple(dict.fromkeys((*record.seen, *found)))[:MAX_LANDMARKS]
        return tuple(text for text in found if redactor.text(text) == text)

    async def _remember(self, seen: Observation, *, own: bool, landmarks: tuple[str, ...] | None) -> None:
        """The view's number, and what stood out where the whole page was looked at; and the ids it gave out, on disk
        before anyone uses them.

        After a crash an id must not be given to another element. A view number or a landmark
        alone is not worth a commit: it is written with the next step.
        """
        slot = self._slot
        known = slot.record.id_counters
        if not own:
            slot.last_view = seen.view
        if landmarks is not None:
            slot.landmarks = seen.view, landmarks
        title = slot.redactor.text(seen.title)
        stood_out = slot.record.seen if landmarks is None else landmarks
        await self._keep_ids(slot.update(view=max(slot.record.view, seen.view), title=title, seen=stood_out), known)

    async def _keep_ids(self, record: SessionRecord, known: dict[str, int]) -> None:
        """The record on disk, where ids were given that its counters did not know."""
        if record.id_counters != known and self._slot.ending is None:
            with anyio.CancelScope(shield=True):
                await self._store.put_session(record)
