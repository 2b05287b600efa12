"""Element ids: given when an element is first shown, kept while it lives, healed when it was re-rendered.

The page knows elements by keys, one sequence a document; the reader knows them by
ids, one sequence a session. An id is given only when an observation shows the
element, so an id that nobody was shown does not exist. When the element behind an
id is gone, exactly one element of the same frame and the same nearest named
landmark, form or row with the same role and name is its heir; otherwise the id is
refused and the candidates are named.

Below: ids, observations, `world`. Above: `observer`, `performer`, `session`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import StaleElement, UnknownElement
from notte_mcp.ids import letter_for
from notte_mcp.observations import clean_line


@dataclass(frozen=True, slots=True)
class Element:
    """An element that was shown: where it is, and what it was called when it was.

    What has a key up to `beside` in the same document lived beside it, and is no heir of it.
    """

    id: str
    tab: Tab
    world: World
    document_uid: int
    key: int
    role: str
    name: str
    context: str
    page: str
    healed: bool = False
    beside: int = 0


def page_of(url: str) -> str:
    """A URL without query and fragment: what makes two documents the same page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


class ElementBook:
    """All ids of a session."""

    def __init__(self, counters: dict[str, int]) -> None:
        self.counters = dict(counters)
        self._by_id: dict[str, Element] = {}
        self._by_place: dict[tuple[int, int], str] = {}

    def shown(self, tab: Tab, world: World, node: dict[str, Any], beside: int = 0, *, page: str | None = None) -> str:
        """The id of an element that is being shown, a new one if it has none yet. `beside`: see `Element`; `page` is
        what `page_of` makes of the tab's URL, where many are shown at once: the browser's driver is slow to tell it."""
        document = world.document
        assert document is not None  # noqa: S101  (a node has come out of it)
        place = (document.uid, int(node["key"]))
        found = self._by_place.get(place)
        if found is None:
            letter = letter_for(node["role"])
            self.counters[letter] = self.counters.get(letter, 0) + 1
            found = f"{letter}{self.counters[letter]}"
            self._by_place[place] = found
        self._by_id[found] = Element(
            found, tab, world, *place, role=node["role"], name=node.get("name", ""),
            context=node.get("context", ""), page=page_of(tab.url) if page is None else page, beside=beside,
        )  # fmt: skip
        return found

    def known(self, key: tuple[int, int]) -> str | None:
        """The id that a place in a document was shown under, if it was."""
        return self._by_place.get(key)

    def shown_in(self, world: World) -> list[tuple[int, str]]:
        """(key, id) of everything shown of a world's current document."""
        uid = world.document.uid if world.document else None
        return [(e.key, e.id) for e in self._by_id.values() if e.document_uid == uid]

    def forget_tab(self, tab: Tab) -> None:
        """A closed tab's documents are gone; their ids stay known as stale."""
        gone = [e for e in self._by_id.values() if e.tab is tab]
        for element in gone:
            self._by_place.pop((element.document_uid, element.key), None)

    def named(self, element_id: str) -> Element:
        """What an id was given to.

        Raises:
            UnknownElement: it was given to nothing.
        """
        try:
            return self._by_id[element_id]
        except KeyError:
            raise UnknownElement(
                f"No observation of this session has shown an element {element_id}.",
                next_call="notte_observe, then use an id it shows",
            ) from None

    def hoped(self, element_id: str) -> Element | None:
        """The element behind an id where its document is still there; whether it is, the next question tells.

        Raises:
            UnknownElement: an id that was never shown.
        """
        element = self.named(element_id)
        return element if self._current(element) else None

    async def live(self, element_id: str) -> Element:
        """The element behind an id, or its heir (then `healed`).

        Raises:
            UnknownElement: an id that was never shown.
            StaleElement: the element is gone and has no single heir.
        """
        element = self.named(element_id)
        if self._current(element):
            try:
                if (await element.world.call("inspect", [element.key], timeout_s=5))[0] is not None:
                    return element
            except DocumentGone:
                pass
        return await self.heir(element)

    async def look_up(self, element_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What is known now of the elements behind these ids, by id; one question per document.

        Raises:
            UnknownElement, StaleElement: as `live`.
        """
        asked = {name: self.named(name) for name in element_ids}
        known: dict[str, dict[str, Any]] = {}
        for world in {e.world for e in asked.values()}:
            mine = [e for e in asked.values() if e.world is world and self._current(e)]
            try:
                found: list[dict[str, Any] | None] = await world.call("inspect", [e.key for e in mine], timeout_s=5)
            except DocumentGone:
                continue
            known |= {e.id: facts for e, facts in zip(mine, found, strict=True) if facts is not None}
        for name in asked.keys() - known.keys():
            heir = await self.heir(asked[name])
            known[name] = (await heir.world.call("inspect", [heir.key], timeout_s=5))[0] or {}
        return known

    def _current(self, element: Element) -> bool:
        document = element.world.document
        return document is not None and document.uid == element.document_uid and not element.tab.closed

    async def heir(self, element: Element) -> Element:
        """The one element that stands where another stood that is gone (then `healed`).

        Raises:
            StaleElement: there is none, or several.
        """
        tab = element.tab
        world = element.world if element.world in tab.worlds else None
        if tab.closed or world is None or page_of(tab.url) != element.page:
            raise stale(element, [])
        asked: dict[str, Any] = {"role": element.role, "name": element.name, "context": element.context, "after": 0}
        if world.document is not None and world.document.uid == element.document_uid:
            asked["after"] = element.beside
        try:
            found = await world.call("heirs", asked)
        except DocumentGone:
            raise stale(element, []) from None
        same = [n for n in found if n["same"] and "disabled" not in n.get("states", ())]
        if len(same) != 1:
            raise stale(element, [f"{self.shown(tab, world, n)} {_called(n)}" for n in (same or found)[:5]])
        assert world.document is not None  # noqa: S101
        healed = Element(
            element.id, tab, world, world.document.uid, int(same[0]["key"]), element.role, element.name,
            element.context, element.page, healed=True, beside=element.beside,
        )  # fmt: skip
        if not element.id:
            return healed
        self._by_id[element.id] = healed
        self._by_place.setdefault((healed.document_uid, healed.key), element.id)
        return healed


def _called(node: dict[str, Any]) -> str:
    name = clean_line(node.get("name", ""), 60)
    return f'{node["role"]} "{name}"' + (f" in {clean_line(node['context'], 50)}" if node.get("context") else "")


def stale(element: Element, candidates: list[str], *, done: str = "") -> StaleElement:
    """The error for an id whose element is gone. `done` is what was done before it was (default: nothing)."""
    what = f'{element.id} ({element.role} "{clean_line(element.name, 60)}") is no longer on the page'
    if candidates:
        return StaleElement(
            f"{what}. Alike now: {'; '.join(candidates)}.", next_call="the same call with one of these ids"
        )
    return StaleElement(
        f"{what}.", done=done or "Nothing was done.", next_call="notte_observe, then use an id it shows"
    )


async def ask(
    element: Element,
    function: str,
    argument: dict[str, Any],
    *,
    timeout_s: float = 5,
    done: str = "",
    gesture: bool = False,
) -> dict[str, Any]:
    """What a function of an element's world answers; `done` is what was done before, should the element turn out to be gone.
    A `gesture` stands for a person's.

    Raises:
        StaleElement: it is.
    """
    try:
        answer: dict[str, Any] = await element.world.call(function, argument, timeout_s=timeout_s, gesture=gesture)
    except DocumentGone:
        raise stale(element, [], done=done) from None
    if answer.get("error") == "gone":
        raise stale(element, [], done=done)
    return answer
