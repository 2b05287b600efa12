"""What a person points at or types into: one element of one world, through frames of any origin, in few questions.

What it gives has an id from then on (`ElementBook`), so that an action can name it. Nothing is touched or waited for.

Below: `elements`, `tab`, `world`. Above: `hands`, `session`.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.base import Spot
from notte_mcp.engines.local.elements import Element, ElementBook, page_of
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import PageNotResponding
from notte_mcp.ids import secret_name
from notte_mcp.observations import clean, clean_line
from notte_mcp.receipts import Box

Point = tuple[float, float]
Roll = Literal["up", "down"]

MAX_VALUE_CHARS: Final = 100_000
"""A field that holds more tells no value: nobody types in the middle of that."""

_ASK_S: Final = 5.0
_FRAME_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """An element as a person has it before him: where it lives, what is known of it, its box in the viewport."""

    element: Element
    facts: dict[str, Any]
    box: Box

    @property
    def name(self) -> str:
        """Its name as receipts tell it."""
        return clean_line(self.facts["name"])

    @property
    def secret(self) -> str | None:
        """The NAME that a value for it goes by; None where it takes no secret."""
        return secret_name(self.name or "password") if self.facts["secret"] else None

    def is_same(self, other: Element) -> bool:
        """Whether that is the same element."""
        mine = self.element
        return (mine.document_uid, mine.key) == (other.document_uid, other.key)


async def spot(tab: Tab, book: ElementBook, point: Point | None) -> Spot | None:
    """See `BrowserSession.spot`.

    Raises:
        PageNotResponding, DocumentGone.
    """
    seen = await seek(tab, book, point)
    if seen is None:
        return None
    facts = seen.facts
    value, caret = held(facts)
    return Spot(
        seen.element.id, facts["role"], seen.name, seen.box, editable=facts["writable"], secret=seen.secret,
        value=value if facts["writable"] else None, caret=caret,
    )  # fmt: skip


def held(facts: dict[str, Any]) -> tuple[str | None, tuple[int, int] | None]:
    """What a field holds and where its caret stands, as the page tells it; nothing of a secret."""
    value, caret = facts.get("value"), facts.get("caret")
    if value is None or len(value) > MAX_VALUE_CHARS or facts["secret"]:
        return None, None
    if caret is None:
        return clean(value), None
    # The page counts in UTF-16, and what is cleaned away takes no place.
    start, end = (len(clean(_head(value, at))) for at in caret)
    return clean(value), (start, end)


def _head(text: str, units: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[: units * 2].decode("utf-16-le", "ignore")


async def seek(
    tab: Tab, book: ElementBook, point: Point | None, *, arm: bool = False, roll: Roll | None = None
) -> Seen | None:
    """What stands at a point of the viewport or (None) has the focus; it has an id by this.

    `arm` watches for the input that is to come, `roll` for what a wheel will move.

    Raises:
        PageNotResponding, DocumentGone.
    """
    found = await _in_world(tab, tab.main, point, arm=arm, roll=roll)
    if found is None:
        return None
    world, facts, (left, top) = found
    document = world.document
    if document is None:
        raise DocumentGone
    named = book.shown(tab, world, facts)
    x, y, width, height = facts["box"]
    element = Element(
        named, tab, world, document.uid, int(facts["key"]), facts["role"], facts["name"], facts["context"],
        page_of(tab.url),
    )  # fmt: skip
    return Seen(element, facts, (left + x, top + y, width, height))


async def _in_world(
    tab: Tab, world: World, point: Point | None, *, arm: bool, roll: Roll | None, depth: int = 0
) -> tuple[World, dict[str, Any], Point] | None:
    """(its world, what is known of it, where that world begins in the viewport)."""
    asked = {"point": point, "arm": arm, "roll": roll}
    facts: dict[str, Any] | None = await world.call("spotAt", asked, timeout_s=_ASK_S, anew=True)
    if facts is None or facts["frame"] is None or depth >= _FRAME_DEPTH:
        return None if facts is None else (world, facts, (0.0, 0.0))
    frame = facts["frame"]
    left, top = float(frame["left"]), float(frame["top"])
    within = None if point is None else (point[0] - left, point[1] - top)
    try:
        places = await tab.bind_frames(world, [frame["key"]])
        inner = await _in_world(tab, places[0].world, within, arm=arm, roll=roll, depth=depth + 1) if places else None
    except (DocumentGone, PageNotResponding, PlaywrightError):
        inner = None  # the frame is being loaded, or hangs: it stands for what is in it
    if inner is None:
        return world, facts, (0.0, 0.0)
    found, known, (x, y) = inner
    return found, known, (left + x, top + y)
