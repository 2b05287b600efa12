"""Scripted pages: as they are written down, and as they are once loaded.

Below: observations. Above: session.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import anyio

from notte_mcp.errors import UnsupportedUrl
from notte_mcp.ids import letter_for, secret_name
from notte_mcp.observations import Changes, Node, clean_line

BLANK: Final = "about:blank"


@dataclass(frozen=True, slots=True)
class ScriptedElement:
    """An element. Clicking it waits for `gate`, goes to `href`, and puts `becomes` in its place.

    `selector` is the CSS selector that it is found by. A `password` is a secret.
    """

    role: str
    name: str
    value: str = ""
    options: tuple[str, ...] = ()
    href: str | None = None
    becomes: tuple["ScriptedElement", ...] | None = None
    gate: anyio.Event | None = None
    selector: str = ""
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class ScriptedPage:
    """A page. Loading it waits for `gate`; `text` holds its paragraphs."""

    title: str
    elements: tuple[ScriptedElement, ...] = ()
    text: tuple[str, ...] = ()
    status: int = 200
    gate: anyio.Event | None = None


@dataclass(slots=True, eq=False)
class LiveElement:
    """An element of a loaded page."""

    script: ScriptedElement
    key: str
    value: str
    id: str | None = None
    checked: bool = False

    def node(self) -> Node:
        role, secret = self.script.role, self.script.role == "password"
        said = {"checked": self.checked, "disabled": self.script.disabled, "filled": secret and bool(self.value)}
        return Node(
            key=self.key, kind="element", role=role, name=clean_line(self.script.name),
            id=self.id, value=None if secret or not self.value else clean_line(self.value),
            states=tuple(state for state, holds in said.items() if holds),
            options=self.script.options, option_count=len(self.script.options),
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class Document:
    """A loaded page."""

    url: str
    page: ScriptedPage
    elements: list[LiveElement]

    def find(self, role: str, name: str) -> list[LiveElement]:
        return [live for live in self.elements if (live.script.role, live.script.name) == (role, name)]

    def says(self, text: str) -> bool:
        shown = [self.page.title, *self.page.text, *(live.script.name for live in self.elements)]
        return any(text in line for line in shown)


@dataclass(slots=True, eq=False)
class View:
    """What a page showed at one look."""

    document: Document
    nodes: tuple[Node, ...]


def secret_of(live: LiveElement) -> str | None:
    """The NAME that a value for this element goes by; None where it takes no secret."""
    if live.script.role != "password":
        return None
    return secret_name(live.script.name or "password")


def selectors_of(live: LiveElement) -> tuple[str, ...]:
    """The selectors that find this element: its own, its role and name, and the label of a field."""
    script = live.script
    name = script.name.replace("\\", "\\\\").replace('"', '\\"')
    ways = (f'role={script.role}[name="{name}"]', f'internal:role={script.role}[name="{name}"s]')
    label = (f'internal:label="{name}"s',) if letter_for(script.role) == "I" else ()
    return (*((script.selector,) if script.selector else ()), *ways, *label)


def changes_between(since: int, then: View, now: View) -> Changes:
    """What differs between two views of one page; `since` is the number of the first."""
    before, after = ({node.key: node for node in view.nodes} for view in (then, now))
    return Changes(
        since,
        appeared=tuple(node for key, node in after.items() if key not in before),
        changed=tuple(node for key, node in after.items() if key in before and node != before[key]),
        gone=tuple(node for key, node in before.items() if key not in after),
    )


def check_url(url: str) -> None:
    """Raises UnsupportedUrl for what no page can have."""
    if url != BLANK and urlsplit(url).scheme not in ("http", "https"):
        raise UnsupportedUrl(f"{url!r} is no http or https URL.", next_call="the same call with such a URL")
