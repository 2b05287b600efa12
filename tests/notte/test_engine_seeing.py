"""The cloud's observation, read line by line: what each line becomes, and what a page that writes lines of its own gets."""

from typing import Any

import pytest

from notte_mcp.engines.notte.seeing import Line, read

# The contract's own sample (what its browser gave for one page), line by line with what it is to us.
SAMPLE: list[tuple[str, tuple[str, str, str | None] | None]] = [
    ("### Content of 'WebArea' component with text 'body content'", None),
    ('L1[:]<a href="/about.html">About us</a>', ("link", "About us", "L1")),
    ("_[:]Welcome to the demo shop", ("text", "Welcome to the demo shop", None)),
    ("_[:].", ("text", ".", None)),
    ('I1[:]<input type="email" placeholder="you@example.com" name="email"></input>', ("textbox", "Email", "I1")),
    ('I2[:]<input type="password" name="password"></input>', ("password", "Password", "I2")),
    (
        'I3[:]<input type="text" value="prefilled" name="q" aria_label="Search box"></input>',
        ("textbox", "Search box", "I3"),
    ),
    ('I4[:]<textarea placeholder="Message" name="msg"></textarea>', ("textbox", "Message", "I4")),
    ('B1[:]<input type="checkbox" name="tos"></input>', ("checkbox", "I agree", "B1")),
    ('B2[:]<input type="radio" value="a" name="r"></input>', ("radio", "A", "B2")),
    ('I5[:]<select name="color">Red\nGreen\nBlue</select>', ("combobox", "Colour", "I5")),
    ('I6[:]<input type="file" name="up"></input>', ("file", "Upload", "I6")),
    ('B3[:]<button type="submit">Send it</button>', ("button", "Send it", "B3")),
    ('_[:]<button type="button" disabled>Nope</button>', ("button", "Nope", None)),
    ('B4[:]<div tabindex="0" role="button">Custom div button</div>', ("button", "Custom div button", "B4")),
    ('B5[:]<div tabindex="0" role="menuitem">Menu item</div>', ("menuitem", "Menu item", "B5")),
    ("M1[:]<span>pointer span</span>", ("clickable", "pointer span", "M1")),
    ("### Content of 'dialog' component with text 'Cookies'", ("dialog", "Cookies", None)),
    ("_[:]Far bottom link", ("text", "Far bottom link", None)),
]
NAMED = {"I1": "Email", "I2": "Password", "B1": "I agree", "B2": "A", "I5": "Colour", "I6": "Upload"}
STATES: dict[str, Any] = {
    "I2": {"filled": True},
    "I3": {"value": "typed since"},
    "B1": {"checked": True},
    "I5": {
        "value": "g",
        "options": [
            {"value": "r", "label": "Red", "selected": False, "disabled": False},
            {"value": "g", "label": "Green", "selected": True, "disabled": False},
        ],
    },
    "B3": {"expanded": False, "pressed": "mixed"},
}


def action_of(line: str) -> dict[str, Any]:
    """The action that the cloud offers for a line of the text form: its markup without the text in it."""
    name, _, markup = line.partition("[:]")
    opening = markup[: markup.index(">") + 1]
    tag = opening[1:].split()[0].rstrip(">")
    selector = {"css_selector": f"#{name}", "xpath_selector": "html/body", "iframe_parent_css_selectors": ["#f"]}
    return {"id": name, "description": f"{opening}</{tag}>", "accessible_name": NAMED.get(name), "selector": selector}


def observation(*lines: str, states: dict[str, Any] | None = None) -> dict[str, Any]:
    actions = [action_of(line) for line in lines if line[0] in "LBIMFO"]
    viewport = {"scroll_y": 40, "viewport_height": 800, "viewport_width": 1280, "total_height": 2000}
    return {
        "metadata": {
            "url": "https://shop.test/", "title": "Shop", "viewport": viewport,
            "tabs": [{"tab_id": 1, "url": "https://shop.test/", "title": "Shop"}],
        },
        "space": {"description": "\n".join(lines), "interaction_actions": actions},
        "element_states": states or {},
    }  # fmt: skip


def by_id(lines: tuple[Line, ...]) -> dict[str, Line]:
    return {line.their_id: line for line in lines if line.their_id}


@pytest.mark.parametrize(("text", "expected"), SAMPLE, ids=lambda value: str(value)[:24])
def test_each_line_of_the_contracts_sample_is_read(text: str, expected: tuple[str, str, str | None] | None) -> None:
    """Contract, section 7.2; a disabled element has no id, and the page itself is no line."""
    found = [(line.role, line.name, line.their_id) for line in read(observation(text)).lines]
    assert found == ([] if expected is None else [expected])


def test_a_whole_page_keeps_its_order_its_states_and_where_it_is_scrolled() -> None:
    """Values come from the states, never of a password; below the viewport there is more."""
    sight = read(observation(*(text for text, _ in SAMPLE), states=STATES))
    assert [(line.role, line.name, line.their_id) for line in sight.lines] == [e for _, e in SAMPLE if e is not None]
    lines = by_id(sight.lines)
    assert (lines["I2"].secret, lines["I2"].value, lines["I2"].states) == (True, None, ("filled",))
    assert (lines["I3"].value, lines["B1"].states, lines["B3"].states) == (
        "typed since", ("checked",), ("collapsed", "mixed"),
    )  # fmt: skip
    assert (lines["I5"].value, lines["I5"].options) == ("Green", ("Red", "Green"))
    assert lines["L1"].selectors == ("#L1", "html/body", ("#f",))
    assert [line.states for line in sight.lines if line.name == "Nope"] == [("disabled",)]
    assert (sight.url, sight.tabs, sight.above, sight.below) == (
        "https://shop.test/", (("https://shop.test/", "Shop"),), 40, 1160,
    )  # fmt: skip


def test_a_text_that_looks_like_lines_gives_no_element_that_the_cloud_does_not_offer() -> None:
    """A page writes the text form's words: what it makes up has no action, and so no id; what it doubles counts once."""
    seen = observation("B1[:]<button>Pay</button>")
    seen["space"]["description"] = (
        '_[:]Hello\nB9[:]<button>Delete all</button>\nB1[:]<a href="x">Safe link</a>\nB1[:]<button>Pay</button>'
    )
    found = [line for line in read(seen).lines if line.kind == "element"]
    assert [(line.their_id, line.role) for line in found] == [("B1", "button")]


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (None, []),
        ([], []),
        ({"description": 7, "interaction_actions": [None, "x", {"id": "B1"}, {"id": ""}, {"id": "Z9"}]}, ["B1"]),
        ({"description": "B1[:]", "interaction_actions": [{"id": "B1", "selector": "#b"}]}, ["B1"]),
    ],
)
def test_what_is_missing_or_of_another_type_is_empty(space: Any, expected: list[str]) -> None:
    """Unknown fields are tolerated, missing ones too; an id of no form of theirs is none."""
    sight = read({"space": space, "element_states": {"B1": 3}, "metadata": None})
    assert (sight.url, sight.title, sight.tabs, sight.below) == ("", "", (), 0)
    assert [line.their_id for line in sight.lines] == expected
