"""How a script finds an element: the most resilient of the recorded ways, as code or as one string.

Test id before role and name, before label, placeholder, text, the row it stands in, the
caller's own selector, CSS and XPath. Inside a shadow root the way is looked for below the
root's host, inside a frame below the frame, since that is where it was unique.

Below: receipts, numbers, source. Above: the script writers.
"""

import json
import re
from dataclasses import replace
from typing import Any, Final

from notte_mcp.receipts import Locators
from notte_mcp.workflows import numbers
from notte_mcp.workflows.source import Arg, Chain, Expression, Link, Text, pattern

_DEFAULT_TEST_ID: Final = "data-testid"
_PIERCE: Final = " >> "

_BY_ATTRIBUTE: Final = re.compile(r"""[\w-]*\[(?:name|id|href|data-[\w-]+)=(?:"[^"]*"|'[^']*'|[\w-]+)\]""")
_BY_ID: Final = re.compile(r"[a-zA-Z]*#(?:[\w-]|\\.|[^\x00-\x7f])+")
_GENERATED: Final = re.compile(r"\d{2}|:")
"""In an id: a number or a mark that frameworks count with, so that another element may bear it next time."""
_COUNTS: Final = re.compile(r":nth-|\bnth=|^xpath=|^\(*//?")

# The roles that Playwright's `get_by_role` takes (its AriaRole); the engine's own (password, file,
# date, clickable) tell a reader more and are no roles.
ARIA_ROLES: Final = frozenset(
    {
        "alert", "alertdialog", "application", "article", "banner", "blockquote", "button", "caption", "cell",
        "checkbox", "code", "columnheader", "combobox", "complementary", "contentinfo", "definition", "deletion",
        "dialog", "directory", "document", "emphasis", "feed", "figure", "form", "generic", "grid", "gridcell",
        "group", "heading", "img", "insertion", "link", "list", "listbox", "listitem", "log", "main", "marquee",
        "math", "menu", "menubar", "menuitem", "menuitemcheckbox", "menuitemradio", "meter", "navigation", "none",
        "note", "option", "paragraph", "presentation", "progressbar", "radio", "radiogroup", "region", "row",
        "rowgroup", "rowheader", "scrollbar", "search", "searchbox", "separator", "slider", "spinbutton", "status",
        "strong", "subscript", "superscript", "switch", "tab", "table", "tablist", "tabpanel", "term", "textbox",
        "time", "timer", "toolbar", "tooltip", "tree", "treegrid", "treeitem",
    }
)  # fmt: skip


def scope(locators: Locators | None, head: str = "page") -> Chain:
    """What an element is looked for in: the page, or its frame."""
    frames = locators.frame if locators is not None else ()
    return Chain(head, tuple(Link("frame_locator", (Text(css),)) for css in frames))


def locator(locators: Locators, head: str = "page", called: Expression | None = None) -> Chain:
    """The element as a Playwright locator: `page.get_by_role("button", name="Send", exact=True)`.

    `called` takes the place of its recorded name, where it has a role and a name, or of its row's text (see `spoken`).
    """
    base, host = scope(locators, head), _host(locators)
    if by_row(locators):
        way = _in_row(locators, head, called)
    elif called is not None and locators.role is not None and locators.role[0] in ARIA_ROLES:
        way = (Link("get_by_role", (Text(locators.role[0]), ("name", called), ("exact", "True"))),)
    else:
        way = (_way(locators),)
    if host is not None and way[0].name != "locator":
        base = base.then("locator", Text(host))
    return Chain(base.head, (*base.links, *way))


def spoken(found: Locators) -> tuple[str, str] | None:
    """What the chosen way calls the element by, as (role, text): its own role and name, or its row's role and text."""
    return found.row[:2] if by_row(found) and found.row is not None else found.role


def by_row(found: Locators) -> bool:
    """Whether the way that is chosen goes by the row that the element stands in."""
    named = found.test_id is not None or (found.role is not None and found.role[0] in ARIA_ROLES)
    if named or found.row is None or found.row[2] not in ARIA_ROLES:
        return False
    return not (found.label or found.placeholder or found.text)


def _in_row(found: Locators, head: str, called: Expression | None) -> tuple[Link, ...]:
    kind, text, role, name = found.row or ("", "", "", "")
    # What a row is to hold is looked for from the row on, so it is of the page itself, whatever frame that is in.
    holds = Chain(head, (Link("get_by_text", (called if called is not None else Text(text), ("exact", "True"))),))
    own = Link("get_by_role", (Text(role), ("name", Text(name)), ("exact", "True")))
    return (Link("get_by_role", (Text(kind),)), Link("filter", (("has", holds),)), own)


def _way(found: Locators) -> Link:
    exact = ("exact", "True")
    if found.test_id is not None and (found.test_id_attribute or _DEFAULT_TEST_ID) == _DEFAULT_TEST_ID:
        return Link("get_by_test_id", (Text(found.test_id),))
    if found.test_id is None:
        if found.role is not None and found.role[0] in ARIA_ROLES:
            name = _named(found, found.role[1]) if found.role[1] else ()
            return Link("get_by_role", (Text(found.role[0]), *name))
        for method, text in (("label", found.label), ("placeholder", found.placeholder), ("text", found.text)):
            if text:
                return Link(f"get_by_{method}", (Text(text), exact))
    return Link("locator", (Text(selector(found)),))


def _named(found: Locators, name: str) -> tuple[Arg, ...]:
    if found.numbered:
        return (("name", pattern(numbers.regex(name))),)
    return (("name", Text(name)), ("exact", "True"))


def opens_name(found: Locators | None) -> bool:
    """Whether the way that is chosen leaves numbers of a name open."""
    if found is None or not found.numbered or found.test_id is not None:
        return False
    return found.role is not None and found.role[0] in ARIA_ROLES


def selector(found: Locators) -> str:
    """The element as one string that Playwright, and so Notte, takes: `role=button[name="Send"]`.

    Says nothing of frames. Labels have no public form of this kind, so they come last.
    """
    own = _own_selector(found)
    host = _host(found)
    return own if host is None or own in (found.css, found.given) else f"{host}{_PIERCE}{own}"


def by_position(found: Locators) -> bool:
    """Whether the way that is chosen says where the element stands, and nothing of what it is."""
    chosen = next(iter(each_way(found)), found)
    if chosen.given:
        return _COUNTS.search(chosen.given) is not None
    structural = not any((chosen.test_id, chosen.role, chosen.label, chosen.placeholder, chosen.text, chosen.row))
    return structural and not is_steady(chosen)


def is_steady(way: Locators) -> bool:
    """Whether this one way (see `each_way`) names the element by what it is, and not by where it stands."""
    if way.role is not None and not way.test_id:
        return bool(way.role[1])
    if way.test_id or way.label or way.placeholder or way.text or way.row:
        return True
    own = (way.given or way.css or "").rpartition(_PIERCE)[2].strip()
    if _BY_ATTRIBUTE.fullmatch(own):
        return True
    return bool(_BY_ID.fullmatch(own)) and not _GENERATED.search(own)


def _own_selector(found: Locators) -> str:
    if found.test_id is not None:
        return f"[{found.test_id_attribute or _DEFAULT_TEST_ID}={_css_string(found.test_id)}]"
    if found.role is not None and found.role[0] in ARIA_ROLES:
        name = numbers.as_literal(found.role[1]) if found.numbered else _quoted(found.role[1])
        return f"role={found.role[0]}" + (f"[name={name}]" if found.role[1] else "")
    if found.placeholder:
        return f"[placeholder={_css_string(found.placeholder)}]"
    if found.text:
        return f"text={_quoted(found.text)}"
    return _by_structure(found) if found.row is None or found.row[2] not in ARIA_ROLES else _row_selector(found.row)


def _row_selector(row: tuple[str, str, str, str]) -> str:
    before, after = around_row_text(row)
    return f"{before}{_inside(_inside(row[1]))}{after}"


def _inside(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _by_structure(found: Locators) -> str:
    if found.label and (not found.css or found.css.endswith(f"{_PIERCE}*")) and not found.given:
        return f"internal:label={_quoted(found.label)}s"
    return found.given or found.css or f"xpath={found.xpath}"


def around_row_text(row: tuple[str, str, str, str]) -> tuple[str, str]:
    """What stands before and after the row's text in a selector: `filter(has=get_by_text(...))` as one string."""
    before, after = f'role={row[0]} >> internal:has="internal:text=', f" >> role={row[2]}[name={_quoted(row[3])}]"
    return before + r"\"", r'\"s"' + after


def each_way(found: Locators) -> list[Locators]:
    """The recorded ways apart from each other, in the order in which they are chosen; each knows frames and host."""
    alone = Locators(frame=found.frame, shadow=found.shadow)
    host = _host(found)
    # Inside a shadow root every way is looked for below the host, which only the css tells.
    base = replace(alone, css=f"{host}{_PIERCE}*") if host is not None else alone
    ways: list[Locators] = []
    if found.test_id is not None:
        ways.append(replace(base, test_id=found.test_id, test_id_attribute=found.test_id_attribute))
    if found.role is not None and found.role[0] in ARIA_ROLES:
        ways += [replace(base, role=found.role, numbered=True)] if found.numbered else []
        ways.append(replace(base, role=found.role))
    texts = (("label", found.label), ("placeholder", found.placeholder), ("text", found.text))
    ways += [replace(base, **{field: text}) for field, text in texts if text]
    if found.row is not None and found.row[2] in ARIA_ROLES:
        ways.append(replace(base, row=found.row))
    ways += [replace(alone, given=found.given)] if found.given else []
    ways += [replace(alone, css=found.css)] if found.css else []
    ways += [replace(alone, xpath=found.xpath)] if found.xpath else []
    return ways


def node_selectors(found: Locators) -> dict[str, Any]:
    """The element as Notte's NodeSelectors, which say what frames it stands in (outermost first)."""
    return {
        "css_selector": found.css or "",
        "xpath_selector": (found.xpath or "").lstrip("/"),
        "playwright_selector": selector(found),
        "in_iframe": bool(found.frame),
        "in_shadow_root": found.shadow,
        "iframe_parent_css_selectors": list(found.frame),
    }


def is_native_select(found: Locators) -> bool:
    """Whether the structural selector says that the element is a `select`."""
    last = (found.css or "").rpartition(_PIERCE)[2].rpartition(" > ")[2]
    tag = last.split("[")[0].split(":")[0]
    return tag == "select" or (found.xpath or "").rpartition("/")[2].split("[")[0] == "select"


def _host(found: Locators) -> str | None:
    """The selector of the shadow root's host, where the element stands in one."""
    return (found.css or "").rpartition(_PIERCE)[0] or None if found.shadow else None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _css_string(text: str) -> str:
    """A string of CSS: controls as hexadecimal escapes, which end at their space."""
    return '"' + "".join(f"\\{ord(c):x} " if ord(c) < 0x20 else f"\\{c}" if c in '"\\' else c for c in text) + '"'  # noqa: PLR2004
