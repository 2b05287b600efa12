"""A session over scripted pages: one tab, no layout, and nothing happens in it by itself.

Below: pages, engines.base. Above: engine.
"""

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from notte_mcp import actions as a
from notte_mcp.engines.base import (
    Found,
    Hand,
    ObserveRequest,
    OpenRequest,
    Position,
    Scraped,
    Spot,
    TargetCheck,
)
from notte_mcp.engines.scripted.book import Book, matching, target_of
from notte_mcp.engines.scripted.drawing import ScriptedFilm, at_point, picture
from notte_mcp.engines.scripted.hands import Caret, pointed_at
from notte_mcp.engines.scripted.pages import (
    BLANK,
    Document,
    LiveElement,
    ScriptedElement,
    ScriptedPage,
    View,
    changes_between,
    check_url,
    secret_of,
)
from notte_mcp.engines.scripted.spelling import Spelling
from notte_mcp.errors import SelectorNotFound, SessionLost, StaleElement, UnknownElement, UnknownView
from notte_mcp.frames import FrameListener
from notte_mcp.observations import Node, Observation, Tab, clean_line, estimate_tokens
from notte_mcp.receipts import Receipt, Target


class ScriptedSession(Spelling):
    """See `BrowserSession`. `cookies` is its login state, `performed` what was done to the page, in order, and
    `acting` says that an action is under way."""

    def __init__(self, pages: Mapping[str, ScriptedPage], request: OpenRequest) -> None:
        self.cookies: list[Any] = list((request.storage_state or {}).get("cookies", ()))
        self.performed: list[a.Action] = []
        self.happened: list[str] = []
        self.acting = False
        self.alive = True
        self.closed = False
        self._pages = pages
        self._book = Book(request.id_counters)
        self._keys = itertools.count(1)
        self._cursors: dict[str, tuple[View, int, ObserveRequest]] = {}
        self._views: dict[int, View] = {}
        self._film: ScriptedFilm | None = None
        self._caret = Caret()
        self._scope = anyio.CancelScope()
        self._history = [self._document(BLANK)]
        self._at = 0

    # --- what is known without waiting ------------------------------------------

    @property
    def _here(self) -> Document:
        return self._history[self._at]

    @property
    def position(self) -> Position:
        if not self.alive:
            return Position("", "", ())
        here = self._here
        return Position(here.url, here.page.title, (Tab(0, here.url, here.page.title, current=True),))

    @property
    def id_counters(self) -> dict[str, int]:
        return dict(self._book.counters)

    def take_events(self) -> tuple[str, ...]:
        taken, self.happened = tuple(self.happened), []
        return taken

    def lose(self) -> None:
        """The browser is gone, in the middle of whatever it does."""
        self.alive = False
        if self._film is not None:
            self._film.end()
        self._scope.cancel()

    # --- acting ------------------------------------------------------------------

    async def check(self, actions: Sequence[a.Action]) -> list[TargetCheck]:
        self._still_there()
        return [self._check(action) for action in actions]

    def _check(self, action: a.Action) -> TargetCheck:
        if isinstance(action, a.Goto | a.GotoNewTab):
            check_url(action.url)
        found = [
            self._book.by_id(self._here, named)[0] for key in ("id", "to_id") if (named := getattr(action, key, None))
        ]
        if not found:
            return TargetCheck(known=getattr(action, "selector", None) is None)
        return TargetCheck(secret=secret_of(found[0]))

    async def find(self, selectors: Sequence[str]) -> list[Found | None]:
        self._still_there()
        found = [matching(self._here, selector) for selector in selectors]
        return [Found(hit[0].script.role, hit[0].script.name) if len(hit) == 1 else None for hit in found]

    async def spot(self, point: tuple[float, float] | None) -> Spot | None:
        self._still_there()
        live = self._caret.live if point is None else pointed_at(self._here, point)
        if live is None or live not in self._here.elements:
            return None
        self._book.shown(live, anyhow=True)
        return self._caret.spot(self._here, live)

    async def film(self, listener: FrameListener | None) -> None:
        if self._film is not None:
            self._film.end()
        if listener is not None:
            self._still_there()
        self._film = None if listener is None else ScriptedFilm(lambda: self._here, listener)

    async def perform(self, action: a.Action, *, timeout_ms: int, hand: Hand | None = None) -> Receipt:
        self._still_there()
        before, begun = self._here, time.time()
        allowed_ms = min(timeout_ms, getattr(action, "timeout_ms", timeout_ms))
        receipt = Receipt(action.type, success=False, code="action_timeout", message=f"not done within {allowed_ms} ms")
        with anyio.CancelScope(deadline=anyio.current_time() + allowed_ms / 1000) as self._scope:
            self.acting = True
            try:
                receipt = await (self._do(action) if hand is None else self._by_hand(action, hand))
            except (StaleElement, UnknownElement, SelectorNotFound) as error:
                receipt = Receipt(action.type, success=False, code=error.code, message=str(error))
            finally:
                self.acting = False
        self._still_there()
        if self._film is not None:
            self._film.changed()
        self.performed.append(action)
        moved = self._here is not before
        status = self._here.page.status if moved else None
        return receipt.but(
            url_before=before.url, url_after=self._here.url, navigated=moved, status=status,
            acted_at=receipt.acted_at or (begun if receipt.success else time.time()),
        )  # fmt: skip

    async def _by_hand(self, action: a.Action, hand: Hand) -> Receipt:
        done = Receipt(action.type, success=True, acted_at=time.time())
        match action:
            case a.Click() | a.DoubleClick() | a.Hover() | a.Drag() if hand.point is not None:
                return await self._pointed(action, hand.point, hand.to, done)
            case a.Fill() if hand.text is not None:
                live, healed = self._book.meant(self._here, action)
                if secret_of(live) is not None:
                    return await self._do(action)
                self._caret.put(live)
                self._caret.type(hand.text)
                return done.but(target=self._aimed(live, action), healed=healed, value=live.value)
            case a.PressKey() if action.id is None:
                if (live := self._caret.live) is None:
                    return done
                changed, secret = self._caret.press(action.key), secret_of(live)
                value = live.value if changed and not secret else None
                return done.but(target=self._aimed(live, action), secret=secret, value=value)
            case _:
                return await self._do(action)

    async def _pointed(
        self, action: a.Action, point: tuple[float, float], to: tuple[float, float] | None, done: Receipt
    ) -> Receipt:
        if (live := pointed_at(self._here, point)) is None:
            return done.but(success=False, code="not_actionable", message="the point is outside the page")
        onto = None if to is None else pointed_at(self._here, to)
        done = done.but(target=self._aimed(live, action), destination=onto and self._aimed(onto, action))
        if isinstance(action, a.Hover | a.Drag) or live is not at_point(self._here, point):
            return done
        self._caret.put(live)
        return await self._click(live, done)

    def _aimed(self, live: LiveElement, action: a.Action) -> Target:
        self._book.shown(live, anyhow=True)
        return target_of(self._here, live, action)

    async def _do(self, action: a.Action) -> Receipt:
        done = Receipt(action.type, success=True)
        match action:
            case a.Goto() | a.GotoNewTab() | a.GoBack() | a.GoForward() | a.Reload():
                return await self._go(action, done)
            case a.Wait():
                await anyio.sleep(action.time_ms / 1000)
            case a.WaitFor():
                if not self._here.says(action.value or ""):
                    await anyio.sleep_forever()  # nothing changes by itself here: only the timeout ends this
            case a.EvaluateJs():
                return done.but(data=self._here.page.title)
            case a.HandleDialog() | a.ScrollUp() | a.ScrollDown() | a.Help() | a.Completion():
                pass
            case _ if getattr(action, "id", None) or getattr(action, "selector", None):
                return await self._act(action, done)
            case _:
                return done.but(success=False, code="action_failed", message=f"scripted pages cannot {action.type}")
        return done

    async def _go(self, action: a.Action, done: Receipt) -> Receipt:
        if isinstance(action, a.Goto | a.GotoNewTab):
            return await self._load(action.url, done)
        if isinstance(action, a.Reload):
            self._history[self._at] = self._document(self._here.url)
            return done
        step = -1 if isinstance(action, a.GoBack) else 1
        if not 0 <= self._at + step < len(self._history):
            return done.but(success=False, code="action_failed", message="there is no such page in the history")
        self._at += step
        return done

    async def _act(self, action: a.Action, done: Receipt) -> Receipt:
        live, healed = self._book.meant(self._here, action)
        done = done.but(target=target_of(self._here, live, action), healed=healed, acted_at=time.time())
        if live.script.disabled:
            return done.but(success=False, code="not_actionable", message=f'"{live.script.name}" is disabled')
        if live.script.gate is not None:
            await live.script.gate.wait()
        match action:
            case a.Fill() | a.FallbackFill() | a.MultiFactorFill():
                live.value = action.value if action.clear_before_fill else live.value + action.value
                self._caret = Caret(live, len(live.value), len(live.value))
                secret = secret_of(live)
                return done.but(secret=secret, value=None if secret else live.value)
            case a.Check():
                live.checked = action.value
            case a.SelectDropdownOption() if action.value not in live.script.options:
                return done.but(success=False, code="action_failed", message=f"there is no option {action.value!r}")
            case a.SelectDropdownOption():
                live.value = action.value
                return done.but(value=live.value)
            case a.Click() | a.DoubleClick():
                return await self._click(live, done)
            case _:
                pass
        return done

    async def _click(self, live: LiveElement, done: Receipt) -> Receipt:
        if live.script.becomes is not None:
            place = self._here.elements.index(live)
            self._here.elements[place : place + 1] = [self._loaded(element) for element in live.script.becomes]
        return done if live.script.href is None else await self._load(live.script.href, done)

    async def _load(self, url: str, done: Receipt) -> Receipt:
        if (page := self._pages.get(url)) is None and url != BLANK:
            return done.but(success=False, code="page_load_failed", message=f"{url} does not answer")
        if page is not None and page.gate is not None:
            await page.gate.wait()
        self._history[self._at + 1 :] = [self._document(url)]
        self._at += 1
        return done

    # --- elements ----------------------------------------------------------------

    def _document(self, url: str) -> Document:
        page = self._pages.get(url, ScriptedPage(""))
        return Document(url, page, [self._loaded(element) for element in page.elements])

    def _loaded(self, script: ScriptedElement) -> LiveElement:
        return LiveElement(script, str(next(self._keys)), script.value)

    # --- looking -----------------------------------------------------------------

    async def observe(self, request: ObserveRequest) -> Observation:
        self._still_there()
        if request.cursor is not None:
            if (kept := self._cursors.get(request.cursor)) is None:
                raise UnknownView(f"Cursor {request.cursor} is unknown.", next_call="notte_observe")
            return self._fitting(*kept, max_tokens=request.max_tokens)
        for live in self._here.elements:
            self._book.shown(live)
        texts = [
            Node(f"t{n}", "text", "text", clean_line(line, 400))
            for n, line in enumerate(self._here.page.text)
            if request.mode == "page" or request.find
        ]
        now = View(self._here, (*(live.node() for live in self._here.elements), *texts))
        self._views[request.view] = now
        then = self._views.get(request.since or 0)
        if request.mode == "changes" and then is not None and then.document is self._here:
            return self._observation(request, request.view, changes=changes_between(request.since or 0, then, now))
        if request.find is not None:
            wanted = request.find.lower()
            now = View(now.document, tuple(node for node in now.nodes if wanted in node.name.lower()))
        return self._fitting(now, 0, request, max_tokens=request.max_tokens)

    def _fitting(self, view: View, begin: int, request: ObserveRequest, *, max_tokens: int) -> Observation:
        """As many of a view's nodes, from `begin` on, as `max_tokens` allow, but one at least."""
        spent, end = 0, begin
        for node in view.nodes[begin:]:
            spent += estimate_tokens(f'{node.id} {node.role} "{node.name}" {node.value} {node.options}')
            if spent > max_tokens and end > begin:
                break
            end += 1
        omitted = len(view.nodes) - end
        cursor = f"c{len(self._cursors) + 1}" if omitted else None
        if cursor is not None:
            self._cursors[cursor] = (view, end, request)
        return self._observation(request, request.view, nodes=view.nodes[begin:end], omitted=omitted, cursor=cursor)

    def _observation(self, request: ObserveRequest, view: int, **content: Any) -> Observation:
        here = self.position
        whole = "changes" not in content
        return Observation(here.url, here.title, here.tabs, request.mode, view, whole=whole, **content)

    async def scrape(self, *, selector: str | None, only_main_content: bool, links: bool, images: bool) -> Scraped:
        del only_main_content, links, images
        self._still_there()
        if selector is not None:
            raise SelectorNotFound(f"Selector {selector!r} matches nothing.", next_call="notte_scrape without it")
        page = self._here.page
        return Scraped(self._here.url, page.title, "\n\n".join([f"# {page.title}", *page.text]))

    async def screenshot(self, *, marks: bool) -> bytes:
        del marks
        self._still_there()
        return picture(self._here)[0]

    # --- its end -----------------------------------------------------------------

    async def locate(self) -> None:
        self._still_there()

    async def storage_state(self, *, within_s: float = 4.0) -> dict[str, Any]:
        del within_s
        self._still_there()
        return {"cookies": list(self.cookies), "origins": []}

    async def close(self, *, deadline_s: float, keep: bool = False) -> None:
        del deadline_s, keep
        self.closed = True
        await self.film(None)
        self._scope.cancel()

    def _still_there(self) -> None:
        if not self.alive or self.closed:
            raise SessionLost("The browser of this session is gone.")
