"""What the API tells of an agent, in each of its shapes, as steps of ours."""

from typing import Any

import pytest

from notte_mcp.engines.notte.heard import Element, End, frame_of
from notte_mcp.engines.notte.shapes import Reader, is_live, status_of, steps_of
from notte_mcp.engines.remote import HostedRemark

FROM, TO = "2026-11-23T02:00:00.500Z", "2026-11-23T02:00:01.500+00:00"
AT = 1_795_399_200.5


def plain(action: dict[str, Any]) -> dict[str, Any]:
    """As the client's translation: kinds it does not know are refused."""
    if action.get("type") == "captcha_dance":
        raise ValueError("unknown")
    return {name: value for name, value in action.items() if name not in ("category", "description", "id")}


def typed(number: int, action: dict[str, Any], *, success: bool = True, goal: str = "") -> list[dict[str, Any]]:
    """All the elements of one step of the current shape."""
    state: dict[str, Any] = {
        "previous_goal_status": "success",
        "memory": "m",
        "next_goal": goal,
        "relevant_interactions": [],
    }
    times = {"started_at": FROM, "ended_at": TO}
    selector: dict[str, Any] = {
        "css_selector": "html > body > button", "xpath_selector": "html/body/button[1]", "in_iframe": False,
        "in_shadow_root": False, "iframe_parent_css_selectors": [],
    }  # fmt: skip
    space: dict[str, Any] = {
        "interaction_actions": [{"type": "click", "id": "B1", "text_label": "Send it", "selector": selector}]
    }
    return [
        {"type": "agent_step_start", "value": {"step_number": number, "agent_id": "a1", "started_at": FROM}},
        {"type": "observation", "value": {"metadata": {"url": "http://shop.test/"}, "space": space}},
        {"type": "screenshot", "value": {"raw": "..."}},
        {"type": "agent_completion", "value": {"state": state, "action": action, **times}},
        {"type": "execution_result", "value": {"action": action, "success": success, "message": "Clicked", **times}},
        {"type": "agent_step_stop", "value": {"step_number": number, "agent_id": "a1", "ended_at": TO}},
    ]


CLICK = {"type": "click", "category": "Interaction Actions", "description": "", "id": "B1"}


def test_a_typed_step_is_its_completion_and_its_result() -> None:
    """What was thought, what was done, to what, where, when and how it went."""
    (told,) = steps_of(typed(0, CLICK, goal="Send it."), plain, over=False)
    step = told.step
    assert step.action == {"type": "click", "selector": "html > body > button"}
    assert (step.index, step.success, step.message) == (0, True, "Clicked")
    assert (step.url, step.thought, step.started_at, step.ended_at) == ("http://shop.test/", "Send it.", AT, AT + 1)
    assert step.target is not None
    assert (step.target.id, step.target.role, step.target.name) == (None, "button", "Send it")
    assert (step.target.locators.css, step.target.locators.xpath) == ("html > body > button", "/html/body/button[1]")


def test_a_typed_step_without_its_result_is_told_only_when_nothing_more_comes() -> None:
    """It may be under way; of an agent that is over it is a step whose outcome nobody knows."""
    elements = [*typed(0, CLICK), *typed(1, CLICK)[:4]]
    assert [t.step.success for t in steps_of(elements, plain, over=False)] == [True]
    assert [(t.step.index, t.step.success) for t in steps_of(elements, plain, over=True)] == [(0, True), (1, None)]


def test_a_legacy_step_is_judged_by_the_next_one() -> None:
    """Only the model's word on it is told; a completion speaks for itself."""

    def said(action: dict[str, Any], before: str) -> dict[str, Any]:
        state = {"previous_goal_status": before, "previous_goal_eval": f"it was a {before}", "next_goal": "On."}
        return {"state": state, "action": action, "started_at": FROM, "ended_at": TO}

    done = {"type": "completion", "success": True, "answer": "42"}
    elements = [
        said({"type": "goto", "url": "http://shop.test/"}, "unknown"),
        said(CLICK, "success"),
        said(CLICK, "failure"),
    ]
    told = [(t.step.action["type"], t.step.success, t.step.message) for t in steps_of(elements, plain, over=False)]
    assert told == [("goto", True, "it was a success"), ("click", False, "it was a failure")]
    ended = steps_of([*elements, said(done, "unknown")], plain, over=False)
    assert [(t.step.index, t.step.success) for t in ended] == [(0, True), (1, False), (2, None), (3, True)]


def test_a_flat_step_says_all_of_itself() -> None:
    """The action by its name alone, or as an object."""
    flat = [
        {"action": "click", "success": True, "message": "Clicked"},
        {
            "action": {"type": "goto", "url": "http://a.test/"},
            "success": False,
            "message": "no",
            "url": "http://b.test/",
        },
    ]
    first, second = (told.step for told in steps_of(flat, plain, over=False))
    assert (first.action, first.success, first.url, first.started_at) == ({"type": "click"}, True, "", None)
    assert (second.index, second.success, second.url) == (1, False, "http://b.test/")


def test_an_action_of_a_kind_that_we_do_not_have_is_told_as_it_came() -> None:
    """Newer agents do newer things."""
    (told,) = steps_of(typed(0, {"type": "captcha_dance", "beat": 3, "partner": None}), plain, over=False)
    assert told.step.action == {"type": "captcha_dance", "beat": 3}


@pytest.mark.parametrize(
    ("action", "role", "name"),
    [
        ({"type": "click", "selector": 'role=link[name="Tea \\"Sencha\\""]'}, "link", 'Tea "Sencha"'),
        ({"type": "click", "selector": "#send", "text_label": "Send"}, "", "Send"),
        ({"type": "fill", "id": "I4", "value": "x", "description": '<input type="password"></input>'}, "password", ""),
        ({"type": "click", "id": "L3"}, "link", ""),
    ],
)
def test_an_element_is_told_as_far_as_its_action_tells_it(action: dict[str, Any], role: str, name: str) -> None:
    """By a selector that names it, by its label, by how it is spelled, by its id's letter."""
    (told,) = Reader(plain).feed({"type": "execution_result", "value": {"action": action, "success": True}})
    assert told.step.target is not None
    assert (told.step.target.role, told.step.target.name) == (role, name)


def test_a_legacy_step_that_says_how_it_went_is_told_at_once() -> None:
    """A newer server says it besides, and what was really done where the old kinds have none for it."""
    action, own = {"type": "click", "id": "B1"}, {"type": "double_click", "id": "B1"}
    said = {"state": {"next_goal": "On."}, "action": action, "own": own, "success": False, "message": "covered"}
    (told,) = Reader(plain).feed({**said, "started_at": FROM, "ended_at": TO, "url": None})
    assert (told.step.action, told.step.success, told.step.message) == ({"type": "double_click"}, False, "covered")
    assert (told.step.thought, told.step.started_at) == ("On.", AT)


@pytest.mark.parametrize("junk", [None, 7, [], "step", {}, {"type": 1, "value": {}}, {"type": "dream", "value": {}},
                                  {"type": "execution_result", "value": {}}, {"action": 3}])  # fmt: skip
def test_what_is_no_step_is_passed_over(junk: object) -> None:
    """The steps around it are told all the same."""
    told = steps_of([*typed(0, CLICK), junk, *typed(1, CLICK)], plain, over=True)
    assert [one.step.index for one in told] == [0, 1]


def test_a_step_bears_the_same_marks_wherever_it_is_told() -> None:
    """A log that is joined after the completion tells the result alone."""
    elements = typed(0, CLICK)
    (whole,), (late,) = steps_of(elements, plain, over=False), Reader(plain).feed(elements[4])
    assert late.marks
    assert late.marks < whole.marks


def test_a_status_is_live_only_where_it_says_active() -> None:
    """Every other word is an end."""
    assert is_live({"status": "active"})
    assert not any(is_live({"status": word}) for word in ("closed", "error", "failed"))
    value = {"agent_id": "a1", "status": "closed", "success": True, "answer": "42", "steps": typed(0, CLICK)}
    status = status_of(value, steps_of(value["steps"], plain, over=True))
    assert (status.agent_id, status.is_live, status.success, status.answer, len(status.steps)) == (
        "a1",
        False,
        True,
        "42",
        1,
    )


def test_the_frames_of_a_log_are_told_apart() -> None:
    """Steps of any shape, remarks, both kinds of end; junk is nothing."""
    assert frame_of('{"type": "observation", "value": {}}') == Element({"type": "observation", "value": {}})
    assert frame_of('{"action": "click", "success": true}') == Element({"action": "click", "success": True})
    assert frame_of('{"validation": "not yet"}') == HostedRemark("not yet")
    assert frame_of('{"status": "agent_stop", "agent": {"status": "closed"}}') == End({"status": "closed"})
    assert frame_of('{"status": "agent_stop"}') == End({})
    bare = '{"agent_id": "a1", "status": "closed", "success": false}'
    assert frame_of(bare) == End({"agent_id": "a1", "status": "closed", "success": False})
    junk = ("[1]", "not json", "null", "{}", "[" * 100_000, b"\xff", '{"agent_id": "a1", "status": "active"}')
    assert [frame_of(one) for one in junk] == [None] * len(junk)
