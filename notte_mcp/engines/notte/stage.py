"""What the parts of a cloud session share: the wire, where it stands, its ids, and how its end is told.

Every question to the cloud goes through `asking`, which finds out whether the session itself is why one failed: a session
that has ended there is told with the cloud's own reason, once, and never replaced by another.

Below: client, wire, probing, naming, seeing, ending. Above: performing, pointing, session.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio

from notte_mcp.cloud_errors import (
    CloudError,
    CloudKeyRefused,
    CloudRefused,
    CloudUnavailable,
    CloudUnknown,
    CloudUnreached,
)
from notte_mcp.engines.file_bounds import Bounds
from notte_mcp.engines.notte import seeing, wire
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.ending import sounds_ended, tells_of_end, why_ended
from notte_mcp.engines.notte.naming import Book, Known, Met
from notte_mcp.engines.notte.probing import Probe, ScriptFailed
from notte_mcp.engines.notte.seeing import Sight
from notte_mcp.engines.remote import ENDED_THERE
from notte_mcp.errors import NotteMCPError, PageNotResponding, SessionLost
from notte_mcp.observations import Tab, clean_line

BLANK: Final = "about:blank"
LOOK_S: Final = 30.0
SCRIPT_S: Final = 20.0
_SETTLED_MS: Final = 3_000
_COULD_NOT: Final = 500
_NOT_SO: Final = 400
"""What is said of a request that does not fit how the session stands: that it has ended, mostly."""

_UNREACHED_S: Final = 2.0
"""How long a cloud that could not be reached, however often it was tried, is not tried again: one call asks many times."""

_FRESH_S: Final = 1.0
_JUST_S: Final = 2.0
_SEEN_WHOLE: Final = 400
"""Elements of one look that the page is asked about; of what comes after them it is told by their selectors."""


@dataclass(slots=True, eq=False)
class Stage:
    """See the module. `acted` counts the actions, `looked_at` is what it was at the last look (-1: none yet), `document`
    is the page's own name for the current one. `here` is what was asked of the page since the action that is under way. `tell_lost` is told once why the session is gone."""

    client: NotteClient
    remote_id: str
    files: Path
    book: Book
    tell_lost: Callable[[str], None]
    upload_dirs: tuple[Path, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    url: str = BLANK
    title: str = ""
    tabs: tuple[tuple[str, str], ...] = ((BLANK, ""),)
    current: int = 0
    document: str = ""
    acted: int = 0
    looked_at: int = -1
    lost: str = ""
    closed: bool = False
    viewport: tuple[int, int] = (0, 0)
    here: dict[str, Any] | None = None
    events: list[str] = field(default_factory=list[str])
    probe: Probe = field(init=False)
    _looked_at: float = 0.0
    _unreached: tuple[float, CloudUnreached] | None = None
    _fresh: dict[int, tuple[float, Mapping[str, Any]]] = field(
        default_factory=dict[int, tuple[float, Mapping[str, Any]]]
    )

    def __post_init__(self) -> None:
        self.probe = Probe(self.run)

    # --- asking the cloud -------------------------------------------------------

    @asynccontextmanager
    async def asking(self) -> AsyncGenerator[NotteClient]:
        """The client, for one question about this session.

        Raises:
            SessionLost: it has ended. CloudError.
        """
        self.still_there()
        if self._unreached is not None and anyio.current_time() < self._unreached[0]:
            raise self._cut_off(self._unreached[1])
        try:
            yield self.client
        except CloudUnreached as error:
            self._unreached = anyio.current_time() + _UNREACHED_S, error
            raise self._cut_off(error) from error
        except CloudError as error:
            self._unreached = None
            if self.closed or self.lost:
                raise self.gone() from error
            if (
                isinstance(error, CloudUnknown)
                or error.status == _NOT_SO
                or (error.status and sounds_ended(str(error)))
            ):
                await self.mourn()
            raise
        else:
            self._unreached = None

    def _cut_off(self, error: CloudUnreached) -> NotteMCPError:
        if self.closed or self.lost:
            return self.gone()
        return CloudUnreached(
            error.what,
            kept="The session is kept; in the cloud it may end by its limits meanwhile.",
            next_call="the same call in a moment; if it stays so, check NOTTE_API_URL",
        )

    async def mourn(self) -> None:
        """Ask the cloud whether the session lives.

        Raises:
            SessionLost: it does not. (Not where nobody knows.)
        """
        try:
            found = wire.session_of(await self.client.get("sessions", self.remote_id, within_s=10), self.remote_id)
        except CloudUnknown:
            self.lose("the cloud does not know it any more")
        except (CloudKeyRefused, CloudUnavailable):
            return
        else:
            if found.is_live:
                return
            self.lose(why_ended(found.state, found.close_reason))
        raise self.gone()

    def lose(self, why: str) -> None:
        """It is gone: whoever listens is told, once."""
        if not self.closed and not self.lost:
            self.lost = why
            self.tell_lost(f"{ENDED_THERE}: {why}")

    def still_there(self) -> None:
        """Raises: SessionLost."""
        if self.lost or self.closed:
            raise self.gone()

    def gone(self) -> SessionLost:
        """The error that says so."""
        why = self.lost or "it was closed"
        return SessionLost(
            f"The cloud session {self.remote_id} has ended ({why}).",
            kept="What it recorded is kept.",
            next_call='notte_start(session={"engine": "notte"}) for a new one: an ended one does not come back',
        )

    async def execute(self, action: Mapping[str, Any], *, within_s: float, **query: str | float) -> wire.Executed:
        """One action of the contract.

        Raises:
            SessionLost, CloudError.
        """
        async with self.asking() as client:
            body = await client.post(
                "sessions", self.remote_id, "page", "execute", body=action, query=query, within_s=within_s
            )
        done = wire.executed(body)
        if not done.success and (done.error_type == "BrowserExpiredError" or tells_of_end(done.message)):
            await self.mourn()
        return done

    async def run(self, code: str) -> Any:
        """A script of ours in the current tab (`probing.Run`)."""
        try:
            done = await self.execute({"type": "evaluate_js", "code": code}, within_s=SCRIPT_S)
        except CloudError as error:
            raise ScriptFailed from error
        if not done.success:
            raise ScriptFailed(done.message)
        try:
            return json.loads(done.markdown)
        except (ValueError, RecursionError) as error:
            raise ScriptFailed from error

    # --- where it stands --------------------------------------------------------

    async def ask(self, do: str, *, again: bool = True, **asked: Any) -> dict[str, Any] | None:
        """What the page answers (see `Probe.ask`); where it stands is noted."""
        found = await self.probe.ask(do, again=again, **asked)
        if found is None and self._unreached is not None:
            self.probe.wake()  # that the cloud is away says nothing of the page
        if found is not None:
            wide, high = found["view"]
            self.note(found["url"], found["title"], found["document"])
            self.viewport = (int(wide), int(high)) if wide and high else self.viewport
        return found

    async def settled(self, key: int = 0) -> dict[str, Any] | None:
        """Where the page stands once it is no longer being parsed, with what is known of an element of it."""
        self.here = await self.ask("settled", key=key, ms=_SETTLED_MS)
        return self.here

    def note(self, url: str, title: str, document: str) -> None:
        """Where the current tab stands."""
        self.url, self.title, self.document = clean_line(url, 4_000), clean_line(title, 200), document
        if self.current < len(self.tabs):
            tabs = list(self.tabs)
            tabs[self.current] = (self.url, self.title)
            self.tabs = tuple(tabs)

    async def must(self, do: str, **asked: Any) -> dict[str, Any]:
        """The page's answer.

        Raises:
            PageNotResponding: it gives none. SessionLost.
        """
        if (found := await self.ask(do, **asked)) is None:
            raise PageNotResponding(
                "The page in the cloud did not answer when it was asked about its elements.",
                next_call='the same call once more, or notte_execute with {"type": "reload"}',
            )
        return found

    async def learn_tabs(self) -> int:
        """Ask which tabs there are; gives how many more than before."""
        before = len(self.tabs)
        async with self.asking() as client:
            body = await client.get("sessions", self.remote_id, "debug", within_s=10)
        told = [wire.object_of(tab.get("metadata")) for tab in wire.objects(body.get("tabs"))]
        self.take_tabs(tuple((wire.text(tab, "url"), clean_line(wire.text(tab, "title"), 200)) for tab in told))
        return len(self.tabs) - before

    async def learn_place(self) -> None:
        """The same, and of the current one its address and title: somebody else may have led it on."""
        await self.learn_tabs()
        url, title = self.tabs[self.current]
        if url:
            self.note(url, title, self.document)

    def take_tabs(self, tabs: tuple[tuple[str, str], ...]) -> None:
        """The tabs as the cloud tells them; the current one is where the page says that it is, a new one before old."""
        if not tabs:
            return
        opened = len(tabs) > len(self.tabs)
        self.tabs = tabs
        here = [i for i, (url, _) in enumerate(tabs) if url == self.url]
        if opened or not here:
            self.current = here[-1] if here else len(tabs) - 1
        elif self.current not in here:
            self.current = here[0]

    @property
    def shown_tabs(self) -> tuple[Tab, ...]:
        """All tabs as an observation tells them."""
        return tuple(
            Tab(i, clean_line(url, 500), title, current=i == self.current) for i, (url, title) in enumerate(self.tabs)
        )

    async def look(self) -> tuple[Sight, Met]:
        """One observation, with our elements found in it.

        Raises:
            PageNotResponding, SessionLost, CloudError.
        """
        body = await self._observed()
        sight = seeing.read(body)
        self.looked_at, self._looked_at = self.acted, anyio.current_time()
        sets = [line.selectors for line in sight.lines if line.is_actable][:_SEEN_WHOLE]
        found = await self.ask("look", sets=sets)
        if found is None:
            self.note(sight.url, sight.title, "")
        self._note_closed(sight)
        self.take_tabs(sight.tabs)
        seen = sight.viewport
        self.viewport = (seen.width, seen.height) if seen.width and seen.height else self.viewport
        met = self.book.meet(sight.lines, self.url, found)
        self.document = met.document
        return sight, met

    @property
    def has_just_looked(self) -> bool:
        """Whether nothing can have been done since the last look that it does not show, as far as that goes."""
        return self.looked_at == self.acted and anyio.current_time() - self._looked_at < _JUST_S

    # --- elements ---------------------------------------------------------------

    def known_at(self, facts: Mapping[str, Any]) -> Known | None:
        """The element that the page tells of, where it was met before."""
        return self.book.met(self.document, str(facts["key"]))

    def meet(self, facts: Mapping[str, Any]) -> Known:
        """The element that the page tells of, whether it was met before or not."""
        role, name = str(facts["role"]), clean_line(str(facts["name"]))
        known = self.known_at(facts)
        if known is None:
            known = self.book.at(self.document, str(facts["key"]), role, name, self.url)
            known.key, known.tag = int(facts["key"]), str(facts["tag"])
            known.selectors = (facts["ways"]["css"], facts["ways"]["xpath"] or "", tuple(facts["ways"]["frame"]))
        known.secret = known.secret or bool(facts["secret"])
        return known

    def keep_fresh(self, facts: Mapping[str, Any]) -> None:
        """What the page has just told of an element, for the action that comes next."""
        self._fresh[int(facts["key"])] = (anyio.current_time(), facts)

    def take_fresh(self, known: Known) -> Mapping[str, Any] | None:
        """The same, where it is new enough and the element stands in view; it is given once."""
        at, facts = self._fresh.pop(known.key, (0.0, {}))
        self._fresh.clear()
        if not facts or known.document != self.document or anyio.current_time() - at > _FRESH_S:
            return None
        box: Any = facts.get("box")
        width, height = self.viewport
        return (
            facts
            if box and box[1] >= 0 and box[0] >= 0 and box[0] + box[2] <= width and box[1] + box[3] <= height
            else None
        )

    async def _observed(self) -> dict[str, Any]:
        asked = {"perception_type": "fast"}
        try:
            async with self.asking() as client:
                return await client.post("sessions", self.remote_id, "page", "observe", body=asked, within_s=LOOK_S)
        except CloudRefused as error:
            if error.status != _COULD_NOT:
                raise
            raise PageNotResponding(
                f"The page in the cloud could not be looked at: {clean_line(error.what, 300)}",
                kept="The session and its other tabs are kept.",
                next_call='notte_execute with {"type": "goto", "url": ...} or {"type": "reload"}',
            ) from error

    def _note_closed(self, sight: Sight) -> None:
        if sight.tabs and len(sight.tabs) < len(self.tabs):
            self.events.append(f"{len(self.tabs) - len(sight.tabs)} tab(s) closed by themselves")
