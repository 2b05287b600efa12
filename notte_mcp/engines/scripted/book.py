"""Which element an action means: ids as they are given out, and selectors.

Below: pages, actions. Above: session.
"""

from collections.abc import Mapping
from typing import Final

from notte_mcp import actions as a
from notte_mcp.engines.described import Described
from notte_mcp.engines.scripted.drawing import box_of
from notte_mcp.engines.scripted.pages import Document, LiveElement, selectors_of
from notte_mcp.errors import SelectorNotFound, StaleElement, UnknownElement
from notte_mcp.ids import element_id, letter_for
from notte_mcp.receipts import Locators, Target


class Book:
    """All ids of a session; `counters` are the last numbers by letter."""

    def __init__(self, counters: Mapping[str, int]) -> None:
        self.counters = dict(counters)
        self._known: dict[str, LiveElement] = {}

    def shown(self, live: LiveElement, *, anyhow: bool = False) -> None:
        """Give an element that is shown an id; a disabled one only `anyhow`."""
        if live.id is None and (anyhow or not live.script.disabled):
            letter = letter_for(live.script.role)
            self.counters[letter] = self.counters.get(letter, 0) + 1
            live.id = f"{letter}{self.counters[letter]}"
            self._known[live.id] = live

    def meant(self, here: Document, action: a.Action) -> tuple[LiveElement, bool]:
        """The element that an action names, and whether it is its heir. Raises: UnknownElement, StaleElement, SelectorNotFound."""
        if named := getattr(action, "id", None):
            return self.by_id(here, named)
        selector = getattr(action, "selector", "")
        if found := matching(here, selector):
            return found[0], False
        raise SelectorNotFound(f"Selector {selector!r} matches nothing.", next_call="notte_observe")

    def by_id(self, here: Document, named: str) -> tuple[LiveElement, bool]:
        """The element of an id, and whether it is its heir: the only one of the same role and name."""
        if (live := self._known.get(named)) is None:
            raise UnknownElement(f"No observation of this session has shown {named}.", next_call="notte_observe")
        if live in here.elements:
            return live, False
        heirs = here.find(live.script.role, live.script.name)
        if len(heirs) == 1:
            return heirs[0], True
        raise StaleElement(f"{named} is gone, and {len(heirs)} elements are like it.", next_call="notte_observe")

    def described(self, here: Document, named: str) -> Described | None:
        """The element of an id as HTML would spell it; None where it is gone, or is none. Raises: UnknownElement."""
        if element_id(named) is None:
            return None
        try:
            live, _ = self.by_id(here, named)
        except StaleElement:
            return None
        script = live.script
        tag = _TAGS.get(script.role, "button")
        attributes = {"type": script.role} if script.role in ("checkbox", "password") else {}
        return Described(tag, attributes, target_of(here, live, None).locators, script.name, box_of(here, live))


_TAGS: Final = {
    "link": "a", "textbox": "input", "password": "input", "checkbox": "input", "combobox": "select",
}  # fmt: skip


def matching(here: Document, selector: str) -> list[LiveElement]:
    """What a selector finds."""
    return [live for live in here.elements if selector in selectors_of(live)]


def target_of(here: Document, live: LiveElement, action: a.Action | None) -> Target:
    """An element as a receipt tells it."""
    script = live.script
    given = getattr(action, "selector", None)
    locators = Locators(role=(script.role, script.name), css=script.selector or None, given=given)
    return Target(live.id, script.role, script.name, locators, box_of(here, live))
