"""An observation as the cloud gives it, read into lines of our own kind.

Order, texts and disabled elements come from the text form (`space.description`), everything else of an element from
its action and its state. The text form is written from what the page says, so a page can put lines of its own into it:
an id counts only where the cloud offers an action for it, and a role only from that action's own markup.

Below: observations, ids. Above: naming, views, session. Facts: the contract's sections 7.1 to 7.4.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from notte_mcp.ids import LETTERS, element_id
from notte_mcp.observations import NodeKind, Viewport, clean_line

Selectors = tuple[str, str, tuple[str, ...]]
"""CSS, XPath, and one CSS selector per enclosing frame."""

_LINE: Final = re.compile(
    rf"^(?:([{LETTERS}]\d{{1,9}}|_)\[:\]|###\s*Content of '([^'\n]*)' component with text '([^'\n]*)')", re.MULTILINE
)
_TAG: Final = re.compile(r'^<([a-z][\w-]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*/?>(.*?)(?:</\1>)?$', re.DOTALL)
_ATTRIBUTE: Final = re.compile(r'([\w:-]+)(?:="([^"]*)")?')
_INPUTS: Final = {
    "button": "button", "submit": "button", "reset": "button", "image": "button", "checkbox": "checkbox",
    "radio": "radio", "range": "slider", "number": "spinbutton", "search": "searchbox", "password": "password",
    "file": "file", "date": "date", "month": "date", "week": "date", "datetime-local": "date", "time": "time",
    "color": "color",
}  # fmt: skip
_TAGS: Final = {
    "a": "link", "button": "button", "textarea": "textbox", "select": "combobox", "option": "option",
    "summary": "summary", "img": "img", "figure": "figure",
}  # fmt: skip
_LETTERS: Final = {"L": "link", "B": "button", "I": "textbox", "F": "img", "O": "option", "M": "clickable"}
_ROLES: Final = frozenset(
    [
        "link",
        "button",
        "tab",
        "menuitem",
        "menuitemcheckbox",
        "menuitemradio",
        "radio",
        "checkbox",
        "switch",
        "combobox",
        "textbox",
        "searchbox",
        "listbox",
        "slider",
        "spinbutton",
        "option",
        "treeitem",
        "gridcell",
        "img",
        "figure",
    ]
)
_GROUPS: Final = frozenset({"dialog", "alertdialog", "navigation", "main", "form", "region", "article", "search"})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that the cloud shows. `their_id` is the cloud's own, of this observation alone; `secret` says that it
    is known to take a secret. `tag` is its element's, "" where it is none."""

    kind: NodeKind
    role: str
    name: str
    their_id: str | None = None
    tag: str = ""
    selectors: Selectors = ("", "", ())
    value: str | None = None
    states: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    secret: bool = False

    @property
    def is_actable(self) -> bool:
        """Whether an action may name it."""
        return self.kind == "element" and "disabled" not in self.states


@dataclass(frozen=True, slots=True)
class Sight:
    """What one observation tells. `tabs` are URLs and titles."""

    url: str
    title: str
    tabs: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    viewport: Viewport

    @property
    def above(self) -> int:
        """Px of the page above what is seen."""
        return self.viewport.scroll_y

    @property
    def below(self) -> int:
        """Px of the page below what is seen."""
        return max(0, self.viewport.total_height - self.viewport.scroll_y - self.viewport.height)


def read(observation: Mapping[str, Any]) -> Sight:
    """The cloud's observation (contract, section 7.1); what is missing in it is empty."""
    metadata, space = _object(observation, "metadata"), _object(observation, "space")
    viewport = _object(metadata, "viewport")
    states = _object(observation, "element_states")
    actions: dict[str, Mapping[str, Any]] = {}
    for action in _objects(space, "interaction_actions"):
        if element_id(_text(action, "id")) is not None:
            actions.setdefault(_text(action, "id"), action)
    tabs = tuple((_text(tab, "url"), clean_line(_text(tab, "title"), 200)) for tab in _objects(metadata, "tabs"))
    names = ("scroll_x", "scroll_y", "viewport_width", "viewport_height", "total_width", "total_height")
    return Sight(
        url=_text(metadata, "url"), title=clean_line(_text(metadata, "title"), 200), tabs=tabs,
        lines=tuple(_lines(_text(space, "description"), actions, states)),
        viewport=Viewport(*(_number(viewport, name) for name in names)),
    )  # fmt: skip


def _lines(text: str, actions: Mapping[str, Mapping[str, Any]], states: Mapping[str, Any]) -> Iterator[Line]:
    """In the order of the text form; what an action is offered for and no line tells comes last."""
    left = dict(actions)
    marks = list(_LINE.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):
        body = text[mark.end() : end].strip()
        if mark[2] is not None:
            if mark[2] in _GROUPS:
                yield Line("group", mark[2], clean_line(mark[3]))
        elif mark[1] == "_":
            yield from _unnamed(body)
        elif (action := left.pop(mark[1], None)) is not None:
            yield _element(mark[1], body, action, _object(states, mark[1]))
    for name, action in left.items():
        yield _element(name, "", action, _object(states, name))


def _unnamed(body: str) -> Iterator[Line]:
    """A text, or an element that nothing can be done with: a disabled one."""
    tag, attributes, inner = _markup(body)
    if tag and "disabled" in attributes:
        name = _first(attributes.get("aria_label"), inner, attributes.get("value"), attributes.get("placeholder"))
        yield Line("element", _role(tag, attributes, "M"), clean_line(name), tag=tag, states=("disabled",))
    elif text := clean_line(inner if tag else body, 400):
        yield Line("text", "text", text)


def _element(their_id: str, body: str, action: Mapping[str, Any], state: Mapping[str, Any]) -> Line:
    tag, attributes, inner = _markup(_text(action, "description"))
    if not tag:
        tag, attributes, inner = _markup(body)
    role = "listbox" if tag == "select" and state.get("multiple") is True else _role(tag, attributes, their_id[0])
    secret = role == "password" or "filled" in state
    shown = _markup(body)[2]
    inner = inner if tag == "select" or not shown else shown
    name = _first(
        _text(action, "accessible_name"), _text(action, "text_label"), attributes.get("aria_label"),
        "" if tag in ("select", "input", "textarea") else inner, attributes.get("alt"), attributes.get("title"),
        attributes.get("placeholder"),
    )  # fmt: skip
    options, chosen = _options(state)
    value = None
    if not secret:
        value = ", ".join(chosen) if tag == "select" else _value(role, attributes, state)
    return Line(
        "element", role, clean_line(name), their_id, tag, _selectors(action.get("selector")),
        value=clean_line(value) if value else None, states=tuple(_states(role, state)), options=options, secret=secret,
    )  # fmt: skip


def _markup(text: str) -> tuple[str, dict[str, str], str]:
    found = _TAG.match(text.strip())
    if found is None:
        return "", {}, text
    attributes = {name.replace("-", "_"): value for name, value in _ATTRIBUTE.findall(found[2])}
    return found[1], attributes, found[3]


def _role(tag: str, attributes: Mapping[str, str], letter: str) -> str:
    said = next((word for word in attributes.get("role", "").lower().split() if word in _ROLES), None)
    if said is not None:
        return said
    if tag == "input":
        return _INPUTS.get(attributes.get("type", "text").lower(), "textbox")
    return _TAGS.get(tag) or _LETTERS.get(letter, "clickable")


def _value(role: str, attributes: Mapping[str, str], state: Mapping[str, Any]) -> str | None:
    if role in ("checkbox", "radio", "button", "link", "switch"):
        return None
    held = state.get("value")
    return str(held) if held is not None else attributes.get("value")


def _options(state: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """(labels of all options, labels of those that are selected)."""
    found = [
        (clean_line(_text(option, "label") or _text(option, "value"), 80), option)
        for option in _objects(state, "options")
    ]
    return tuple(label for label, _ in found), [label for label, option in found if option.get("selected")]


def _states(role: str, state: Mapping[str, Any]) -> Iterator[str]:
    for name in ("checked", "mixed", "filled"):
        if state.get(name) is True:
            yield name
    if state.get("selected") is True and role != "combobox":
        yield "selected"
    if isinstance(expanded := state.get("expanded"), bool):
        yield "expanded" if expanded else "collapsed"
    if (pressed := state.get("pressed")) in (True, "mixed"):
        yield "pressed" if pressed is True else "mixed"


def _selectors(found: object) -> Selectors:
    if not isinstance(found, Mapping):
        return (found if isinstance(found, str) else "", "", ())
    given = cast("Mapping[str, Any]", found)
    frames = given.get("iframe_parent_css_selectors")
    path = cast("list[Any]", frames) if isinstance(frames, list) else []
    return _text(given, "css_selector"), _text(given, "xpath_selector"), tuple(str(frame) for frame in path)


def _first(*texts: str | None) -> str:
    return next((text for text in texts if text and text.strip()), "")


def _object(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _objects(given: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = given.get(name)
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, Mapping)]


def _text(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name)
    return found if isinstance(found, str) else ""


def _number(given: Mapping[str, Any], name: str) -> int:
    found = given.get(name)
    return int(found) if isinstance(found, int | float) else 0
