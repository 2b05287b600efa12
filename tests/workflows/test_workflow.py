"""From recorded steps to a workflow: parameters, secrets, places and addresses."""

import re
from dataclasses import replace
from typing import Any

import pytest

from notte_mcp.actions import ACTION_TYPES
from notte_mcp.receipts import Locators, Target
from notte_mcp.workflows.generalising import to_workflow
from notte_mcp.workflows.parameters import Parameter, env_name, identifier
from notte_mcp.workflows.urls import ending_regex, fits, openable, pattern
from notte_mcp.workflows.workflow import Workflow, WorkflowStep
from tests.workflows.recording import SPEC, Recording, button, element, textbox

FORM = "http://h.test/form"


def workflow(recording: Recording, *, keep_failed: bool = False) -> Workflow:
    """The recording as a workflow."""
    return to_workflow(recording.steps, SPEC, keep_failed=keep_failed)


def last(recording: Recording) -> WorkflowStep:
    """The last step of the recording's workflow."""
    return workflow(recording).steps[-1]


def test_typed_texts_become_parameters_named_like_their_fields() -> None:
    """Ours: names in snake_case, the recorded text as default, a number where a name comes again."""
    found = workflow(
        Recording()
        .goto(FORM)
        .fill(textbox("I1", "Full name"), "Ada")
        .fill(textbox("I2", "E-mail (work)"), "ada@h.test")
        .fill(textbox("I3", "Full name"), "Bob")
        .fill(textbox("I4", "", placeholder="Your street"), "Main St")
        .fill(textbox("I5", "", css='form > input[name="postCode"]'), "0150")
        .fill(textbox("I6", "名前", xpath="/html/input"), "花子")
        .add({"type": "upload_file", "id": "I7", "path": "cv.pdf"}, element("I7", "file", "Your CV"))
    )

    assert found.parameters == (
        Parameter("full_name", default="Ada"),
        Parameter("e_mail_work", default="ada@h.test"),
        Parameter("full_name_2", default="Bob"),
        Parameter("your_street", default="Main St"),
        Parameter("post_code", default="0150"),
        Parameter("textbox", default="花子"),
        Parameter("your_cv", type="path", default="cv.pdf"),
    )


def test_the_same_text_in_the_same_field_is_one_parameter() -> None:
    """Ours: one edit then changes it everywhere."""
    search = textbox("I1", "Search")
    go = button("B1", "Go")
    found = workflow(
        Recording().goto(FORM).fill(search, "lamp").click(go).fill(search, "lamp").click(go).fill(search, "oil")
    )

    assert [p.name for p in found.parameters] == ["search", "search_2"]


def test_clearing_a_field_needs_no_parameter() -> None:
    """Ours: an empty text is a literal."""
    found = workflow(Recording().goto(FORM).fill(textbox("I1", "Name"), ""))

    assert (found.parameters, found.steps[-1].value) == ((), "")


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("class", "class_value"),
        ("print", "print_value"),
        ("page", "page_value"),
        ("2nd name", "value_2nd_name"),
        ("firstName", "first_name"),
        ("Ærø Straße", "r_strae"),
        ("???", "value"),
        ("x" * 60, "x" * 40),
    ],
)
def test_a_name_is_an_identifier_that_means_nothing_else(wish: str, expected: str) -> None:
    """Ours: neither Python's words nor what the script calls its own."""
    assert identifier(wish) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ACCESS_CODE", "ACCESS_CODE"), ("a=b; rm", "A_B_RM"), ("1st", "SECRET_1ST"), ("é", "E"), ("密", "SECRET")],
)
def test_a_secret_is_named_by_an_environment_variable(name: str, expected: str) -> None:
    """Ours: whatever the record calls it, it is a plain name."""
    assert env_name(name) == expected


SECRET = Parameter("pin_code", secret=True, env="PIN_CODE")


@pytest.mark.parametrize(
    "step",
    [
        ({"type": "fill", "id": "I1", "value": {"secret": "PIN_CODE"}}, element("I1", "textbox", "Pin code"), {}),
        (
            {"type": "fill", "id": "I1", "value": "hunter2"},
            element("I1", "textbox", "Pin code"),
            {"secret": "PIN_CODE"},
        ),
        ({"type": "fill", "id": "I1", "value": "hunter2"}, element("I1", "password", "Pin code"), {}),
        ({"type": "fill", "id": "I1", "value": None}, element("I1", "textbox", "Pin code"), {}),
        ({"type": "press_key", "id": "I1", "key": {"secret": "PIN_CODE"}}, element("I1", "textbox", "Pin"), {}),
    ],
)
def test_a_secret_becomes_the_name_of_an_environment_variable(
    step: tuple[dict[str, Any], Target, dict[str, Any]],
) -> None:
    """P9: also where a record holds what it should not."""
    action, target, receipt = step
    found = workflow(Recording().goto(FORM).add(action, target, **receipt))

    assert (found.parameters, found.steps[-1].value) == ((SECRET,), SECRET)
    assert "hunter2" not in repr(found)


def test_a_one_time_code_and_a_form_s_secrets_are_secrets_by_what_they_are() -> None:
    """P9: what a multi_factor_fill types, and form fields that Notte keeps in vaults."""
    found = workflow(
        Recording()
        .goto(FORM)
        .add({"type": "multi_factor_fill", "id": "I1", "value": "123456"}, textbox("I1", "Digits"))
        .add(
            {
                "type": "form_fill",
                "value": {"email": "a@h.test", "password": "hunter2", "cc_number": {"secret": "CC_NUMBER"}},
            }
        )
    )

    assert [(p.name, p.env) for p in found.parameters] == [
        ("one_time_code", "ONE_TIME_CODE"),
        ("email", None),
        ("password", "PASSWORD"),
        ("cc_number", "CC_NUMBER"),
    ]


def test_a_text_comes_back_in_parts_where_a_known_secret_was_cut_out() -> None:
    """Ours: and a page's own text cannot name an environment variable."""
    pin = element("I1", "password", "Pin code")
    recording = Recording().goto(FORM).fill(pin, {"secret": "PIN_CODE"})
    recording.goto("http://h.test/?a=[secret PIN_CODE]&b=[secret HOME]")

    assert last(recording).value == ("http://h.test/?a=", SECRET, "&b=", "[secret HOME]")


def test_a_password_in_an_address_is_left_out() -> None:
    """P9: a user and password before the host."""
    found = workflow(Recording().goto("http://ada:hunter2@h.test/form"))

    assert (found.start_url, found.steps[0].value) == (FORM, FORM)


def test_no_id_of_an_element_is_left() -> None:
    """Ours: an id means something in its session only."""
    named = Recording().goto(FORM).click(button("B7", "Send"))
    selected = Recording().goto(FORM).add({"type": "click", "selector": "#send"})

    assert last(named).locators == Locators(role=("button", "Send"), css="#b7")
    assert last(selected).locators == Locators(given="#send")


def test_what_another_step_learnt_of_an_element_is_used() -> None:
    """Ours: a wait_for by id may come without a receipt of its element."""
    recording = Recording().goto(FORM).add({"type": "wait_for", "id": "B7"}).click(button("B7", "Send"))

    assert workflow(recording).steps[1].locators == Locators(role=("button", "Send"), css="#b7")


def test_an_element_without_any_locator_is_looked_for_by_role_and_name() -> None:
    """Ours: the receipt always tells these two."""
    recording = Recording().goto(FORM).add({"type": "click", "id": "B7"}, Target("B7", "button", "Send"))

    assert last(recording).locators == Locators(role=("button", "Send"))


def test_a_step_whose_element_is_unknown_is_told_of_and_not_guessed() -> None:
    """Ours: nothing is lost in silence, also without keep_failed."""
    found = last(Recording().goto(FORM).add({"type": "click", "id": "B7"}))

    assert (found.action, found.comment) == (None, "step 2, click: left out, its element was not recorded")


def test_locators_that_a_secret_was_cut_out_of_are_not_used() -> None:
    """Ours: no element is called `[secret PIN]`."""
    target = Target(
        "B1", "button", "Log out", Locators(role=("button", "[secret PIN]"), text="[secret PIN]", css="#out")
    )

    assert last(Recording().goto(FORM).click(target)).locators == Locators(css="#out")


def test_failed_steps_stay_as_comments_when_asked_for() -> None:
    """Design: options.keep_failed."""
    recording = (
        Recording()
        .goto(FORM)
        .click(button("B1", "Send"), success=False, message="It is covered. Next: notte_observe()")
    )
    recording.add({"type": "reload"}, state="outcome_unknown", success=False)

    assert [s.comment for s in workflow(recording, keep_failed=True).steps] == [
        "",
        'step 2, click on button "Send" failed: It is covered.',
        UNKNOWN,
    ]


def test_a_page_that_was_read_on_the_way_is_told_of_among_what_is_left_out() -> None:
    """Ours: no script needs it; a reader who asks for all of the account finds it."""
    recording = Recording().goto(FORM).add({"type": "scrape"}, data="x").click(button("B1", "Send"))

    told = [s.comment for s in workflow(recording, keep_failed=True).steps]
    assert told == ["", "step 2, scrape: read the page on the way", ""]
    assert len(workflow(recording).steps) == 2


UNKNOWN = "step 3, reload (outcome unknown): left out, since nobody knows whether it happened"


def test_a_step_whose_outcome_is_unknown_is_told_of_without_being_asked_for() -> None:
    """Ours: it may have happened, so a script that is silent about it would be no account of the session."""
    recording = (
        Recording()
        .goto(FORM)
        .click(button("B1", "Send"), success=False, message="It is covered. Next: notte_observe()")
    )
    recording.add({"type": "reload"}, state="outcome_unknown", success=False)

    assert [s.comment for s in workflow(recording).steps] == ["", UNKNOWN]


def test_a_step_whose_outcome_is_unknown_is_named_by_what_is_known_of_its_element() -> None:
    """Ours: it has no receipt; another step may have met the element."""
    recording = Recording().goto(FORM).add({"type": "hover", "id": "B1"}, button("B1", "Pay"))
    recording.click(button("B1", "Pay"), state="outcome_unknown", success=False)
    recording.click(button("B2", "Other"), state="outcome_unknown", success=False)
    recording.steps[2:] = [replace(step, receipt=None) for step in recording.steps[2:]]

    assert [s.comment.partition(":")[0] for s in workflow(recording).steps[2:]] == [
        'step 3, click on button "Pay" (outcome unknown)',
        "step 4, click on B2 (outcome unknown)",
    ]


def test_a_recording_that_begins_in_the_middle_opens_its_page_first() -> None:
    """Ours: a restored session, or someone else's browser."""
    found = workflow(Recording(FORM).click(button("B1", "Send")))

    assert [s.action.type for s in found.steps if s.action] == ["goto", "click"]
    assert found.start_url == FORM


def test_a_click_that_navigated_is_waited_for() -> None:
    """Ours: by the address, with what will differ left open."""
    found = last(Recording().goto(FORM).click(button("B1", "Send"), to="http://h.test/orders/1042?lang=en"))

    assert (found.leads_to, found.anew) == ("http://h.test/orders/*?**", False)


def test_a_navigation_to_an_address_of_the_same_form_is_told_by_the_navigation() -> None:
    """Ours: waiting for an address that is already there would wait for nothing."""
    found = last(Recording().goto("http://h.test/orders/1").click(button("B1", "Next"), to="http://h.test/orders/2"))

    assert (found.leads_to, found.anew) == ("http://h.test/orders/*", True)


def test_a_page_that_moved_on_after_the_action_was_over_is_waited_for() -> None:
    """Ours: the next action's receipt shows where it began."""
    recording = Recording().goto(FORM).click(button("B1", "Send"))
    recording.click(button("B2", "Next"), url_before="http://h.test/sent", url_after="http://h.test/sent")

    assert [step.leads_to for step in workflow(recording).steps] == [None, "http://h.test/sent", None]


@pytest.mark.parametrize(
    ("url", "typed", "expected"),
    [
        ("http://h.test/a/b", [], "http://h.test/a/b"),
        ("http://h.test/orders/1042/edit", [], "http://h.test/orders/*/edit"),
        ("http://h.test/order-1042", [], "http://h.test/order-*"),
        ("http://h.test/v2/x", [], "http://h.test/v2/x"),
        ("http://h.test/o/3f2b8c1d-9a4e-4b6f-8c7d-1a2b3c4d5e6f", [], "http://h.test/o/*"),
        ("http://h.test/o/AP-0021abd8", [], "http://h.test/o/AP-*"),
        ("http://h.test/mp3-players/step2", [], "http://h.test/mp3-players/step2"),
        ("http://h.test/facade", [], "http://h.test/facade"),
        ("http://h.test/search/red%20lamp/all", ["red lamp"], "http://h.test/search/*/all"),
        ("http://h.test/search?q=lamp#top", ["lamp"], "http://h.test/search?**"),
        ("http://h.test/#/orders/7", [], "http://h.test/#**"),
        ("http://h.test/a{b}[c]*", [], "http://h.test/a*b**c**"),
        ("http://[::1]:8000/x", [], "http://[::1]:8000/x"),
        ("http://h.test/[secret PIN]/x", [], "http://h.test/*/x"),
    ],
)
def test_a_pattern_leaves_open_what_another_run_will_not_repeat(url: str, typed: list[str], expected: str) -> None:
    """Ours: numbers, tokens and typed texts."""
    glob = pattern(url, typed)

    assert glob == expected
    assert "secret" in url or fits(glob, url)
    assert "secret" in url or re.search(ending_regex(glob), url)


def test_an_end_that_was_something_s_own_page_is_not_the_page_that_makes_one() -> None:
    """Ours: `/invoices/*` fits `/invoices/new` too, where nothing has happened yet."""
    end = ending_regex(pattern("http://h.test/invoices/1042?paid=1"))

    assert re.search(end, "http://h.test/invoices/77?paid=0")
    assert re.search(end, "http://h.test/invoices/newest?")
    assert not re.search(end, "http://h.test/invoices/new?draft=1")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("h.test/form", "https://h.test/form"),
        ("localhost:8000/x", "http://localhost:8000/x"),
        (" http://h.test ", "http://h.test"),
        ("about:blank", "about:blank"),
    ],
)
def test_an_address_without_a_scheme_gets_the_one_it_was_opened_with(url: str, expected: str) -> None:
    """The engine's rule: https, on this machine http."""
    assert openable(url) == expected


@pytest.mark.parametrize("kind", ACTION_TYPES)
def test_a_record_of_another_version_is_left_out_by_name(kind: str) -> None:
    """Ours: an unknown field ends no script."""
    found = last(Recording().goto(FORM).add({"type": kind, "since_version_9": True}, to="http://h.test/x"))

    if kind in ("help", "completion"):
        assert found.number == 1
    else:
        assert found.comment == f"step 2, {kind}: left out, its record cannot be read"
