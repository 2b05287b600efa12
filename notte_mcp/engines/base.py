"""The engine contract: what a browser must be able to do, whoever runs it.

An engine opens sessions; a session performs actions and gives observations. All
arguments and results are plain values, so a session may as well live in another
process or on another machine. Vendor exceptions end at this border: an action
that failed is a `Receipt` with `success=False`; only what ends or blocks the
session itself is raised, as one of our errors.

One contract suite (tests/contracts/test_engine.py) runs over every
implementation. Below: the nouns. Above: registry, app.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from notte_mcp.actions import Action
from notte_mcp.engines.described import Described
from notte_mcp.engines.remote import Remote
from notte_mcp.frames import FrameListener
from notte_mcp.observations import Mode, Observation, Tab
from notte_mcp.receipts import Box, Receipt
from notte_mcp.records import SessionSpec

COMING: Final = "coming"
"""In a session's folder: an empty file of its name for each download that is under way. What is left there once the
browser is gone did not arrive."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """What a session starts from.

    `folder` is the session's own (mode 0700): `folder/files` holds downloads
    and what may be uploaded. `storage_state` is Playwright's form (cookies and
    origins with local storage), from a profile or from an interrupted session.
    `id_counters` are the last numbers given per id letter, so that a restored
    session never gives an old id to another element. `remote_id` names a session
    that is open on another machine already, to be gone on with.
    """

    session_id: str
    spec: SessionSpec
    folder: Path
    storage_state: dict[str, Any] | None = None
    id_counters: dict[str, int] = field(default_factory=dict[str, int])
    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class ObserveRequest:
    """What to look at.

    `view` is the number this look gets. With mode `changes`, `since` is the
    view to compare with; a page that view does not know is given whole, with its
    text. `max_tokens` bounds the result as `estimate_tokens` counts.
    """

    view: int
    mode: Mode = "actions"
    since: int | None = None
    find: str | None = None
    cursor: str | None = None
    max_tokens: int = 2_000


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """What is known of an action's target before the batch starts.

    `secret` is the NAME a value for it goes by, where the target takes a
    password, a one-time code or a card number. `known` is false for a
    selector, which is looked at only at its turn.
    """

    secret: str | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """The one element that a selector matches: its role and name, as an observation would tell them."""

    role: str
    name: str


@dataclass(frozen=True, slots=True)
class Scraped:
    """A page or a part of it as markdown. `omitted` says that the page was larger than the engine reads."""

    url: str
    title: str
    markdown: str
    omitted: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a session stands. Never waits for the page."""

    url: str
    title: str
    tabs: tuple[Tab, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """What a person points at, or types into: an element that has got an id by this.

    `box` is in CSS px of the viewport. `editable` says that it takes text; `value` is what it holds then and `caret`
    the part of it that is selected (two offsets; equal where only the caret stands there; the end where the browser does
    not tell, as of numbers). Both are None where the field takes a secret, which `secret` gives the NAME of.
    """

    id: str
    role: str
    name: str
    box: Box
    editable: bool = False
    secret: str | None = None
    value: str | None = None
    caret: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Hand:
    """How a person's hand does an action, where that is known better than the action says.

    `point` is where in the viewport (CSS px) a click, a double click, a hover or the wheel goes; `to` is where a drag ends.
    `text` is typed where the caret stands, and the fill names the whole value that is to be expected of it; into a field
    that takes a secret, or is set and not typed (a date), that whole value goes. A hand without any of these is the
    keyboard's: a key goes to what has the focus, which the receipt names, with its value where the key changed it.
    """

    point: tuple[float, float] | None = None
    to: tuple[float, float] | None = None
    text: str | None = None


class BrowserSession(Protocol):
    """One live browser session. One caller at a time (the registry's lock sees to it), but for
    `position`, `alive`, `take_events` and `close`, which never wait for anyone, and
    `storage_state` and `film`, which may run beside an action (in the background)."""

    @property
    def alive(self) -> bool:
        """Whether the browser behind it still answers as far as is known."""
        ...

    @property
    def remote_id(self) -> str:
        """The engine's own id of a session that lives on another machine; empty where it lives on this one."""
        ...

    @property
    def position(self) -> Position:
        """The last known url, title and tabs."""
        ...

    @property
    def id_counters(self) -> dict[str, int]:
        """The last number given per id letter."""
        ...

    async def check(self, actions: Sequence[Action]) -> list[TargetCheck]:
        """Look at every id that the actions name, without touching the page.

        Raises:
            UnknownElement: an id that was never shown.
            StaleElement: an id whose element is gone and has no single heir.
            SessionLost: the browser is gone.
        """
        ...

    async def find(self, selectors: Sequence[str]) -> list[Found | None]:
        """What each selector (Playwright's form, through frames) matches now; None where that is nothing, more
        than one element, or the selector is none. Touches nothing and waits for nothing.

        Raises:
            PageNotResponding, SessionLost.
        """
        ...

    async def describe(self, ids: Sequence[str]) -> list[Described | None]:
        """The elements behind ids as their documents spell them; None for one that is gone. Touches nothing.

        Of what has no id (a text, a disabled element) the `key` of its node in the last view may be given; None then
        also where there is nothing to tell of it.

        Raises:
            UnknownElement, PageNotResponding, SessionLost.
        """
        ...

    async def perform(self, action: Action, *, timeout_ms: int, hand: Hand | None = None) -> Receipt:
        """Do one action and wait until it is over (design: "When is an action over?").

        `timeout_ms` caps the action's own. A failure is a receipt. With `hand` a person does it, to the point.

        Raises:
            SessionLost: the browser is gone; whether the action happened is unknown.
        """
        ...

    async def observe(self, request: ObserveRequest) -> Observation:
        """The current tab as a view.

        Raises:
            UnknownView: the cursor's view is gone.
            PageNotResponding, PageCrashed, SessionLost.
        """
        ...

    async def scrape(self, *, selector: str | None, only_main_content: bool, links: bool, images: bool) -> Scraped:
        """The current tab as markdown, what is not rendered left out.

        Raises:
            SelectorNotFound, SelectorAmbiguous, PageNotResponding, SessionLost.
        """
        ...

    async def screenshot(self, *, marks: bool) -> bytes:
        """The viewport as a JPEG of at most 300 kB; with `marks` the shown ids are drawn on it."""
        ...

    async def spot(self, point: tuple[float, float] | None) -> Spot | None:
        """What stands at a point of the viewport (CSS px), or (None) what has the focus; None where that is nothing.

        Raises:
            PageNotResponding, SessionLost.
        """
        ...

    async def film(self, listener: FrameListener | None) -> None:
        """Give every frame that the current tab paints to `listener`, whichever tab is the current one; None ends it.

        The first one comes at once, the next when something has changed, no sooner than the listener wants it, but for
        one of what an action may be about to leave (`Frame.asked`), which the action waits for. Asked again with the
        same listener while it films, it does not wait any more for what the listener said: what was painted meanwhile
        comes at once. May run beside anything else, and costs nothing while nothing is painted.

        Raises:
            SessionLost.
        """
        ...

    async def storage_state(self, *, within_s: float = 4.0) -> dict[str, Any]:
        """Cookies and the live frames' local storage, in Playwright's form.

        An origin that is open and holds nothing is given with an empty list, so
        that what an earlier save knew of it can be forgotten. One whose page does not
        tell it within `within_s` is left out; cookies are told by the browser, whatever its pages do.
        """
        ...

    async def set_cookies(self, cookies: Sequence[dict[str, Any]]) -> None:
        """Add cookies, in Playwright's form; one of the same name, domain and path is replaced.

        Raises:
            InvalidArgument: one of them is none; SessionLost.
        """
        ...

    async def locate(self) -> None:
        """Learn where it stands, where somebody else may move it on another machine; no page is touched. One of this
        machine knows.

        Raises:
            SessionLost, CloudError.
        """
        ...

    def take_events(self) -> tuple[str, ...]:
        """What happened outside of any action since this was last asked, one line each: a dialog
        that opened by itself, a tab that the page closed, a renderer that crashed. Never waits."""
        ...

    async def close(self, *, deadline_s: float, keep: bool = False) -> None:
        """End it within `deadline_s`: first gracefully, then by force. Never raises. With `keep` one that lives on
        another machine is let go of and lives on there; a session of this machine ends all the same."""
        ...


LostListener = Callable[[str, str], None]
"""Called with (session id, what is known of why) when a session's browser is gone."""


class Engine(Protocol):
    """Opens sessions. One per server."""

    @property
    def name(self) -> str:
        """`local` or `notte`."""
        ...

    async def open(self, request: OpenRequest) -> BrowserSession:
        """A new session with one empty tab.

        Raises:
            BrowserMissing, BrowserLaunchFailed, LimitReached.
        """
        ...

    async def remote(self, remote_id: str) -> Remote | None:
        """What the engine knows of a session on another machine; None where its sessions live on this one.

        Raises:
            CloudKeyMissing.
        """
        ...

    def on_lost(self, listener: LostListener) -> None:
        """Call `listener` on the event loop once for each session whose browser goes away without `close`.

        One listener; nothing is called for sessions that are being closed.
        """
        ...

    async def close(self, *, deadline_s: float) -> None:
        """End every session and every process of this engine. Never raises."""
        ...
