from typing import Any

import pytest

from notte_mcp.agents.loop import MAX_FAILURES, MAX_REFUSALS, Loop, Task
from notte_mcp.agents.moves import Act, Finish, NeedInput, Page, Remark
from tests.agents.turns import (
    CLICK,
    DONE,
    asked,
    done,
    failed,
    finished,
    last_text,
    page,
    reply,
    started,
    turn,
    whole_text,
)

SCHEMA = {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]}


def goto(number: int = 1) -> Any:
    return done(number, {"type": "goto", "url": "http://shop.test/"}, url_after="http://shop.test/", navigated=True)


# --- asking -----------------------------------------------------------------------


def test_the_first_question_carries_the_task_the_page_and_the_steps_left() -> None:
    """Ours: what a model needs for its first turn."""
    move = asked(Loop(Task("Buy a red mug.", 7)).begin(page(text="Shop\nB1 button “Buy”")))

    assert move.repairs == 0
    assert "Buy a red mug." in move.request.messages[0].text
    assert "B1 button “Buy”" in last_text(move)
    assert "7 steps left." in last_text(move)
    assert move.request.schema is not None


def test_the_picture_goes_with_the_page_and_with_it_only() -> None:
    """Ours: old observations are never kept, pictures least of all."""
    loop = started()
    seen = Page("http://shop.test/", "Shop", "s", image=b"jpeg")

    move = asked(turn(loop, [done(1, CLICK)], seen))

    assert [message.image for message in move.request.messages] == [None] * (len(move.request.messages) - 1) + [b"jpeg"]


def test_an_answer_becomes_the_actions_it_asks_for_with_its_thought() -> None:
    """Ours: Act is what the runner does."""
    move = started().replied(reply({"type": "fill", "id": "I1", "value": "Ada"}, CLICK, thought="Fill and send."))

    assert isinstance(move, Act)
    assert [action.type for action in move.actions] == ["fill", "click"]
    assert move.thought == "Fill and send."


def test_only_the_page_as_it_is_now_is_shown() -> None:
    """Issue, numbers: old observations are dropped."""
    loop = Loop(Task("t", 20))
    loop.begin(page("a", text="the first page"))

    move = turn(loop, [done(1, CLICK)], page("b", text="the second page"))

    assert "the second page" in last_text(move)
    assert "the first page" not in whole_text(move)


def test_asking_before_a_page_was_shown_is_a_fault_of_the_caller() -> None:
    """Ours: the runner's order is begin, then the rest."""
    with pytest.raises(RuntimeError, match="page"):
        Loop(Task("t", 5)).replied("nothing")


# --- repairs ----------------------------------------------------------------------


def test_an_answer_that_cannot_be_read_is_sent_back_twice_and_then_ends_it() -> None:
    """Issue, item 1: malformed output is repaired at most twice."""
    loop = started()

    moves = [loop.replied("I would click the button.") for _ in range(3)]

    assert [asked(move).repairs for move in moves[:2]] == [1, 2]
    assert "no JSON object" in asked(moves[0]).complaint
    assert asked(moves[0]).complaint in last_text(moves[0])
    end = finished(moves[2])
    assert (end.state, end.reason, end.success) == ("failed", "malformed_answer", False)
    assert "no JSON object" in end.answer


def test_a_good_answer_begins_the_count_of_repairs_anew() -> None:
    """Issue, item 1: the two repairs are one answer's."""
    loop = started()
    for number in range(1, 5):
        assert asked(loop.replied("hm")).repairs == 1
        assert asked(loop.replied("hm")).repairs == 2
        turn(loop, [done(number, CLICK)], page(f"s{number}"))

    assert asked(loop.replied("hm")).repairs == 1


def test_the_complaint_is_gone_from_the_next_question() -> None:
    """Ours: what is mended is not told again."""
    loop = started()
    loop.replied("hm")

    move = turn(loop, [done(1, CLICK)], page("b"))

    assert "refused" not in whole_text(move)


def test_a_repair_shows_the_same_messages_but_the_last() -> None:
    """Ours: a provider's prompt cache serves the repair."""
    loop = started()
    question = asked(turn(loop, [done(1, CLICK)], page("b")))

    repair = asked(loop.replied("hm"))

    assert repair.request.messages[:-1] == question.request.messages[:-1]
    assert repair.request.messages[-1].text.startswith(question.request.messages[-1].text)


# --- steps ------------------------------------------------------------------------


def test_every_action_is_a_step_failed_ones_and_the_first_goto_too_but_not_completion_and_help() -> None:
    """Design, 2: `max_steps` counts steps, the first goto included, completion and help not."""
    loop = Loop(Task("t", 10, url="http://shop.test/"))
    loop.note(goto())
    loop.begin(page())
    assert loop.steps_left == 9

    turn(loop, [done(2, CLICK), failed(3, {"type": "click", "id": "B5"})], page("b"))
    assert loop.steps_left == 7
    turn(loop, [done(4, DONE, success=False, message="it does not fit")], page("b"))
    turn(loop, [done(5, {"type": "help", "value": "Which one?"})], page("b"))
    assert loop.steps_left == 7


def test_after_the_last_step_it_is_asked_once_more_and_another_step_ends_it() -> None:
    """Design, 2: `stopped` for max_steps; what was done may have been all, and completing costs no step."""
    loop = started(max_steps=2)
    assert "2 steps left." in last_text(loop.again(page()))
    assert "1 step left." in last_text(turn(loop, [done(1, CLICK)], page("a")))
    assert "only completion or help" in last_text(turn(loop, [done(2, CLICK)], page("b")))

    end = finished(loop.replied(reply(CLICK)))

    assert (end.state, end.reason, end.success) == ("stopped", "max_steps", False)
    assert 'click B4 "Send"' in end.answer
    assert "http://shop.test/" in end.answer


def test_a_turn_that_was_cut_at_the_limit_may_still_be_completed() -> None:
    """Ours: the step that would exceed the limit was not taken; the page may hold the answer."""
    loop = started(max_steps=1)
    loop.replied(reply(CLICK, CLICK, CLICK))

    asked(loop.acted([done(1, CLICK)], page("b"), not_run=2, stopped="max_steps is reached"))

    assert finished(turn(loop, [done(2, DONE)], page("b"))).state == "completed"


def test_a_completion_on_the_last_step_completes() -> None:
    """Ours: completion is not counted, so it fits into the turn of the last step."""
    loop = started(max_steps=1)

    assert finished(turn(loop, [done(1, CLICK), done(2, DONE)], page("b"))).state == "completed"


def test_with_the_goto_as_the_only_step_the_model_may_still_answer() -> None:
    """Ours: to look and to answer takes no step."""
    loop = Loop(Task("t", 1, url="http://shop.test/"))
    loop.note(goto())
    move = loop.begin(page())

    assert "only completion or help" in last_text(move)
    assert finished(turn(loop, [done(2, DONE)], page())).state == "completed"


def test_with_no_step_left_an_action_ends_it() -> None:
    """Issue, item 3: the step that would exceed the limit is not taken."""
    loop = Loop(Task("t", 1, url="http://shop.test/"))
    loop.note(goto())
    loop.begin(page())

    assert finished(loop.replied(reply(CLICK))).reason == "max_steps"


def test_what_the_limit_did_not_let_begin_is_no_failure() -> None:
    """Ours: the reason is the limit, whatever was refused before."""
    loop = started(max_steps=1)
    for _ in range(MAX_FAILURES - 1):
        loop.replied(reply({"type": "click", "id": "B99"}))
        loop.acted([], page(), not_run=1, stopped="B99 was never shown.")
    cut_short = failed(1, {"type": "wait", "time_ms": 1}, code="cancelled")
    asked(turn(loop, [cut_short, done(2, DONE, success=False, message="it does not fit")], page("b")))

    assert finished(loop.replied(reply(CLICK))).reason == "max_steps"


def test_a_refused_completion_may_be_mended_without_a_step_left() -> None:
    """Issue, item 1: it is refused with the reason, and completing costs no step."""
    loop = started(max_steps=1)

    move = turn(loop, [done(1, CLICK), done(2, DONE, success=False, message="`price` is missing")], page("b"))

    assert "`price` is missing" in whole_text(move)
    assert "only completion or help" in last_text(move)


# --- failures ---------------------------------------------------------------------


def test_three_failed_actions_in_a_row_end_it() -> None:
    """Issue, item 1. Each on a page that changed, so that it is no loop."""
    loop = started()
    asked(turn(loop, [failed(1, CLICK)], page("a")))
    asked(turn(loop, [failed(2, CLICK)], page("b")))

    end = finished(turn(loop, [failed(3, CLICK, "it is covered by a banner")], page("c")))

    assert (end.state, end.reason, end.success) == ("failed", "three_failures", False)
    assert "covered by a banner" in end.answer


def test_a_success_begins_the_count_of_failures_anew() -> None:
    """Issue, item 1: in a row."""
    loop = started()
    for number in range(1, 13, 3):
        asked(turn(loop, [failed(number, CLICK)], page(f"a{number}")))
        asked(turn(loop, [failed(number + 1, CLICK)], page(f"b{number}")))
        asked(turn(loop, [done(number + 2, CLICK)], page(f"c{number}")))


def test_failures_of_one_turn_count_each() -> None:
    """Ours: a batch that goes on after failures is three actions, not one."""
    assert finished(turn(started(), [failed(n, CLICK) for n in (1, 2, 3)], page())).reason == "three_failures"


@pytest.mark.parametrize(
    "outcome",
    [
        done(1, DONE, success=False, message="it does not fit", code="refused"),
        failed(1, {"type": "wait", "time_ms": 100}, "it was cut short; it changed nothing", "cancelled"),
    ],
    ids=["a refused completion", "a wait that was cut short"],
)
def test_what_is_no_failure_is_not_counted_as_one(outcome: Any) -> None:
    """Issue, item 1: a refused completion goes on."""
    loop = started()
    for number in range(MAX_FAILURES + 1):
        asked(turn(loop, [outcome], page(f"s{number}")))


def test_turns_refused_whole_end_it_too() -> None:
    """Ours: an id that is not on the page refuses the batch with no step; nothing else would bound that."""
    loop = started()
    for _ in range(2):
        loop.replied(reply({"type": "click", "id": "B99"}))
        move = loop.acted([], page(), not_run=1, stopped="B99 was never shown.")
        assert "B99 was never shown." in whole_text(move)
    loop.replied(reply({"type": "click", "id": "B99"}))

    assert finished(loop.acted([], page(), not_run=1, stopped="B99 was never shown.")).reason == "three_failures"
    assert loop.steps_left == 20


def test_a_first_goto_that_failed_counts_and_the_model_is_told() -> None:
    """Ours: the agent may try another way in."""
    loop = Loop(Task("t", 5, url="http://down.test/"))
    loop.note(failed(1, {"type": "goto", "url": "http://down.test/"}, "connection refused"))

    move = loop.begin(page())

    assert "1 failed: connection refused" in whole_text(move)
    assert loop.steps_left == 4


def test_an_unknown_outcome_is_told_with_what_to_do() -> None:
    """Issue, item 7: nothing is run twice."""
    move = turn(started(), [failed(1, CLICK, "it was cut short", "outcome_unknown")], page("b"))

    assert "look at the page before you do it again" in whole_text(move)


# --- completing and asking ----------------------------------------------------------


def test_a_completion_that_succeeded_completes_it_with_its_answer() -> None:
    """Design, 2."""
    end = finished(turn(started(), [done(1, DONE)], page()))

    assert (end.state, end.reason, end.success, end.answer) == ("completed", "", True, "It is sent.")
    assert end.result is None


def test_a_completion_without_success_is_a_failure_with_an_answer() -> None:
    """Ours: `gave_up` is the model's own word for it."""
    end = finished(turn(started(), [done(1, {**DONE, "success": False, "answer": "Sold out."})], page()))

    assert (end.state, end.reason, end.success, end.answer) == ("failed", "gave_up", False, "Sold out.")


@pytest.mark.parametrize(
    ("answer", "success", "result"),
    [
        ('{"price": 12.5}', True, {"price": 12.5}),
        ('```json\n{"price": 1}\n```', True, {"price": 1}),
        ('{"price": 3}', False, {"price": 3}),
        ("It is sold out.", False, None),
    ],
)
def test_with_a_schema_the_result_is_the_parsed_answer(answer: str, success: bool, result: Any) -> None:
    """Design, 3: `result` is the parsed value where a schema was given."""
    loop = started(response_schema=SCHEMA)

    end = finished(turn(loop, [done(1, {"type": "completion", "success": success, "answer": answer})], page()))

    assert end.result == result
    assert end.success is success


def test_a_refused_completion_goes_on_and_says_why() -> None:
    """Issue, item 1: refused with the reason when it does not fit."""
    move = turn(started(), [done(1, DONE, success=False, message="`price` is missing")], page())

    assert "1 failed: `price` is missing" in whole_text(move)


def test_a_completion_that_is_refused_on_and_on_ends_it() -> None:
    """Ours: it costs no step and is no failure, so that nothing else would bound it."""
    loop = started()
    refused = [done(n, {**DONE, "answer": str(n)}, success=False, message="does not fit") for n in range(1, 6)]
    for number in range(MAX_REFUSALS - 1):
        asked(turn(loop, refused[number : number + 1], page(f"clock {number}")))

    end = finished(turn(loop, refused[-1:], page("clock")))

    assert (end.state, end.reason) == ("failed", "loop")
    assert "does not fit" in end.answer


def test_an_action_between_begins_the_count_of_refused_completions_anew() -> None:
    """Ours: it went to look for what was missing."""
    loop = started()
    for number in range(1, 2 * MAX_REFUSALS, 2):
        asked(turn(loop, [done(number, DONE, success=False, message="does not fit")], page("a")))
        asked(turn(loop, [done(number + 1, CLICK)], page(f"b{number}")))


def test_help_asks_the_person_and_the_answer_reaches_the_model() -> None:
    """Issue, item 1: `help` becomes `needs_input`."""
    loop = started()
    move = turn(loop, [done(1, {"type": "help", "value": "Which district?"})], page())
    assert move == NeedInput("Which district?")

    loop.note(Remark("The person answered: North"))

    assert "The person answered: North" in whole_text(loop.again(page()))


def test_help_ends_an_agent_whom_nobody_can_answer() -> None:
    """Ours: it would wait for ever."""
    loop = Loop(Task("Send the form.", 20, unattended=True))
    loop.begin(page())
    end = turn(loop, [done(1, {"type": "help", "value": "Which district?"})], page())
    assert isinstance(end, Finish)
    assert (end.state, end.reason, end.success) == ("failed", "needs_help", False)
    assert "Which district?" in end.answer


# --- what came about otherwise --------------------------------------------------------


def test_a_message_is_seen_at_the_next_question_and_stays() -> None:
    """Issue, item 4: a message is seen by the model at its next step."""
    loop = started()
    loop.note(Remark("A message from the person: take the blue one"))
    first = loop.again(page())

    second = turn(loop, [done(1, CLICK)], page("b"))

    assert "take the blue one" in whole_text(first)
    assert "take the blue one" in whole_text(second)
    assert "take the blue one" not in last_text(second)


def test_after_a_message_failures_count_anew() -> None:
    """Ours: who was just told something may try again."""
    loop = started()
    turn(loop, [failed(1, CLICK)], page("a"))
    turn(loop, [failed(2, CLICK)], page("b"))
    loop.note(Remark("Try it once more."))
    loop.again(page("b"))

    asked(turn(loop, [failed(3, CLICK)], page("c")))


def test_what_was_asked_for_before_a_pause_is_not_taken_for_what_is_done_after_it() -> None:
    """Ours: an Act that was given up is forgotten."""
    loop = started()
    loop.replied(reply({"type": "click", "id": "B77"}, thought="Delete it all."))
    loop.again(page())

    move = loop.acted([done(1, CLICK)], page("b"))

    assert "B77" not in whole_text(move)
    assert "Delete it all" not in whole_text(move)


def test_a_loop_made_anew_from_its_record_goes_on_where_it_was() -> None:
    """Issue, item 7: the same agent with its history; failures of the page before the restart are over."""
    past = [goto(), failed(2, CLICK), Remark("Take the blue one."), failed(3, CLICK), failed(4, CLICK)]
    loop = Loop(Task("t", 10, url="http://shop.test/"), past=past, interrupted=True)

    move = loop.begin(page())

    assert loop.steps_left == 6
    told = whole_text(move)
    assert told.index("1 goto") < told.index("Take the blue one.") < told.index("4 failed")
    assert told.index("4 failed") < told.index("started anew")
    asked(turn(loop, [failed(5, CLICK)], page("b")))


def test_without_an_interruption_none_is_told() -> None:
    """Ours."""
    assert "started anew" not in whole_text(Loop(Task("t", 5), past=[goto()]).begin(page()))
