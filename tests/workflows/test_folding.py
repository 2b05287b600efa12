"""Which recorded steps a script repeats."""

from collections.abc import Callable

import pytest

from notte_mcp.receipts import DialogEvent, Download
from notte_mcp.workflows.folding import kept_steps
from tests.workflows.recording import Recording, button, element, textbox

HOME, FORM, SENT = "http://h.test/", "http://h.test/form", "http://h.test/sent"
NAME, CITY, SEND = textbox("I1", "Name"), textbox("I2", "City"), button("B1", "Send")
ABOUT = element("L1", "link", "About")
DISTRICT = element("I3", "combobox", "District")
TERMS = element("B2", "checkbox", "Terms")
DOWN = {"type": "scroll_down"}
WAIT = {"type": "wait", "time_ms": 500}
DIALOG = (DialogEvent("alert", "Saved", "dismissed"),)


def on_form() -> Recording:
    """A recording that has opened the form (step 1)."""
    return Recording().goto(FORM)


def choose(recording: Recording, value: str) -> Recording:
    """Choose a district."""
    return recording.add({"type": "select_dropdown_option", "id": "I3", "value": value}, DISTRICT)


def check(recording: Recording, *, on: bool) -> Recording:
    """Set the checkbox."""
    return recording.add({"type": "check", "id": "B2", "value": on}, TERMS)


def attempt(recording: Recording, *, to: str) -> Recording:
    """Fill in the form and send it."""
    return recording.fill(NAME, "Ada").fill(CITY, "Oslo").click(SEND, to=to)


CASES: dict[str, tuple[Callable[[], Recording], list[int]]] = {
    "a failed step goes": (lambda: on_form().click(SEND, success=False).click(SEND), [1, 3]),
    "a step whose outcome is unknown goes": (lambda: on_form().click(SEND, state="outcome_unknown"), [1]),
    "a cancelled step goes": (lambda: on_form().click(SEND, state="cancelled"), [1]),
    "help and completion are no steps of a script": (
        lambda: (
            on_form().add({"type": "help", "value": "?"}).add({"type": "completion", "success": True, "answer": ""})
        ),
        [1],
    ),
    # --- fills ---
    "of two fills of a field the last counts": (lambda: on_form().fill(NAME, "A").fill(NAME, "Ada"), [1, 3]),
    "fills of other fields may stand between": (
        lambda: on_form().fill(NAME, "A").fill(CITY, "Oslo").fill(NAME, "Ada"),
        [1, 3, 4],
    ),
    "a failed step between them does not keep the first": (
        lambda: on_form().fill(NAME, "A").click(SEND, success=False).fill(NAME, "Ada"),
        [1, 4],
    ),
    "a click between them may have used the first": (
        lambda: on_form().fill(NAME, "A").click(SEND).fill(NAME, "Ada"),
        [1, 2, 3, 4],
    ),
    "a wait for what the first brings keeps it": (
        lambda: on_form().fill(NAME, "A").add({"type": "wait_for", "value": "Ada?"}).fill(NAME, "Ada"),
        [1, 2, 3, 4],
    ),
    "Enter after the first keeps it": (
        lambda: on_form().fill(NAME, "A", press_enter=True).fill(NAME, "Ada"),
        [1, 2, 3],
    ),
    "what is appended builds on the first": (
        lambda: on_form().fill(NAME, "A").fill(NAME, "da", clear_before_fill=False),
        [1, 2, 3],
    ),
    "a fill that led elsewhere stays": (
        lambda: on_form().add({"type": "fill", "id": "I1", "value": "A"}, NAME, to=SENT).fill(NAME, "Ada"),
        [1, 2, 3],
    ),
    "the same field found under another id is the same field": (
        lambda: on_form().fill(NAME, "A").fill(textbox("I9", "Name", css="#i1"), "Ada"),
        [1, 3],
    ),
    "of two choices in a list the last counts": (lambda: choose(choose(on_form(), "North"), "South"), [1, 3]),
    "a box that was checked and unchecked is unchecked once": (
        lambda: check(check(on_form(), on=True), on=False),
        [1, 3],
    ),
    "a box that brought a dialog stays": (
        lambda: check(on_form().add({"type": "check", "id": "B2"}, TERMS, dialogs=DIALOG), on=False),
        [1, 2, 3],
    ),
    # --- attempts ---
    "a form that came back and was sent again is sent once": (
        lambda: attempt(attempt(on_form(), to=FORM + "?wrong=1"), to=SENT),
        [1, 5, 6, 7],
    ),
    "so is one that came back twice": (
        lambda: attempt(attempt(attempt(on_form(), to=FORM), to=FORM), to=SENT),
        [1, 8, 9, 10],
    ),
    "a form that takes one entry after another is sent each time": (
        lambda: attempt(attempt(on_form(), to=FORM), to=FORM),
        [1, 2, 3, 4, 5, 6, 7],
    ),
    "a form that came back with other fields is another": (
        lambda: attempt(on_form(), to=FORM).fill(CITY, "Oslo").click(SEND, to=SENT),
        [1, 2, 3, 4, 5, 6],
    ),
    "something done between the two keeps both": (
        lambda: attempt(attempt(on_form(), to=FORM).click(ABOUT), to=SENT),
        [1, 2, 3, 4, 5, 6, 7, 8],
    ),
    "another button sends something else": (
        lambda: attempt(on_form(), to=FORM).fill(NAME, "B").fill(CITY, "B").click(button("B9", "Save"), to=SENT),
        [1, 2, 3, 4, 5, 6, 7],
    ),
    # --- scrolls and waits ---
    "a scroll before a click goes": (lambda: on_form().add(DOWN).click(SEND), [1, 3]),
    "a wait before a click goes": (lambda: on_form().add(WAIT).click(SEND), [1, 3]),
    "scrolls and waits at the end go": (lambda: on_form().click(SEND).add(DOWN).add(WAIT), [1, 2]),
    "a scroll that brings what is waited for stays": (
        lambda: on_form().add(DOWN).add(WAIT).add({"type": "wait_for", "value": "Item 40"}),
        [1, 2, 4],
    ),
    "a scroll after which the page went on changing stays": (
        lambda: on_form().add(DOWN, unsettled=True).click(SEND),
        [1, 2, 3],
    ),
    "a scroll that brought a dialog stays": (lambda: on_form().add(DOWN, dialogs=DIALOG).click(SEND), [1, 2, 3]),
    "a wait before the page is read is not forgotten": (
        lambda: on_form().add(WAIT).add({"type": "evaluate_js", "code": "document.title"}),
        [1, 2, 3],
    ),
    "a wait_for stays": (lambda: on_form().add({"type": "wait_for", "value": "Ready"}), [1, 2]),
    # --- addresses ---
    "a goto to where a click has led goes": (lambda: on_form().click(SEND, to=SENT).goto(SENT), [1, 2]),
    "a slash at the end makes no other page": (lambda: on_form().click(SEND, to=HOME).goto("http://h.test"), [1, 2]),
    "a goto to the page just opened goes": (lambda: on_form().goto(FORM), [1]),
    "a goto after something was done stays": (lambda: on_form().fill(NAME, "A").goto(FORM), [1, 2, 3]),
    "a goto elsewhere stays": (lambda: on_form().click(SEND, to=SENT).goto(HOME), [1, 2, 3]),
    "a goto after a click that did not navigate stays": (lambda: on_form().click(SEND).goto(FORM), [1, 2, 3]),
    "a goto to what a click opened in a new tab stays": (
        lambda: on_form().click(SEND, to=SENT, new_tab=1).goto(SENT),
        [1, 2, 3],
    ),
    "a link taken and left at once goes": (
        lambda: on_form().click(ABOUT, to=HOME).add({"type": "go_back"}, to=FORM).click(SEND),
        [1, 4],
    ),
    "a page that did not load is left with it": (
        lambda: (
            on_form()
            .add({"type": "goto", "url": SENT}, success=False, to="chrome-error://chromewebdata/")
            .add({"type": "go_back"}, to=FORM)
            .click(SEND)
        ),
        [1, 4],
    ),
    "a page opened and left at once goes": (lambda: on_form().goto(HOME).add({"type": "go_back"}, to=FORM), [1]),
    "a button pressed before going back stays": (
        lambda: on_form().click(SEND, to=SENT).add({"type": "go_back"}, to=FORM),
        [1, 2, 3],
    ),
    "a link that brought a file stays": (
        lambda: on_form().click(ABOUT, to=HOME, downloads=(Download("a", 1),)).add({"type": "go_back"}, to=FORM),
        [1, 2, 3],
    ),
    "going back to another page than where the link was stays": (
        lambda: on_form().click(ABOUT, to=HOME).add({"type": "go_back"}, to=SENT),
        [1, 2, 3],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_folding_keeps_what_a_script_needs(case: str) -> None:
    """Ours: a step goes only where the receipts show that nothing came of it."""
    record, expected = CASES[case]

    assert [step.number for step in kept_steps(record().steps)] == expected


def test_a_page_that_was_only_read_on_the_way_is_not_read_again() -> None:
    """Ours: notte_scrape is a step; what was asked of a page stays, a glance at all of it only at the end."""
    recording = Recording().goto(HOME).add({"type": "scrape"}).click(button("B1", "Next"))
    recording.add({"type": "scrape", "instructions": "the prices"}).add({"type": "scrape"})

    assert [step.number for step in kept_steps(recording.steps)] == [1, 3, 4, 5]
