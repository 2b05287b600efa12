"""A workflow's steps as an engine takes them."""

from dataclasses import replace
from typing import Any

import pytest

from notte_mcp.actions import ACTION_TYPES, Action, Click
from notte_mcp.batches import parse_action
from notte_mcp.errors import InvalidAction
from notte_mcp.receipts import Locators
from notte_mcp.workflows import WorkflowStep, generalise
from notte_mcp.workflows.acting import action_of, from_now, ways
from tests.workflows.recording import SPEC, Recording, button, element, textbox
from tests.workflows.test_forms import everything

FULL = Locators(
    test_id="send",
    test_id_attribute="data-qa",
    role=("button", 'Say "hi"'),
    label="Label",
    placeholder="Holder",
    text="Text",
    css="form > button:nth-of-type(2)",
    xpath="/html/body/form/button[2]",
    given="#send",
)


def test_every_recorded_way_is_given_the_most_resilient_first() -> None:
    """Design: what an element is called before where it stands; the order that scripts choose in."""
    assert [(way.selector, way.steady) for way in ways(FULL)] == [
        ('[data-qa="send"]', True),
        ('role=button[name="Say \\"hi\\""]', True),
        ('internal:label="Label"s', True),
        ('[placeholder="Holder"]', True),
        ('text="Text"', True),
        ("#send", True),
        ("form > button:nth-of-type(2)", False),
        ("xpath=/html/body/form/button[2]", False),
    ]


def test_every_way_goes_through_the_frames_and_below_the_host() -> None:
    """Ours: an element is unique where it stands, not on the whole page."""
    framed = Locators(role=("button", "Go"), css="#go", frame=("#outer", 'iframe[name="in"]'))
    shadowed = Locators(role=("button", "Go"), label="L", css="#host >> button", shadow=True)
    into = '#outer >> internal:control=enter-frame >> iframe[name="in"] >> internal:control=enter-frame >> '

    assert [way.selector for way in ways(framed)] == [into + 'role=button[name="Go"]', into + "#go"]
    assert [way.selector for way in ways(shadowed)] == [
        '#host >> role=button[name="Go"]',
        '#host >> internal:label="L"s',
        "#host >> button",
    ]


FERN = ("row", 'Royal "fern"', "link", "Edit")
IN_ROW = r'role=row >> internal:has="internal:text=\"Royal \\\"fern\\\"\"s" >> role=link[name="Edit"]'


def test_what_repeats_is_found_by_its_row_before_its_place() -> None:
    """Playwright's own selector for `filter(has=page.get_by_text(...))`; after a reorder a place would be another row."""
    place = "tr:nth-of-type(2) > td > a"
    found = ways(Locators(row=FERN, css=place))
    assert [(way.selector, way.steady) for way in found] == [(IN_ROW, True), (place, False)]
    assert ways(Locators(row=FERN, css="#host >> a", shadow=True))[0].selector == f"#host >> {IN_ROW}"
    assert ways(Locators(text="Own", row=FERN))[0].selector == 'text="Own"'


@pytest.mark.parametrize(
    ("css", "steady"),
    [
        ('a[href="/plants/edit"]', True),
        ("#send", True),
        ('select[name="district"]', True),
        ("[name=q]", True),
        ('[data-id="7"]', True),
        ("#host >> #send", True),
        ("#input-17", False),
        ("#\\:r1\\:", False),
        ("#form > input", False),
        ("button:nth-of-type(2)", False),
        ("#a, #b", False),
        ("html > body > div", False),
    ],
)
def test_a_structural_way_is_steady_only_where_it_is_a_name(css: str, steady: bool) -> None:
    """Ours: a position, and an id that a framework counted, may be another element's next time."""
    assert ways(Locators(css=css))[0].steady == steady


def test_roles_that_playwright_has_not_and_roles_without_a_name_are_no_names() -> None:
    """Ours: `password` is our word; a button without a name is one of many."""
    assert [way.selector for way in ways(Locators(role=("password", "Code"), css="#c"))] == ["#c"]
    assert [way.steady for way in ways(Locators(role=("button", ""), css="#c"))] == [False, True]


def acted(recording: Recording, values: dict[str, str], **where: str | None) -> list[Action]:
    """The actions of the recording's workflow, the first `goto` aside."""
    steps = generalise(recording.steps, SPEC).steps[1:]
    return [
        action_of(s, values, selector=where.get("selector"), to_selector=where.get("to_selector"))
        for s in steps
        if s.action
    ]


@pytest.mark.parametrize(
    ("action", "values", "expected"),
    [
        ({"type": "fill", "value": "Ada", "press_enter": True}, {"field": "Bob"}, {"value": "Bob"}),
        ({"type": "fill", "value": "Ada"}, {}, {}),
        ({"type": "fill", "value": ""}, {}, {}),
        ({"type": "fill", "value": {"secret": "PIN"}}, {"pin": "1234"}, {"value": "1234"}),
        ({"type": "select_dropdown_option", "value": "N"}, {"field": "S"}, {"value": "S"}),
        ({"type": "upload_file", "path": "a.pdf"}, {"field": "/b.pdf"}, {"path": "/b.pdf"}),
        ({"type": "check", "value": False}, {}, {}),
        ({"type": "press_key", "key": "Tab"}, {}, {}),
        ({"type": "scroll_down", "amount": 300}, {}, {}),
        ({"type": "wait_for"}, {}, {}),
    ],
)
def test_an_action_has_its_values_and_its_place(
    action: dict[str, Any], values: dict[str, str], expected: dict[str, str]
) -> None:
    """Ours: the recorded value where none is given, and nothing of the recording's ids."""
    # What a scroll brings is waited for, or no script would need it.
    recording = Recording().goto("http://h.test/").add(action | {"id": "I1"}, textbox("I1", "Field"), unsettled=True)

    assert acted(recording, values, selector="#it") == [parse_action(action | expected | {"selector": "#it"})]


def test_an_action_without_an_element_has_its_values_too() -> None:
    """Ours: addresses, dialogs, forms and texts that are waited for."""
    code = element("I1", "password", "Code")
    recording = Recording().goto("http://h.test/").fill(code, {"secret": "CODE"})
    recording.add({"type": "handle_dialog", "value": "accept", "answer": "yes"})
    recording.add({"type": "form_fill", "value": {"email": "a@h.test", "password": {"secret": "PASSWORD"}}})
    recording.add({"type": "wait_for", "gone": "Busy"}).goto("http://h.test/?c=[secret CODE]&d=1")
    values = {"code": "x y", "dialog_answer": "no", "password": "p", "email": "b@h.test"}

    assert acted(recording, values, selector="#c")[1:] == [
        parse_action({"type": "handle_dialog", "value": "accept", "answer": "no"}),
        parse_action({"type": "form_fill", "value": {"email": "b@h.test", "password": "p"}}),
        parse_action({"type": "wait_for", "gone": "Busy"}),
        parse_action({"type": "goto", "url": "http://h.test/?c=x y&d=1"}),
    ]


def test_a_drag_has_both_its_ends() -> None:
    """Ours: from and to."""
    recording = Recording().goto("http://h.test/")
    recording.add({"type": "drag", "id": "B1", "to_selector": "#pile"}, button("B1", "Card"))

    assert acted(recording, {}, selector="#a", to_selector="#b") == [
        parse_action({"type": "drag", "selector": "#a", "to_selector": "#b"})
    ]


def test_what_does_not_fit_is_refused_before_it_is_done() -> None:
    """Ours: a secret without a value, a text that no action takes."""
    recording = Recording().goto("http://h.test/").fill(element("I1", "password", "Code"), {"secret": "CODE"})

    with pytest.raises(InvalidAction, match=r"The secret CODE has no value.*Next: set CODE first"):
        acted(recording, {}, selector="#c")
    with pytest.raises(InvalidAction, match="at most 1000000 characters"):
        acted(recording, {"code": "x" * 1_000_001}, selector="#c")


def test_every_step_of_a_workflow_is_an_action_again() -> None:
    """Ours: each type, aimed or not."""
    secrets = {"code": "c", "otp": "1", "password": "p"}
    steps = [step for step in generalise(everything().steps, SPEC).steps if step.action]
    kinds = {action_of(step, secrets, selector="#a", to_selector="#b").type for step in steps}

    assert kinds == set(ACTION_TYPES) - {"wait", "help", "completion"}


def test_what_led_to_an_element_is_its_first_way_from_now_on() -> None:
    """And what went before it is gone; in another frame, too, and below the host of a shadow root."""
    found = Locators(role=("button", "Pay 12"), numbered=True, label="Pay", text="Pay", css="#pay", xpath="/p")
    step = WorkflowStep(1, Click(selector="x"), locators=found)
    for way in ways(found):
        now = from_now(step, way.selector)
        assert now is not None
        assert now.locators is not None
        assert ways(now.locators) == ways(found)[ways(found).index(way) :]
    moved = from_now(step, "iframe >> nth=1 >> internal:control=enter-frame >> #pay")
    assert moved is not None
    assert moved.locators == Locators(css="#pay", xpath="/p", frame=("iframe >> nth=1",))
    inside = replace(found, css="#host >> b", xpath=None, shadow=True)
    below = from_now(replace(step, locators=inside), ways(inside)[-2].selector)
    assert below is not None
    assert below.locators == Locators(text="Pay", css="#host >> b", shadow=True)
    assert from_now(step, "agent agt_1") is None
