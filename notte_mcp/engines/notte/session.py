"""A session in the Notte cloud, by the contract of `engines.base.BrowserSession`.

It answers at once what is known here (position, ids, what happened) and asks the cloud for everything else, each
question once. Nothing pings it: a session that nobody uses ends there by its own idle limit, and is told as that.

Below: stage, performing, views, filming, pictures, transferring. Above: engine.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio
import anyio.to_thread

from notte_mcp.actions import Action, Goto, GotoNewTab, UploadFile
from notte_mcp.engines.base import Found, Hand, ObserveRequest, Position, Scraped, Spot, TargetCheck
from notte_mcp.engines.described import Described
from notte_mcp.engines.notte import wire
from notte_mcp.engines.notte.addresses import normal_url
from notte_mcp.engines.notte.cookies import cookie_to_wire, cookies_from_wire
from notte_mcp.engines.notte.filming import Filming
from notte_mcp.engines.notte.naming import Known
from notte_mcp.engines.notte.performing import perform
from notte_mcp.engines.notte.pictures import picture
from notte_mcp.engines.notte.reaching import locators_of
from notte_mcp.engines.notte.saying import selector_error
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.engines.notte.transferring import allowed_file
from notte_mcp.engines.notte.views import Views
from notte_mcp.frames import FrameListener
from notte_mcp.ids import secret_name
from notte_mcp.observations import Observation, clean, clean_line
from notte_mcp.receipts import Box, Receipt

SCRAPED_CHARS = 2_000_000
"""What is more of a page's markdown is left out."""


class NotteSession:
    """See the module. Made by the engine; `left` is called once it has been let go of or stopped."""

    def __init__(self, stage: Stage, *, left: Callable[[], None]) -> None:
        self._stage = stage
        self._views = Views(stage.book)
        self._left = left
        self._filming: Filming | None = None

    # --- what is known without waiting ------------------------------------------

    @property
    def alive(self) -> bool:
        return not self._stage.lost and not self._stage.closed

    @property
    def remote_id(self) -> str:
        return self._stage.remote_id

    @property
    def position(self) -> Position:
        if not self.alive:
            return Position("", "", ())
        stage = self._stage
        return Position(stage.url, stage.title, stage.shown_tabs)

    @property
    def id_counters(self) -> dict[str, int]:
        return dict(self._stage.book.counters)

    def take_events(self) -> tuple[str, ...]:
        taken = tuple(self._stage.events)
        self._stage.events.clear()
        return taken

    # --- looking ----------------------------------------------------------------

    async def observe(self, request: ObserveRequest) -> Observation:
        stage = self._stage
        if request.cursor is not None:
            stage.still_there()
            return self._views.more(request, stage.shown_tabs, stage.document)
        sight, met = await stage.look()
        return self._views.show(self._views.add(request.view, sight, met), request, stage.shown_tabs)

    async def scrape(self, *, selector: str | None, only_main_content: bool, links: bool, images: bool) -> Scraped:
        stage = self._stage
        if selector is not None:
            found = await stage.ask("reach", selector=selector)
            if found is not None and found["count"] != 1 and (error := selector_error(selector, found["count"])):
                raise error
        asked = {
            "selector": selector, "only_main_content": only_main_content, "scrape_links": links, "scrape_images": images,
        }  # fmt: skip
        body = await self._posted("page", "scrape", body=asked)
        text = clean(wire.text(body, "markdown"))
        if await stage.ask("place") is None:
            await stage.learn_tabs()
        return Scraped(stage.url, stage.title, text[:SCRAPED_CHARS], omitted=len(text) > SCRAPED_CHARS)

    async def screenshot(self, *, marks: bool) -> bytes:
        return await picture(self._stage, marks=marks)

    async def find(self, selectors: Sequence[str]) -> list[Found | None]:
        self._stage.still_there()
        if not selectors:
            return []
        answer = await self._stage.must("find", selectors=list(selectors))
        return [Found(str(one[0]), clean_line(str(one[1]))) if one else None for one in answer["found"]]

    async def describe(self, ids: Sequence[str]) -> list[Described | None]:
        known = [self._stage.book.named(name) for name in ids]
        if not known:
            return []
        answer = await self._stage.must("describe", keys=[one.key for one in known])
        here = answer["document"]
        return [
            _described(facts) if facts and one.key and one.document == here else None
            for one, facts in zip(known, answer["found"], strict=True)
        ]

    async def spot(self, point: tuple[float, float] | None) -> Spot | None:
        answer = await self._stage.must("spot", point=point)
        if (facts := answer["element"]) is None:
            return None
        known = self._stage.meet(facts)
        box, caret = facts["box"], facts["caret"]
        shown = facts["writable"] and not facts["secret"]
        name = clean_line(str(facts["name"]))
        value = clean(facts["value"]) if shown and facts["value"] is not None else None
        return Spot(
            self._stage.book.show(known), str(facts["role"]), name, _box(box), editable=bool(facts["writable"]),
            secret=secret_name(name or "password") if facts["secret"] else None, value=value,
            caret=(int(caret[0]), int(caret[1])) if shown and caret else None,
        )  # fmt: skip

    async def film(self, listener: FrameListener | None) -> None:
        if listener is not None and self._filming is not None and self._filming.hasten(listener):
            return
        filming, self._filming = self._filming, None
        if filming is not None:
            await filming.end()
        if listener is not None:
            self._stage.still_there()
            self._filming = Filming(self._stage, listener)

    # --- acting -----------------------------------------------------------------

    async def check(self, actions: Sequence[Action]) -> list[TargetCheck]:
        stage = self._stage
        stage.still_there()
        for action in actions:
            if isinstance(action, Goto | GotoNewTab):
                normal_url(action.url)
            if isinstance(action, UploadFile):
                await anyio.to_thread.run_sync(allowed_file, action.path, stage)
        named = {name for action in actions for key in ("id", "to_id") if (name := getattr(action, key, None))}
        known = await self._live(sorted(named))
        return [_check(action, known) for action in actions]

    async def _live(self, names: Sequence[str]) -> dict[str, Known]:
        """The elements of ids, or their heirs.

        Raises:
            UnknownElement, StaleElement.
        """
        stage = self._stage
        known = {name: stage.book.named(name) for name in names}
        if not known:
            return {}
        every = known.values()
        answer = await stage.ask("facts", keys=[one.key for one in every], sets=[one.selectors for one in every])
        gone: list[str] = []
        for name, facts in zip(known, answer["found"] if answer else [None] * len(known), strict=True):
            one = known[name]
            if one.document != stage.document or (answer is not None and one.key and facts is None):
                gone.append(name)
            elif facts and one.key:
                one.secret = one.secret or bool(facts["secret"])
                stage.keep_fresh(facts)
        if gone:
            met = (await stage.look())[1]
            known |= {name: stage.book.heal(name, met) for name in gone}
        return known

    async def perform(self, action: Action, *, timeout_ms: int, hand: Hand | None = None) -> Receipt:
        if isinstance(action, Goto | GotoNewTab):
            action = action.model_copy(update={"url": normal_url(action.url)})
        return await perform(self._stage, action, timeout_ms=timeout_ms, hand=hand)

    async def locate(self) -> None:
        await self._stage.learn_place()

    # --- login state ------------------------------------------------------------

    async def storage_state(self, *, within_s: float = 4.0) -> dict[str, Any]:
        stage = self._stage
        async with stage.asking() as client:
            body = await client.get("sessions", stage.remote_id, "cookies")
        cookies = cookies_from_wire(wire.objects(body.get("cookies")))
        held: dict[str, Any] | None = None
        with anyio.move_on_after(within_s):
            held = await stage.ask("storage")
        origins = (
            [{"origin": held["origin"], "localStorage": held["items"]}] if held and held["origin"] != "null" else []
        )
        return {"cookies": cookies, "origins": origins}

    async def set_cookies(self, cookies: Sequence[dict[str, Any]]) -> None:
        await self._posted("cookies", body={"cookies": [cookie_to_wire(cookie) for cookie in cookies]})

    # --- its end ----------------------------------------------------------------

    async def close(self, *, deadline_s: float, keep: bool = False) -> None:
        stage = self._stage
        if stage.closed:
            return
        stage.closed = True
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(deadline_s), suppress(Exception):
                await self.film(None)
                if not keep and not stage.lost:
                    await stage.client.delete("sessions", stage.remote_id, "stop", within_s=deadline_s)
            self._left()

    async def _posted(self, *segments: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._stage.asking() as client:
            return await client.post("sessions", self._stage.remote_id, *segments, body=body)


def _check(action: Action, known: dict[str, Known]) -> TargetCheck:
    if (name := getattr(action, "id", None)) is None:
        return TargetCheck(known=getattr(action, "selector", None) is None)
    return TargetCheck(secret=known[name].secret_name)


def _described(facts: dict[str, Any]) -> Described:
    attributes = {str(name): clean(str(value)) for name, value in facts["attributes"].items()}
    box = _box(facts["box"]) if facts["box"] else None
    return Described(
        str(facts["tag"]), attributes, locators_of(facts["ways"]), clean_line(str(facts["label"]), 200), box
    )


def _box(found: Sequence[float] | None) -> Box:
    left, top, width, height = found or (0.0, 0.0, 0.0, 0.0)
    return left, top, width, height
