from typing import Any

import pytest

from notte_mcp.agents.moves import Remark
from tests.agents.turns import CLICK, asked, done, finished, last_text, page, started, turn

WAITS: list[dict[str, Any]] = [
    {"type": "wait", "time_ms": 100},
    {"type": "wait_for", "value": "Done"},
    {"type": "scroll_down"},
    {"type": "scroll_up", "id": "M2"},
]


def test_the_same_on_an_unchanged_page_warns_at_the_second_time_and_ends_it_at_the_third() -> None:
    """Issue, item 1: three times is a loop and ends it with that reason."""
    loop = started()
    loop.again(page())
    assert "Warning" not in last_text(turn(loop, [done(1, CLICK)], page()))
    warned = last_text(turn(loop, [done(2, CLICK)], page()))
    assert "`click B4` 2 times" in warned
    assert "Once more" in warned

    end = finished(turn(loop, [done(3, CLICK)], page()))

    assert (end.state, end.reason, end.success) == ("failed", "loop", False)
    assert "`click B4`" in end.answer


@pytest.mark.parametrize("fields", WAITS, ids=lambda fields: fields["type"])
def test_what_is_meant_to_be_repeated_may_be_done_nine_times(fields: dict[str, Any]) -> None:
    """Issue, item 1: wait, wait_for and scroll: ten."""
    loop = started(max_steps=50)
    loop.again(page())
    texts = [last_text(turn(loop, [done(number, fields)], page())) for number in range(1, 10)]

    assert ["Warning" in text for text in texts] == [False] * 4 + [True] * 5
    assert finished(turn(loop, [done(10, fields)], page())).reason == "loop"


def test_waits_of_different_lengths_are_the_same_action() -> None:
    """Ours: a model that waits 1 s, 2 s, 3 s for nothing goes in circles too."""
    loop = started(max_steps=50)
    loop.again(page())
    for number in range(1, 10):
        asked(turn(loop, [done(number, {"type": "wait", "time_ms": number * 100})], page()))

    assert finished(turn(loop, [done(10, {"type": "wait", "time_ms": 5})], page())).reason == "loop"


def test_a_page_that_changes_begins_the_count_anew() -> None:
    """Issue, item 1: with an unchanged page."""
    loop = started()
    for number in range(1, 12):
        text = last_text(turn(loop, [done(number, CLICK)], page(f"s{number // 2}")))
        assert "Warning" not in text


def test_the_third_time_that_changes_the_page_is_no_loop() -> None:
    """Ours: the button needed three presses."""
    loop = started()
    loop.again(page())
    turn(loop, [done(1, CLICK)], page())
    turn(loop, [done(2, CLICK)], page())

    assert "Warning" not in last_text(turn(loop, [done(3, CLICK)], page("other")))


@pytest.mark.parametrize(
    "others",
    [
        [{"type": "click", "id": "B5"}, {"type": "click", "id": "B6"}],
        [{"type": "hover", "id": "B4"}, {"type": "double_click", "id": "B4"}],
    ],
    ids=["other targets", "other actions"],
)
def test_other_targets_and_other_actions_are_no_repetition(others: list[dict[str, Any]]) -> None:
    """Issue, item 1: the same action on the same target."""
    loop = started()
    loop.again(page())
    for number, fields in enumerate([CLICK, *others], 1):
        assert "Warning" not in last_text(turn(loop, [done(number, fields)], page()))


def test_other_values_are_no_repetition_and_secrets_differ_by_name() -> None:
    """Ours: three codes typed into one field are three tries."""
    loop = started()
    loop.again(page())
    for number, name in enumerate(("SECRET_A", "SECRET_B", "SECRET_C"), 1):
        fields = {"type": "fill", "id": "I1", "value": "…"}
        outcome = done(number, fields, written={**fields, "value": {"secret": name}})
        assert "Warning" not in last_text(turn(loop, [outcome], page()))


def test_doing_other_things_between_does_not_hide_a_circle() -> None:
    """Ours: A, B, A, B, A on a page that never changes is one."""
    loop = started()
    loop.again(page())
    other = {"type": "hover", "id": "B9"}
    for number, fields in enumerate([CLICK, other, CLICK, other], 1):
        asked(turn(loop, [done(number, fields)], page()))

    assert finished(turn(loop, [done(5, CLICK)], page())).reason == "loop"


def test_one_turn_may_do_the_same_several_times() -> None:
    """Ours: a key pressed five times in a batch is meant."""
    loop = started()
    loop.again(page())
    key = {"type": "press_key", "key": "ArrowDown"}

    assert "Warning" not in last_text(turn(loop, [done(number, key) for number in range(1, 6)], page()))


def test_a_message_makes_the_same_worth_another_try() -> None:
    """Ours: "it works now" must not end the agent that believes it."""
    loop = started()
    loop.again(page())
    turn(loop, [done(1, CLICK)], page())
    turn(loop, [done(2, CLICK)], page())
    loop.note(Remark("It works now, click again."))

    assert "Warning" not in last_text(loop.again(page()))
    asked(turn(loop, [done(3, CLICK)], page()))


def test_a_page_that_changed_while_it_was_paused_begins_the_count_anew() -> None:
    """Ours."""
    loop = started()
    loop.again(page())
    turn(loop, [done(1, CLICK)], page())
    turn(loop, [done(2, CLICK)], page())
    loop.again(page("other"))
    loop.again(page())

    asked(turn(loop, [done(3, CLICK)], page()))
