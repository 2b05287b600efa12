"""Elements as the contract names them: ids numbered anew by every observation, selectors, the kind of action they take.

    B2[:]<button type="submit">Send it</button>

Ids are numbered from 1 for each letter in document order; ours stay with their elements, and `ids` maps one to the other.
All elements of the page get one, not only those in the viewport. While a modal dialog is open, only what is in it counts.

Below: observations, engines.described, registry.portrait. Above: spelling, observing.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from notte_mcp.engines.described import Described
from notte_mcp.observations import Node
from notte_mcp.receipts import Locators
from notte_mcp.registry.portrait import Portrait

Kind = Literal["click", "fill", "select_dropdown_option"]

_DIALOGS: Final = frozenset({"dialog", "alertdialog"})
_TAGS: Final = {
    "link": "a", "textbox": "input", "searchbox": "input", "password": "input", "checkbox": "input", "radio": "input",
    "combobox": "select", "listbox": "select", "file": "input", "date": "input", "time": "input", "slider": "input",
    "spinbutton": "input", "clickable": "div", "option": "option",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A node of the page. `id` is the contract's (None: it takes no action), `spelt` how the document writes it (of an
    element always there: guessed from its role where the engine did not tell)."""

    node: Node
    spelt: Described | None
    id: str | None = None

    @property
    def kind(self) -> Kind:
        """What is done with it."""
        if self.id is None or not self.id.startswith("I"):
            return "click"
        return "select_dropdown_option" if self.spelt is not None and self.spelt.tag == "select" else "fill"

    @property
    def label(self) -> str:
        """Its visible text, or what it is called."""
        shown = "" if self.spelt is None or self.spelt.tag == "select" else self.spelt.label
        return shown or self.node.name


@dataclass(frozen=True, slots=True)
class Page:
    """What of a page counts, in document order. `dialog`: it is what an open modal dialog holds."""

    lines: tuple[Named, ...]
    dialog: bool = False

    @property
    def elements(self) -> tuple[Named, ...]:
        """Those that take an action."""
        return tuple(line for line in self.lines if line.id is not None)

    @property
    def ids(self) -> dict[str, str]:
        """Our ids by the contract's."""
        return {line.id: line.node.id for line in self.lines if line.id is not None and line.node.id is not None}


def named(portrait: Portrait) -> Page:
    """The page's nodes with the contract's ids."""
    nodes, dialog = _counting(portrait.seen.nodes)
    numbers: Counter[str] = Counter()
    lines: list[Named] = []
    for node in nodes:
        spelt = portrait.spelt.get(node.key)
        if node.kind == "element" and spelt is None:
            spelt = _guessed(node)
        own = None
        if node.id is not None:
            letter = node.id[0]
            numbers[letter] += 1
            own = f"{letter}{numbers[letter]}"
        lines.append(Named(node, spelt, own))
    return Page(tuple(lines), dialog)


def _counting(nodes: Sequence[Node]) -> tuple[Sequence[Node], bool]:
    """What is in the topmost modal dialog, or everything."""
    for at in range(len(nodes) - 1, -1, -1):
        node = nodes[at]
        if node.role in _DIALOGS and "modal" in node.states:
            end = next((i for i in range(at + 1, len(nodes)) if nodes[i].depth <= node.depth), len(nodes))
            if end > at + 1:
                return nodes[at + 1 : end], True
    return nodes, False


def _guessed(node: Node) -> Described:
    tag = _TAGS.get(node.role, "button")
    kind = {"type": node.role} if node.role in ("checkbox", "radio", "password", "file", "date", "time") else {}
    return Described(tag, kind, Locators(), "" if tag in ("input", "select") else node.name)


def selectors(url: str, found: Locators) -> dict[str, Any]:
    """An element's selectors (NodeSelectors), structural all."""
    css, xpath = found.css or "", (found.xpath or "").removeprefix("/")
    place = hashlib.blake2b(" ".join((*found.frame, css, xpath)).encode(), digest_size=8).hexdigest()
    return {
        "css_selector": css,
        "xpath_selector": xpath,
        "in_iframe": bool(found.frame),
        "in_shadow_root": found.shadow,
        "iframe_parent_css_selectors": list(found.frame),
        "notte_selector": f"{url}:{place}",
        "playwright_selector": None,
        "python_selector": None,
    }
