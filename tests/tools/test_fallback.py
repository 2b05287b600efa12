"""AgentFallback: what happens where a batch breaks off and a goal was given."""

from typing import Any

import anyio
import pytest
from mcp.types import CallToolResult

from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.tools import execute, outcomes
from tests.tools.conftest import DONE, FILL_AND_SEND, FORM, NOWHERE, SLOW, Host, text_of
from tests.tools.driven import ANSWER, TASK, completion, drives, says

pytestmark = pytest.mark.anyio

FILL = FILL_AND_SEND[:1]
NOPE = {"type": "click", "selector": "#nope"}
SEND = says({"type": "click", "id": "{{button 'Send request'}}"})
GOAL = "Send the request"


async def fallen_back(host: Host, *actions: object, **options: Any) -> CallToolResult:
    return await host.call("notte_execute", actions=list(actions), fallback_task=GOAL, **options)


async def agents(host: Host) -> list[dict[str, Any]]:
    return (await host.facts("notte_status"))["agents"]


async def the_agent(host: Host) -> dict[str, Any]:
    """The one agent, once it has ended."""
    (listed,) = await agents(host)
    return await host.facts("notte_status", id=listed["agent_id"], wait_seconds=9, until="done")


async def test_a_batch_that_goes_well_needs_no_agent(host: Host) -> None:
    """Contract: the agent is not invoked."""
    model = drives(host, ANSWER)
    await host.start()

    result = await fallen_back(host, *FILL_AND_SEND)

    assert text_of(result) == (
        '1 fill I1 "Applicant"\n2 fill I2 "Access code" = (secret SECRET_ACCESS_CODE)\n'
        '3 select_dropdown_option I3 "District"\n4 click B1 "Send request" -> (200)\n'
        f"Done  {DONE}\nview 2"
    )
    assert model.requests == []
    assert await agents(host) == []


async def test_a_failure_hands_the_goal_to_an_agent_in_the_same_session(host: Host) -> None:
    """Contract: what was done, what failed, what was skipped, how the agent ended, and the page it left."""
    drives(host, SEND, ANSWER)
    session_id = await host.start()

    result = await fallen_back(host, *FILL, NOPE, {"type": "reload"}, {"type": "reload"})

    lines = text_of(result).splitlines()
    agent = await the_agent(host)
    assert not result.is_error
    assert lines[:2] == ["failed at 2 of 4", '1 fill I1 "Applicant"']
    assert lines[2].startswith("2 failed: Selector '#nope' matches nothing.")
    assert lines[3:] == [
        "not run: 3, 4",
        f"fallback: agent {agent['id']} completed after 2 steps: The number is 4711.",
        f"Done  {DONE}",
        "view 5",
    ]
    assert agent["session_id"] == session_id
    assert {step["actor"] for step in agent["steps"]} == {"fallback"}
    assert [action.type for action in host.engine.sessions[session_id].performed] == ["goto", "fill", "click", "click"]


async def test_the_agent_is_told_what_was_done_and_what_was_not(host: Host) -> None:
    """Contract: told the steps so far and the last error; secrets by name."""
    model = drives(host, ANSWER)
    await host.start()

    await fallen_back(host, *FILL_AND_SEND[:2], NOPE, {"type": "reload"})

    told = "\n".join(message.text for message in model.requests[0].messages)
    assert GOAL in told
    assert '1 fill I1 "Applicant"' in told
    assert "SECRET_ACCESS_CODE" in told
    assert "What failed: 3 failed: Selector '#nope' matches nothing" in told
    assert "Not begun: 1" in told
    assert "geheim" not in str(model.requests)


async def test_a_batch_that_is_refused_whole_is_handed_over_too(host: Host) -> None:
    """Contract: an id that was never observed is a failure like others."""
    model = drives(host, SEND, ANSWER)
    session_id = await host.start()

    result = await fallen_back(host, *FILL, {"type": "click", "id": "B99"})

    lines = text_of(result).splitlines()
    assert not result.is_error
    assert lines[0] == "refused: none of 2 was begun"
    assert "B99" in lines[1]
    assert "completed after 2 steps" in lines[2]
    assert "Not begun: 2" in str(model.requests[0].messages)
    assert [action.type for action in host.engine.sessions[session_id].performed] == ["goto", "click"]


async def test_a_page_that_was_left_before_its_time_is_handed_over(host: Host) -> None:
    """Ours: nothing failed, but the rest of the batch names ids of another page."""
    drives(host, ANSWER)
    await host.start()

    result = await fallen_back(host, {"type": "click", "id": "B1"}, {"type": "click", "id": "B2"})

    lines = text_of(result).splitlines()
    assert lines[0] == "stopped after 1 of 2"
    assert lines[2].startswith("not run: 2: action 1 left the page")
    assert "completed after 1 step: " in lines[3]


async def test_an_agent_that_gives_up_says_why(host: Host) -> None:
    """Contract: the result says how it ended."""
    drives(host, says(completion("There is no such button.", success=False)))
    await host.start()

    result = await fallen_back(host, NOPE)

    assert "failed (gave_up) after 1 step: There is no such button." in text_of(result)
    assert f"Permit request  {FORM}" in text_of(result)


async def test_an_agent_that_is_still_at_work_at_the_limit_is_named(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract: its id when it is still running at the wait limit; it goes on."""
    monkeypatch.setattr(execute, "ACT_S", 2.0)
    gate = anyio.Event()
    drives(host, ANSWER, gate=gate)
    await host.start()

    result = await fallen_back(host, NOPE)
    gate.set()

    text = text_of(result)
    agent = await the_agent(host)
    assert not result.is_error
    assert f"fallback: agent {agent['id']} is running after 0 steps" in text
    assert f'notte_status(id="{agent["id"]}", wait_seconds=30, after_step=0)' in text
    assert f"Permit request  {FORM}" in text
    assert agent["state"] == "completed"


async def test_an_agent_that_asks_is_answered_by_steer(host: Host) -> None:
    """Contract: needs_input is no end."""
    drives(host, says({"type": "help", "value": "Which district?"}), ANSWER)
    await host.start()

    text = text_of(await fallen_back(host, NOPE))

    (agent,) = await agents(host)
    assert agent["state"] == "needs_input"
    assert "and asks: Which district?" in text
    assert f'notte_steer(agent_id="{agent["agent_id"]}", command="answer"' in text


async def test_a_session_that_is_stopped_meanwhile_takes_nothing_from_what_was_done(host: Host) -> None:
    """Ours: the account of the batch stands before all else."""
    model = drives(host, ANSWER, gate=anyio.Event())
    session_id = await host.start()
    told: list[CallToolResult] = []

    async def act() -> None:
        told.append(await fallen_back(host, *FILL, NOPE))

    async with anyio.create_task_group() as group:
        group.start_soon(act)
        await model.asked()
        await host.facts("notte_stop", id=session_id)

    lines = text_of(told[0]).splitlines()
    assert not told[0].is_error
    assert lines[:2] == ["failed at 2 of 2", '1 fill I1 "Applicant"']
    assert "stopped (session_stopped) after 0 steps" in lines[3]
    assert lines[4].startswith("note: the page could not be seen: ")


async def test_a_page_that_is_held_by_the_agent_at_the_limit_is_left_to_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: the answer does not queue behind an action of the agent."""
    monkeypatch.setattr(execute, "ACT_S", 2.0)
    monkeypatch.setattr(outcomes, "LOOK_S", 0.3)
    drives(host, says({"type": "click", "id": "{{button 'Wait'}}"}), ANSWER)
    await host.start(SLOW)

    result = await fallen_back(host, NOPE)
    host.gate.set()

    text = text_of(result)
    assert "is running after 0 steps" in text
    assert text.splitlines()[-1] == "note: the page could not be seen in time. Next: notte_observe."
    assert (await the_agent(host))["state"] == "completed"


# --- nobody to fall back on ---------------------------------------------------------


@pytest.mark.parametrize("before", [0, 1])
async def test_without_a_model_the_caller_is_the_fallback(host: Host, before: int) -> None:
    """Contract: says so and carries the observation; an error only where nothing was done."""
    await host.start()

    result = await fallen_back(host, *FILL[:before], NOPE)

    text = text_of(result)
    assert f"fallback: no model is configured, so it is you: from the page below, {GOAL}" in text
    assert 'I1 textbox "Applicant"' in text
    assert result.is_error is (before == 0)
    assert await agents(host) == []


async def test_a_model_that_cannot_be_used_takes_nothing_from_what_was_done(host: Host) -> None:
    """Ours: the account of the batch stands before all else."""
    host.model = "anthropic:claude"
    await host.start()

    result = await fallen_back(host, *FILL, NOPE)

    text = text_of(result)
    assert not result.is_error
    assert text.splitlines()[:2] == ["failed at 2 of 2", '1 fill I1 "Applicant"']
    assert "fallback: no agent was started: There is no key for anthropic:claude" in text
    assert f"from the page below: {GOAL}" in text
    assert 'I1 textbox "Applicant"' in text


async def test_a_session_that_its_caller_drives_for_a_task_has_its_agent_already(host: Host) -> None:
    """Contract: one session runs one agent at a time."""
    drives(host, ANSWER)
    started = await host.facts("notte_start", task=TASK, url=FORM, driver="assistant")

    text = text_of(await fallen_back(host, *FILL, NOPE))

    assert f"fallback: no agent was started: Agent {started['agent_id']} works in session" in text
    assert len(await agents(host)) == 1
    assert (await host.facts("notte_status", id=started["agent_id"]))["step_count"] == 3


async def test_a_session_at_which_a_model_works_is_left_alone(host: Host) -> None:
    """Contract: session_busy, and nothing is done."""
    model = drives(host, ANSWER, gate=anyio.Event())
    started = await host.facts("notte_start", task=TASK, url=FORM)
    await model.asked()

    said = await host.refusal("notte_execute", actions=FILL, fallback_task=GOAL)

    assert f"Agent {started['agent_id']} is at work" in said
    assert len(await agents(host)) == 1


async def test_what_ends_an_agent_is_no_case_for_another_one(host: Host) -> None:
    """Ours: max_steps is a limit, and not a failure of the page."""
    host.models["ours"] = ScriptedModel([ANSWER], name="ours")
    host.model = "ours"
    started = await host.facts("notte_start", task=TASK, url=FORM, driver="assistant", max_steps=2)

    text = text_of(await fallen_back(host, *FILL_AND_SEND))

    assert "fallback:" not in text
    assert f"agent {started['agent_id']} is stopped (max_steps)" in text
    assert len(await agents(host)) == 1


# --- how it is asked for --------------------------------------------------------------


async def test_a_repeat_gets_the_same_answer_and_starts_no_second_agent(host: Host) -> None:
    """P2: request_id."""
    model = drives(host, SEND, ANSWER)
    session_id = await host.start()

    first = await fallen_back(host, *FILL, NOPE, request_id="f")
    second = await fallen_back(host, *FILL, NOPE, request_id="f")

    assert first.content == second.content
    assert len(await agents(host)) == 1
    assert len(model.requests) == 2
    assert len(host.engine.sessions[session_id].performed) == 4
    other = await host.refusal("notte_execute", actions=[*FILL, NOPE], fallback_task="Another goal", request_id="f")
    assert "other arguments" in other


async def test_a_wrong_wish_for_a_fallback_does_nothing(host: Host) -> None:
    """Bad input."""
    session_id = await host.start()
    for options, named in (
        ({"fallback_task": " "}, "fallback_task is empty"),
        ({"fallback_task": "x" * 20_001}, "20001"),
        ({"fallback_task": GOAL, "on_error": "continue"}, "stops at its first failure"),
    ):
        said = await host.refusal("notte_execute", actions=FILL, **options)

        assert named in said
        assert "Nothing was done" in said
        assert [action.type for action in host.engine.sessions[session_id].performed] == ["goto"]


async def test_a_first_page_that_does_not_load_can_be_fallen_back_from(host: Host) -> None:
    """Ours: the agent may find another way."""
    drives(host, says({"type": "goto", "url": FORM}), SEND, ANSWER)
    await host.start(None)

    result = await fallen_back(host, {"type": "goto", "url": NOWHERE})

    assert not result.is_error
    assert "completed after 3 steps" in text_of(result)
    assert f"Done  {DONE}" in text_of(result)
