"""What a person did in the live view becomes the code of what came of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from notte_mcp.receipts import Target
from notte_mcp.records import StepRecord
from notte_mcp.workflows import generalise, write
from notte_mcp.workflows.by_hand import told_as_deeds
from tests.workflows.recording import SPEC, Recording, button, element, textbox

FORM, SENT = "http://h.test/form", "http://h.test/sent"
NAME, CITY, SEND = textbox("I1", "Name"), textbox("I2", "City"), button("B1", "Send")
LETTER = textbox("I3", "Letter")
CODE = element("I4", "password", "Code")
PICK = element("I5", "combobox", "District")
BLANK = element("M1", "document", "")
CARET, BACK = "Home", "Backspace"


class Person(Recording):
    """A recording in which a person does everything but open the page."""

    def typed(self, target: Target, value: str, held: str | None = None) -> "Person":
        """A text at the caret, after which the field `held` this, if not what was to be expected."""
        self.add(fill(target, value), target, value=value if held is None else held)
        return self

    def key(self, key: str, target: Target | None = None, **receipt: Any) -> "Person":
        self.add({"type": "press_key", "key": key}, target, **receipt)
        return self

    @property
    def done(self) -> list[StepRecord]:
        """All steps."""
        return [step if step.number == 1 else replace(step, actor="human") for step in self.steps]


def person() -> Person:
    """One who has the form before him."""
    begun = Person()
    begun.goto(FORM)
    return begun


def fill(target: Target, value: str) -> dict[str, Any]:
    return {"type": "fill", "id": target.id, "value": value}


CASES: dict[str, tuple[Callable[[], Recording], list[dict[str, Any]]]] = {
    "what was typed is what the field held": (
        lambda: person().typed(NAME, "5551234", held="555-1234"),
        [fill(NAME, "555-1234")],
    ),
    "a text that the page took on at once was typed": (
        lambda: person().typed(NAME, "Ada,", held=""),
        [fill(NAME, "Ada,")],
    ),
    "a key that changed the text is a fill of what was left": (
        lambda: person().typed(NAME, "Adaa").key(BACK, NAME, value="Ada"),
        [fill(NAME, "Adaa"), fill(NAME, "Ada")],
    ),
    "a key that moved the caret is nothing": (
        lambda: person().typed(NAME, "Ada").key(CARET, NAME),
        [fill(NAME, "Ada")],
    ),
    "so is one in a field of which nothing is known": (
        lambda: person().key("ArrowLeft", NAME).key("Control+A", NAME),
        [],
    ),
    "the way to the next field is nothing": (
        lambda: person().typed(NAME, "Ada").key("Tab", NAME).typed(CITY, "Oslo"),
        [fill(NAME, "Ada"), fill(CITY, "Oslo")],
    ),
    "Enter is pressed on the field that had the focus": (
        lambda: person().typed(NAME, "Ada").key("Enter", NAME, value="", to=SENT),
        [fill(NAME, "Ada"), {"type": "press_key", "key": "Enter", "id": "I1"}],
    ),
    "where it took the text away, too": (
        lambda: person().typed(NAME, "Ada").key("Enter", NAME, value=""),
        [fill(NAME, "Ada"), {"type": "press_key", "key": "Enter", "id": "I1"}],
    ),
    "but in a letter it is a new line": (
        lambda: person().typed(LETTER, "Dear").key("Enter", LETTER, value="Dear\n"),
        [fill(LETTER, "Dear"), fill(LETTER, "Dear\n")],
    ),
    "an arrow on a list chooses": (
        lambda: person().key("ArrowDown", PICK, value="South").key("Escape", PICK),
        [
            {"type": "select_dropdown_option", "id": "I5", "value": "South"},
            {"type": "press_key", "key": "Escape", "id": "I5"},
        ],
    ),
    "a key of the page's own stays": (
        lambda: person().key("ArrowUp", button("B9", "Pad")),
        [{"type": "press_key", "key": "ArrowUp", "id": "B9"}],
    ),
    "a shortcut stays in a field, too": (
        lambda: person().key("Control+Enter", NAME),
        [{"type": "press_key", "key": "Control+Enter", "id": "I1"}],
    ),
    "a shortcut without a focus stays": (
        lambda: person().key("Control+k"),
        [{"type": "press_key", "key": "Control+k"}],
    ),
    "a click into a field that is filled next is nothing": (
        lambda: person().click(NAME).add({"type": "fill", "id": "I1", "value": "Ada"}, NAME, value="Ada"),
        [fill(NAME, "Ada")],
    ),
    "a click into another one stays": (
        lambda: person().click(CITY).add({"type": "fill", "id": "I1", "value": "Ada"}, NAME, value="Ada"),
        [{"type": "click", "id": "I2"}, fill(NAME, "Ada")],
    ),
    "a click beside everything is nothing": (lambda: person().click(BLANK), []),
    "but not where it closed something that was said": (
        lambda: person().click(BLANK, sent=("POST http://h.test/seen",)),
        [{"type": "click", "id": "M1"}],
    ),
    "a secret goes by its name, and keys in it are nothing": (
        lambda: (
            person()
            .add({"type": "fill", "id": "I4", "value": {"secret": "CODE"}}, CODE, secret="CODE")
            .add({"type": "press_key", "key": "End"}, CODE, secret="CODE")
        ),
        [{"type": "fill", "id": "I4", "value": {"secret": "CODE"}}],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_deeds_of_a_persons_hand(case: str) -> None:
    """As an assistant would have asked for them."""
    recorded, expected = CASES[case]
    recording = recorded()
    assert isinstance(recording, Person)
    assert [step.action for step in told_as_deeds(recording.done)][1:] == expected


def test_the_same_by_an_assistant_stays_as_it_is() -> None:
    """Who has ids and no caret means each key."""
    recording = person().typed(NAME, "Adaa").key(BACK, NAME, value="Ada").click(BLANK)
    assert told_as_deeds(recording.steps) == recording.steps


def test_a_field_that_was_typed_into_bit_by_bit_is_filled_once() -> None:
    """Clicks, keys and scrolls on the way leave nothing; the click at a point is one at the element."""
    recording = person()
    recording.click(NAME)
    recording.typed(NAME, "G").typed(NAME, "Gr").typed(NAME, "Gro").key(BACK, NAME, value="Gr")
    recording.click(NAME).add({"type": "fill", "id": "I1", "value": "Grace"}, NAME, value="Grace")
    recording.add({"type": "scroll_down", "amount": 120}).click(SEND, to=SENT)
    workflow = generalise(recording.done, SPEC)
    code = write(workflow, target="playwright").code
    assert code.count(".fill(") == 1
    assert code.count(".click(") == 1
    assert [parameter.default for parameter in workflow.parameters] == ["Grace"]
    assert "press" not in code
    assert "wheel" not in code
