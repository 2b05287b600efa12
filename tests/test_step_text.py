from typing import Any, cast

import pytest

from notte_mcp.receipts import DialogEvent, Download, Receipt, Target
from notte_mcp.records import StepRecord
from notte_mcp.step_text import numbers_text, receipt_line, step_line

B4 = Target("B4", "button", "Send request")


def line(action: dict[str, Any], number: int = 1, **receipt: Any) -> str:
    return receipt_line(number, action, Receipt(type=action["type"], **cast(Any, {"success": True} | receipt)))


@pytest.mark.parametrize(
    ("action", "receipt", "said"),
    [
        ({"type": "fill", "id": "I1"}, {"target": Target("I1", "textbox", "Applicant"), "value": "Ada"},
         '1 fill I1 "Applicant" = "Ada"'),
        ({"type": "click", "id": "B4"},
         {"target": B4, "navigated": True, "url_before": "http://x/form", "url_after": "http://x/done", "status": 200},
         '1 click B4 "Send request" -> http://x/done (200)'),
        ({"type": "click", "id": "B4"}, {"target": B4, "url_before": "http://x/a", "url_after": "http://x/a#b"},
         '1 click B4 "Send request" -> http://x/a#b'),
        ({"type": "click", "selector": "#x"}, {"target": Target(None, "button", "Send")}, '1 click button "Send"'),
        ({"type": "click", "id": "B4"}, {"target": B4, "healed": True}, '1 click B4 "Send request" healed'),
        ({"type": "goto", "url": "http://x/"}, {"navigated": True, "url_after": "http://x/", "status": 200},
         "1 goto -> http://x/ (200)"),
        ({"type": "press_key", "key": "Enter"}, {}, "1 press_key Enter"),
        ({"type": "press_key", "key": "Tab"}, {"target": Target("I1", "textbox", "Name")}, '1 press_key Tab in I1 "Name"'),
        ({"type": "press_key", "key": "Backspace", "id": "I6"}, {"target": Target("I6", "textbox", "Notes"), "value": "a"},
         '1 press_key Backspace in I6 "Notes" = "a"'),
        ({"type": "press_key", "key": "x", "id": "I3"}, {"target": Target("I3", "password", "Code"), "secret": "CODE"},
         '1 press_key I3 "Code" = (secret CODE)'),
        ({"type": "wait_for", "value": "Done", "timeout_ms": 100}, {}, "1 wait_for Done"),
        ({"type": "wait_for", "gone": "Loading"}, {}, "1 wait_for Loading"),
        ({"type": "drag", "id": "M1", "to_id": "M2"}, {"target": Target("M1", "listitem", "A")}, '1 drag M1 "A" to M2'),
        ({"type": "evaluate_js", "code": "1+1"}, {"data": {"a": [1]}}, '1 evaluate_js = {"a":[1]}'),
        ({"type": "scrape"}, {"data": "# Title"}, "1 scrape = # Title"),
        ({"type": "click", "id": "B4"}, {"target": B4, "new_tab": 1, "unsettled": True},
         '1 click B4 "Send request"; new tab 1; still changing'),
        ({"type": "click", "id": "B4"}, {"target": B4, "dialogs": (DialogEvent("confirm", "Really?", "dismissed"),)},
         '1 click B4 "Send request"; confirm "Really?" dismissed'),
        ({"type": "click", "id": "B4"},
         {"target": B4, "downloads": (Download("a.pdf", 12), Download("b.pdf", 0, failure="canceled"))},
         '1 click B4 "Send request"; downloaded a.pdf (12 bytes); download of b.pdf failed: canceled'),
        ({"type": "click", "id": "B4"}, {"target": B4, "failed_requests": ("a", "b", "c", "d")},
         '1 click B4 "Send request"; failed requests: a, b, c and 1 more'),
        ({"type": "close_tab"}, {"tab_closed": True}, "1 close_tab; tab closed"),
    ],
)  # fmt: skip
def test_a_receipt_is_one_short_line(action: dict[str, Any], receipt: dict[str, Any], said: str) -> None:
    """Contract: what really happened, and nothing that did not."""
    assert line(action, **receipt) == said


@pytest.mark.parametrize(
    ("action", "receipt"),
    [
        (
            {"type": "fill", "id": "I3", "value": "geheim"},
            {"target": Target("I3", "password", "Code"), "secret": "CODE"},
        ),
        ({"type": "fill", "id": "I3", "value": "geheim"}, {}),
        ({"type": "fill", "selector": "#p", "value": "geheim"}, {"success": False, "message": "it is covered"}),
        ({"type": "multi_factor_fill", "id": "I3", "value": "geheim"}, {"secret": "CODE"}),
        ({"type": "form_fill", "value": {"password": "geheim"}}, {}),
        ({"type": "fill", "id": "I3", "value": {"secret": "CODE"}}, {"secret": "CODE"}),
    ],
)
def test_what_was_typed_is_told_only_as_it_was_read_back(action: dict[str, Any], receipt: dict[str, Any]) -> None:
    """P9: a secret by its name only."""
    assert "geheim" not in line(action, **receipt)


def test_a_failure_says_why_and_what_it_left_behind() -> None:
    """Contract."""
    dialog = DialogEvent("alert", "No!", "accepted")

    assert line({"type": "click", "id": "B4"}, 3, success=False, message='B4 is covered by B9 "Accept".') == (
        '3 failed: B4 is covered by B9 "Accept".'
    )
    assert line({"type": "click", "id": "B4"}, 3, success=False, code="action_timeout", dialogs=(dialog,)) == (
        '3 failed: action_timeout (alert "No!" accepted)'
    )


def test_long_values_are_cut() -> None:
    """Ours: the step log has them whole."""
    assert len(line({"type": "fill", "id": "I1"}, target=Target("I1", "textbox", "X"), value="a" * 500)) < 100
    assert len(line({"type": "evaluate_js"}, data="a" * 5_000)) < 450


@pytest.mark.parametrize(
    ("numbers", "said"), [([3], "3"), ([3, 4], "3, 4"), ([3, 5], "3, 5"), ([4, 5, 6], "4 to 6"), ([1, 3, 4], "1, 3, 4")]
)
def test_indexes_are_said_shortly(numbers: list[int], said: str) -> None:
    """Ours."""
    assert numbers_text(numbers) == said


def test_a_step_in_flight_is_told_by_what_was_asked() -> None:
    """Status shows it while it runs."""
    step = StepRecord("ses", 4, "assistant", "intended", {"type": "click", "id": "B4", "timeout_ms": 10}, 0.0)

    assert step_line(step) == "click B4"
