"""A session's part that other spellings of a page stand on: elements as their documents write them, and cookies set.

Below: stage, elements, world. Above: session.
"""

from collections.abc import Sequence
from typing import Any, Final, cast

from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.described import Choice, Described, Held
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import InvalidArgument
from notte_mcp.ids import element_id
from notte_mcp.observations import clean, clean_line
from notte_mcp.receipts import Box, Locators

_SPELL_S: Final = 8.0


class Spelling:
    """See the module."""

    _stage: Stage

    @property
    def remote_id(self) -> str:
        return ""

    async def describe(self, ids: Sequence[str]) -> list[Described | None]:
        """See `BrowserSession.describe`: one question to each document, and one to each frame of another origin where it stands."""
        await self._ready()
        places = [self._place(named) for named in ids]
        found: dict[tuple[int, str], Described] = {}
        try:
            for world in self._stage.tab.worlds:
                if (uid := world.document.uid if world.document else None) is None:
                    continue
                keys = [key for document, key in places if document == uid]
                if keys:
                    found |= {(uid, key): spelt for key, spelt in (await self._spell(world, keys)).items()}
        except PlaywrightError as error:
            raise self._gone(error) from error
        return [found.get(place) for place in places]

    def _place(self, named: str) -> tuple[int, str]:
        """The document and the key in it that an id, or a node's key, stands for. Raises: UnknownElement."""
        if element_id(named) is not None:
            element = self._stage.book.named(named)
            return element.document_uid, str(element.key)
        uid, _, key = named.partition(":")
        return int(uid), key

    async def _spell(self, world: World, keys: list[str]) -> dict[str, Described]:
        try:
            raw: list[dict[str, Any] | None] = await world.call("spell", {"keys": keys}, timeout_s=_SPELL_S)
        except DocumentGone:
            return {}
        place = await self._stage.tab.frame_path(world)
        return {key: _described(one, *place) for key, one in zip(keys, raw, strict=True) if one is not None}

    async def set_cookies(self, cookies: Sequence[dict[str, Any]]) -> None:
        await self._ready()
        try:
            await self._stage.context.add_cookies(cast(Any, list(cookies)))
        except PlaywrightError as error:
            if self._stage.lost:
                raise self._gone(error) from error
            why = str(error).splitlines()[0].removeprefix("BrowserContext.add_cookies: ")
            raise InvalidArgument(
                f"The cookies were not taken: {why[:200]}.", next_call="the same call, corrected"
            ) from error

    async def _ready(self) -> None:
        raise NotImplementedError

    def _gone(self, error: Exception) -> Exception:
        raise NotImplementedError


def _described(raw: dict[str, Any], frame: tuple[str, ...], begins: tuple[float, float]) -> Described:
    if not raw["tag"]:
        return Described("", {}, Locators(), clean(raw["label"]))
    locators = Locators(
        css=raw["css"], xpath=raw.get("xpath"), frame=(*frame, *raw["frame"]), shadow=bool(raw["shadow"])
    )
    attributes = {name: clean(value) for name, value in raw["attributes"].items()}
    before, after = (tuple(clean_line(text, 200) for text in raw[side]) for side in ("before", "after"))
    box = None if raw["box"] is None else _box(raw["box"], begins)
    return Described(raw["tag"], attributes, locators, clean(raw["label"]), box, before, after, _held(raw["held"]))


def _box(found: list[float], begins: tuple[float, float]) -> Box:
    left, top, width, height = found
    return round(left + begins[0], 1), round(top + begins[1], 1), round(width, 1), round(height, 1)


def _held(raw: dict[str, Any]) -> Held:
    if (value := raw.get("value")) is not None:
        raw["value"] = clean(value)
    if (choices := raw.get("choices")) is not None:
        raw["choices"] = tuple(Choice(clean(value), clean_line(label, 200), *on) for value, label, *on in choices)
    return Held(**raw)
