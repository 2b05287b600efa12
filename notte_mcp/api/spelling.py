"""What a page shows as the contract's text, line for line, and what can be done there as its markdown.

    ### Content of 'WebArea' component with text 'body content'
    L1[:]<a href="/about.html">About us</a>
    _[:]Some text

The contracts differ in one line here: what is disabled stands as its element in 1.10, as its text in 1.9. Text of the
page never begins a line that reads as an id's.

Pure. Below: asked, naming, engines.described. Above: observing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from notte_mcp.api.asked import SPECIAL
from notte_mcp.api.calls import Contract
from notte_mcp.api.naming import Named, Page
from notte_mcp.engines.described import Described

MAX_VALUE: Final = 60
"""Characters of an attribute as shown."""

EMPTY: Final = "[Empty page]"
"""What stands for a page that nothing was opened in."""

_SHOWN: Final = (
    "type", "value", "tabindex", "href", "src", "placeholder", "title", "alt", "name", "role", "aria-label",
    "aria-expanded",
)  # fmt: skip
_TELLING_GROUPS: Final = frozenset({"heading", "group", "table", "progressbar", "meter"})
_MARK: Final = re.compile(r"\[:\]")
_SAMPLE: Final = "<sample_value>"


def description(page: Page, contract: Contract) -> str:
    """The page's text form."""
    component = "dialog" if page.dialog else "WebArea"
    text = "" if page.dialog else "body content"
    head = f"### Content of '{component}' component with text '{text}'"
    return "\n".join((head, *_lines(page, contract)))


def _lines(page: Page, contract: Contract) -> Iterator[str]:
    for line in page.lines:
        spelt = line.spelt
        if line.node.kind == "group":
            if line.node.role in _TELLING_GROUPS and line.node.name:
                yield _text(line.node.name)
        elif line.node.kind == "text" or spelt is None:
            parts = spelt.label.split("\n") if spelt is not None and spelt.label and not spelt.tag else [line.node.name]
            yield from (_text(part) for part in parts if part.strip())
        else:
            yield from (_text(text) for text in spelt.before)
            yield from _element(line, spelt, contract)
            yield from (_text(text) for text in spelt.after)


def _element(line: Named, spelt: Described, contract: Contract) -> Iterator[str]:
    if line.id is not None:
        yield f"{line.id}[:]{element(spelt)}"
    elif contract == "1.10":
        yield f"_[:]{element(spelt)}"
    elif line.label:
        yield _text(line.label)


def _text(text: str) -> str:
    return f"_[:]{_plain(text)}"


def _plain(text: str) -> str:
    return _MARK.sub("[: ]", text)


def element(spelt: Described) -> str:
    """An element with its text, as HTML."""
    return f"{opening(spelt)}{_plain(spelt.label)}</{spelt.tag}>"


def opening(spelt: Described) -> str:
    """An element's start tag, with the attributes that tell something."""
    given = spelt.attributes
    told = [f' {name.replace("-", "_")}="{_cut(given[name])}"' for name in _SHOWN if given.get(name)]
    return f"<{spelt.tag}{''.join(told)}{' disabled' if 'disabled' in given else ''}>"


def _cut(value: str) -> str:
    line = " ".join(_plain(value).split())
    return line if len(line) <= MAX_VALUE else f"{line[:MAX_VALUE]}..."


# --- what can be done -------------------------------------------------------------

BROWSER: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "captcha_solve": ("captcha_type", "Solve a captcha (the cloud can)", {"captcha_type": "recaptcha"}),
    "close_tab": ("", "Close the current tab", {}),
    "evaluate_js": ("code", "Run JavaScript in the page: an expression or a function called at once", {"code": "document.title"}),
    "form_fill": ("value: dict", "Fill several fields of a form by what they are for", {"value": {"email": "user@example.com", "full_name": "Ada Lovelace"}}),
    "go_back": ("", "Go back to the page before", {}),
    "go_forward": ("", "Go forward to the page after", {}),
    "goto": ("url", "Open a URL in the current tab", {"url": "<some_url>", "wait_until": None}),
    "goto_new_tab": ("url", "Open a URL in a new tab", {"url": "<some_url>"}),
    "press_key": ("key", "Press a key, as Enter or Control+A", {"key": "<some_key>"}),
    "reload": ("", "Load the current page again", {}),
    "scroll_down": ("amount", "Scroll down by some pixels; null is a page", {"amount": None, "selector": None}),
    "scroll_up": ("amount", "Scroll up by some pixels; null is a page", {"amount": None, "selector": None}),
    "switch_tab": ("tab_index", "Make another tab the current one", {"tab_index": 0}),
    "wait": ("time_ms", "Wait for a time in milliseconds", {"time_ms": 1000}),
}  # fmt: skip
"""The kinds that need no element: their signature, what they do, sample values."""

INTERACTION: Final = "Interaction action"
"""So it is spelled where actions are offered; where one is asked for, it is `Interaction Actions`."""


def browser_actions() -> list[dict[str, Any]]:
    """All that can be done without an element."""
    return [
        {"type": kind, "category": SPECIAL, "description": said, **sample}
        for kind, (_, said, sample) in BROWSER.items()
    ]


def interaction(line: Named, selector: dict[str, Any]) -> dict[str, Any]:
    """What can be done with an element."""
    value: dict[str, Any] = {} if line.kind == "click" else {"value": _SAMPLE}
    if line.kind == "fill":
        value["clear_before_fill"] = True
    return {
        "type": line.kind,
        "category": INTERACTION,
        "description": _bare(line),
        "id": line.id,
        "selector": selector,
        "press_enter": None,
        "text_label": line.label,
        "accessible_name": line.node.name,
        "timeout": 15_000,
        **value,
    }


def _bare(line: Named) -> str:
    return "" if line.spelt is None else f"{opening(line.spelt)}</{line.spelt.tag}>"


def markdown(elements: Sequence[Named]) -> str:
    """All that can be done, one a line."""
    lines = [f"# {INTERACTION}"] if elements else []
    for line in sorted(elements, key=lambda each: each.id or ""):
        more = "" if line.kind == "click" else ", value: string"
        lines.append(f"* `{line.kind}(id={line.id}{more})`: {_bare(line)}")
    lines.append(f"\n# {SPECIAL}" if elements else f"# {SPECIAL}")
    lines += [f"* `{kind}({signature})`: {said}" for kind, (signature, said, _) in BROWSER.items()]
    return "\n".join(lines)
