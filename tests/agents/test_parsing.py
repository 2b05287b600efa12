import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notte_mcp.actions import ACTION_TYPES, Completion, FormFill
from notte_mcp.agents.parsing import MAX_ANSWER_CHARS, MAX_COMPLAINT_CHARS, MalformedAnswer, parse_turn
from notte_mcp.batches import MAX_ACTIONS
from tests.agents.turns import CLICK, DONE

FILL = {"type": "fill", "id": "I1", "value": "Ada {Lovelace} [1815]"}
TURN = {"thought": "Fill it.", "actions": [FILL, CLICK]}
TEXT = json.dumps(TURN)


def complaint(text: str) -> str:
    with pytest.raises(MalformedAnswer) as refused:
        parse_turn(text)
    return refused.value.complaint


# --- what is understood -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        json.dumps(TURN, indent=2),
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}```",
        f"Here is what I do next:\n\n{TEXT}\n\nThat should send it.",
        f"I see a list [1] and {{braces}} and I1; so:\n{TEXT}",
        f"The field takes {{{{SECRET_PASSWORD}}}}, then {TEXT}",
        json.dumps(TEXT),
        json.dumps(json.dumps(TEXT)),
        json.dumps(f"```json\n{TEXT}\n```"),
        json.dumps({"thought": "Fill it.", "actions": json.dumps([FILL, CLICK])}),
        json.dumps({"thought": "Fill it.", "actions": [json.dumps(FILL), CLICK]}),
        json.dumps({**TURN, "next_goal": "send", "memory": None}),
        f"{TEXT}\n{TEXT}",
        f"\ufeff {TEXT}",
        f"<answer>{TEXT}</answer>",
    ],
)
def test_a_turn_is_found_in_whatever_it_is_wrapped(text: str) -> None:
    """Issue, item 1: by structured output, tool call or JSON text; models wrap it."""
    turn = parse_turn(text)

    assert [action.type for action in turn.actions] == ["fill", "click"]
    assert getattr(turn.actions[0], "value", "") == FILL["value"]
    assert turn.thought == "Fill it."


@pytest.mark.parametrize(
    "value",
    [CLICK, [CLICK], {"actions": CLICK}, {"action": CLICK}, {"thought": None, "actions": [CLICK]}, [json.dumps(CLICK)]],
    ids=["a bare action", "a list", "one for a list", "`action`", "no thought", "JSON in a list"],
)
def test_actions_without_their_object_are_understood(value: Any) -> None:
    """Ours: what is meant is plain."""
    if value == [json.dumps(CLICK)]:
        value = {"actions": value}
    turn = parse_turn(json.dumps(value))

    assert [action.type for action in turn.actions] == ["click"]
    assert turn.thought == ""


def test_a_bare_action_may_carry_the_thought() -> None:
    """Ours: what is meant is plain."""
    turn = parse_turn(json.dumps({"thought": "Send it.", **CLICK}))

    assert (turn.thought, turn.actions[0].type) == ("Send it.", "click")


def test_fields_that_a_model_sends_as_null_are_left_out() -> None:
    """Ours: a flat schema makes some models send every field."""
    turn = parse_turn(json.dumps({"actions": [{**CLICK, "value": None, "url": None}]}))

    assert turn.actions[0].type == "click"


@pytest.mark.parametrize("answer", [{"price": 12.5}, ["a", "b"], 12.5, True])
def test_an_answer_given_as_a_value_becomes_its_json_text(answer: Any) -> None:
    """Ours: with a schema, models write the object itself."""
    (action,) = parse_turn(json.dumps({"actions": [{**DONE, "answer": answer}]})).actions

    assert isinstance(action, Completion)
    assert json.loads(action.answer) == answer


def test_a_form_may_be_filled_by_an_object() -> None:
    """Design, 3: JSON values are accepted too."""
    (action,) = parse_turn('{"actions": [{"type": "form_fill", "value": {"email": "ada@example.test"}}]}').actions

    assert isinstance(action, FormFill)


@pytest.mark.parametrize("last", [DONE, {"type": "help", "value": "Which one?"}], ids=["completion", "help"])
def test_completion_and_help_may_stand_last(last: dict[str, Any]) -> None:
    """Ours: the last act and the word that it is done fit into one turn."""
    assert len(parse_turn(json.dumps({"actions": [CLICK, last]})).actions) == 2


def test_a_thought_is_cut_and_cleaned() -> None:
    """Ours: it goes into logs and into the next question."""
    turn = parse_turn(json.dumps({"thought": "\u202e\x1b[31mred\ud800" + "x" * 9_000, "actions": [CLICK]}))

    assert turn.thought.startswith("redx")
    assert len(turn.thought) <= 2_000


# --- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "was empty"),
        (" \n\t", "was empty"),
        ("I would click the button.", "no JSON object"),
        ("[1, 2, 3]", "no JSON object"),
        ("Use {{SECRET_PASSWORD}} {now}", "is no turn"),
        ('Then [{"type": "click", "id": "B4"}, {"type": "cl', "ended in the middle"),
        ('{actions: [{"type": "click", "id": "B4"}, {"type": "cl', "ended in the middle"),
        (TEXT + '\nand then {"actions": [{"type": "click", "id": "B5"', "ended in the middle"),
        ("42", "no JSON object"),
        ("null", "no JSON object"),
        (TEXT[:-20], "ended in the middle"),
        ('{"thought": "unfinished', "ended in the middle"),
        ('{"actions": [{"type": "click", id: "B4"}]}', "is no JSON: Expecting property name"),
        ("{'actions': []}", "is no JSON"),
        ('{"steps": []}', "is no turn"),
        ('{"thought": "hm"}', "no `actions`"),
        ('{"actions": []}', "is empty"),
        ('{"actions": null}', "is empty"),
        ('{"actions": 7}', "list of 1 to 20"),
        ('{"actions": "click it"}', "what no action takes"),
        ('{"actions": ["click it"]}', "action 1 is no JSON"),
        ('{"actions": [7]}', "Action 1 is no object"),
        ('{"actions": [{"type": "klick"}]}', "unknown type 'klick'"),
        ('{"actions": [{"type": ["click"]}]}', "what no action takes"),
        ('{"actions": [{"type": "click"}]}', "exactly one of `id`"),
        ('{"actions": [{"type": "click", "id": "B4", "force": true}]}', "unknown field(s) force"),
        ('{"actions": [{"type": "click", "id": "the button"}]}', "no element id"),
        ('{"actions": [{"type": "completion", "answer": "done"}]}', "`success`"),
        ('{"actions": [{"type": "click", "id": "B4"}], "completion": {"answer": "x"}}', "Unknown key(s) completion"),
        (json.dumps({"actions": [DONE, CLICK]}), "Action 1 (completion) must be the last"),
        (json.dumps({"actions": [{"type": "help", "value": "?"}, DONE]}), "Action 1 (help) must be the last"),
        (json.dumps({"actions": [CLICK] * (MAX_ACTIONS + 1)}), "list of 1 to 20"),
        (json.dumps({"actions": [CLICK]}) + json.dumps({"actions": [FILL]}), "2 JSON objects"),
        ('{"a":' * 60_000, "too deep"),
        ('{"actions":' + "[" * 60_000, "too deep"),
        ('{"actions": [{"type": "form_fill", "value": "' + "[" * 50_000 + '"}]}', "what no action takes"),
        ('{"actions": [{"type": "wait", "time_ms": ' + "9" * 5_000 + "}]}", "too large"),
        ("x" * (MAX_ANSWER_CHARS + 1), "at most 400000"),
    ],
)
def test_what_cannot_be_understood_is_told_so_that_it_can_be_mended(text: str, told: str) -> None:
    """Issue, item 1: malformed output is sent back with what was wrong."""
    found = complaint(text)

    assert told in found
    assert len(found) <= MAX_COMPLAINT_CHARS


def test_a_batch_with_one_bad_action_names_it() -> None:
    """Ours: eight actions, and which one."""
    found = complaint(json.dumps({"actions": [CLICK, FILL, {"type": "goto"}]}))

    assert "Action 3 (goto)" in found
    assert "Nothing was done" in found


def test_ten_megabytes_are_refused_at_once() -> None:
    """Issue, item 8: a model may answer 10 MB."""
    assert "10000000 characters" in complaint("[" * 10_000_000)


# --- whatever comes in ----------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(ACTION_TYPES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["thought", "actions", "action", "type", "id", "value", "answer", "success", "url"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def assert_read_or_refused(text: str) -> None:
    said = ""
    try:
        turn = parse_turn(text)
    except MalformedAnswer as refused:
        said = refused.complaint
    else:
        assert 1 <= len(turn.actions) <= MAX_ACTIONS
        turn.thought.encode()
        assert not [action for action in turn.actions[:-1] if action.type in ("completion", "help")]
        return
    said.encode()
    assert 0 < len(said) <= MAX_COMPLAINT_CHARS


@given(st.text(alphabet=st.characters() | st.sampled_from('{}[]":,\\`')))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Ours: nothing that a model writes raises anything else."""
    assert_read_or_refused(text)


@given(JSON, st.text(max_size=10), st.text(max_size=10))
def test_any_json_is_read_or_refused(value: Any, before: str, after: str) -> None:
    """Ours: the same, for what looks like a turn."""
    assert_read_or_refused(before + json.dumps(value) + after)


@given(st.lists(JSON, min_size=1, max_size=3))
def test_any_actions_are_read_or_refused(values: list[Any]) -> None:
    """Ours: the same, for what stands where actions are due."""
    assert_read_or_refused(json.dumps({"thought": "t", "actions": values}))


@given(st.integers(0, len(TEXT) - 1))
def test_a_turn_that_was_cut_is_never_taken_for_a_shorter_one(at: int) -> None:
    """Ours: the first half of a form must not be sent."""
    with pytest.raises(MalformedAnswer):
        parse_turn(TEXT[:at])


@given(st.integers(0, len(TEXT)), st.sampled_from(list('{}[]",:x\\\x00')))
def test_a_turn_with_a_letter_too_many_is_read_or_refused(at: int, letter: str) -> None:
    """Ours: the slips of a model are small ones."""
    assert_read_or_refused(TEXT[:at] + letter + TEXT[at:])
    assert_read_or_refused(TEXT[:at])
