"""Following agents to their end: status, waits, lists, stops."""

import json
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.tools import waiting
from tests.tools.conftest import DONE, ERAS, FORM, SLOW, Host, text_of
from tests.tools.driven import ANSWER, FILL, SEND, TASK, completion, drives, says

pytestmark = pytest.mark.anyio

HELP = says({"type": "help", "value": "Which district?"})


async def begun(host: Host, model: ScriptedModel, url: str = FORM) -> dict[str, Any]:
    """An agent that waits for its model's first answer."""
    facts = await host.facts("notte_start", task=TASK, url=url)
    await model.asked()
    return facts


def held(host: Host, *answers: object) -> tuple[ScriptedModel, anyio.Event]:
    """A model whose answers wait for a gate."""
    gate = anyio.Event()
    return drives(host, *answers, gate=gate), gate


# --- what is told -----------------------------------------------------------------


async def test_an_agent_is_told_by_its_stable_names(host: Host) -> None:
    """Contract: the structured result of one agent."""
    drives(host, SEND, ANSWER)
    started = await host.facts("notte_start", task=TASK, url=FORM, wait_seconds=9)

    facts = await host.facts("notte_status", id=started["agent_id"])

    assert facts | {"steps": [], "usage": {}, "next": ""} == {
        "id": started["agent_id"],
        "kind": "agent",
        "state": "completed",
        "session_id": started["session_id"],
        "agent_id": started["agent_id"],
        "driver": "model",
        "url": DONE,
        "title": "Done",
        "steps_uri": f"notte://agents/{started['agent_id']}/steps",
        "steps": [],
        "last_step": 5,
        "step_count": 5,
        "answer": "The number is 4711.",
        "success": True,
        "usage": {},
        "next": "",
    }
    assert [(step["number"], step["actor"], step["action"], step["success"]) for step in facts["steps"]] == [
        (1, "model", f"goto -> {FORM} (200)", True),
        (2, "model", 'fill I1 "Applicant" = "Ada"', True),
        (3, "model", 'fill I2 "Access code" = (secret SECRET_ACCESS_CODE)', True),
        (4, "model", f'click B1 "Send request" -> {DONE} (200)', True),
        (5, "model", "completion", True),
    ]
    assert "notte_workflow_code" in facts["next"]


async def test_the_text_of_a_status_is_its_facts(host: Host) -> None:
    """Measured on hosts: some show the model only one of both forms."""
    drives(host, SEND, ANSWER)
    started = await host.facts("notte_start", task=TASK, url=FORM, wait_seconds=9)

    for arguments in ({"id": started["agent_id"]}, {}):
        result = await host.call("notte_status", **arguments)
        assert json.loads(text_of(result)) == result.structured_content


async def test_only_steps_after_the_cursor_are_told(host: Host) -> None:
    """Contract: after_step by the agent's own numbers."""
    session_id = await host.start()
    drives(host, SEND, ANSWER)
    started = await host.facts("notte_start", task=TASK, session_id=session_id, model="ours", wait_seconds=9)

    facts = await host.facts("notte_status", id=started["agent_id"], after_step=3)

    assert [step["number"] for step in facts["steps"]] == [4]
    assert (facts["last_step"], facts["step_count"]) == (4, 4)
    assert (await host.facts("notte_status", id=session_id))["step_count"] == 5


async def test_without_an_id_agents_are_listed_beside_sessions_live_ones_first(host: Host) -> None:
    """Contract."""
    model, _ = held(host, ANSWER)
    live = await begun(host, model)
    ended = await host.facts("notte_start", task="Look at it", url=DONE, driver="assistant")
    await host.text("notte_execute", session_id=ended["session_id"], actions=[completion("seen")])

    listed = await host.facts("notte_status")

    assert listed["agents"] == [
        {
            "agent_id": live["agent_id"],
            "session_id": live["session_id"],
            "driver": "model",
            "state": "running",
            "task": TASK,
            "step_count": 1,
        },
        {
            "agent_id": ended["agent_id"],
            "session_id": ended["session_id"],
            "driver": "assistant",
            "state": "completed",
            "task": "Look at it",
            "step_count": 2,
        },
    ]
    assert {one["session_id"] for one in listed["sessions"]} == {live["session_id"], ended["session_id"]}


async def test_a_failure_is_told_with_its_reason(host: Host) -> None:
    """Contract: success=false and why."""
    drives(host, *["no JSON at all"] * 3)

    facts = await host.facts("notte_start", task=TASK, url=FORM, wait_seconds=9)

    assert (facts["state"], facts["reason"], facts["success"]) == ("failed", "malformed_answer", False)
    assert facts["answer"]


# --- waiting ----------------------------------------------------------------------


async def test_a_wait_for_a_step_gives_only_what_is_new(host: Host) -> None:
    """Contract: until=step."""
    model, gate = held(host, FILL, says({"type": "click", "id": "{{button 'Send request'}}"}), ANSWER)
    agent_id = (await begun(host, model))["agent_id"]
    seen: list[int] = []
    state = "running"

    gate.set()
    after = 1
    while state == "running":
        facts = await host.facts("notte_status", id=agent_id, wait_seconds=9, after_step=after, until="step")
        seen += [step["number"] for step in facts["steps"]]
        after, state = facts["last_step"], facts["state"]

    assert seen == [2, 3, 4]


async def test_a_wait_for_the_end_is_not_over_at_each_step(host: Host) -> None:
    """Contract: until=done."""
    model, gate = held(host, FILL, ANSWER)
    agent_id = (await begun(host, model))["agent_id"]
    told: list[dict[str, Any]] = []

    async def wait() -> None:
        told.append(await host.facts("notte_status", id=agent_id, wait_seconds=9, until="done"))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        gate.set()

    assert told[0]["state"] == "completed"


@pytest.mark.parametrize("until", ["step", "input", "done"])
async def test_no_wait_outlasts_a_question(host: Host, until: str) -> None:
    """Contract: until=input; whoever waits for more is told too, since nothing else will happen."""
    drives(host, HELP, ANSWER)
    agent_id = (await host.facts("notte_start", task=TASK, url=FORM))["agent_id"]

    with anyio.fail_after(5):
        facts = await host.facts("notte_status", id=agent_id, wait_seconds=40, after_step=9, until=until)

    assert (facts["state"], facts["question"]) == ("needs_input", "Which district?")


@ERAS
async def test_a_wait_sends_progress(host: Host) -> None:
    """Contract."""
    model, _ = held(host, ANSWER)
    agent_id = (await begun(host, model))["agent_id"]
    told: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert 0 < progress <= (total or 0) + 0.2
        told.append(message)

    assert host.client is not None
    with anyio.fail_after(8):
        await host.client.call_tool("notte_status", {"id": agent_id, "wait_seconds": 1.2}, progress_callback=note)

    assert told == ["running, 1 steps", "running, 1 steps"]


@ERAS
async def test_a_wait_that_is_abandoned_does_not_end_the_agent(host: Host) -> None:
    """Contract: status is safe to abandon."""
    model, gate = held(host, FILL, ANSWER)
    agent_id = (await begun(host, model))["agent_id"]

    with anyio.move_on_after(0.3) as given_up:
        await host.call("notte_status", id=agent_id, wait_seconds=30, until="done")
    gate.set()

    assert given_up.cancelled_caught
    ended = await host.facts("notte_status", id=agent_id, wait_seconds=9, until="done")
    assert (ended["state"], len(model.requests)) == ("completed", 2)


@ERAS
async def test_a_start_that_is_abandoned_does_not_end_the_agent(host: Host) -> None:
    """Contract: agents live in the app, never in a request."""
    model, gate = held(host, ANSWER)

    with anyio.move_on_after(1) as given_up:
        await host.call("notte_start", task=TASK, url=FORM, wait_seconds=30)
    await model.asked()
    gate.set()

    assert given_up.cancelled_caught
    (agent,) = (await host.facts("notte_status"))["agents"]
    ended = await host.facts("notte_status", id=agent["agent_id"], wait_seconds=9, until="done")
    assert ended["state"] == "completed"


async def test_agents_work_side_by_side(host: Host) -> None:
    """Contract: several agents at once, each with its session; any is answered for meanwhile."""
    gate = anyio.Event()
    started: list[dict[str, Any]] = []
    for name in ("first", "second", "third"):
        host.models[name] = ScriptedModel([SEND, says(completion(name))], name=name, gate=gate)
        started.append(await host.facts("notte_start", task=TASK, url=FORM, model=name))
    listed = (await host.facts("notte_status"))["agents"]
    gate.set()

    ended = [await host.facts("notte_status", id=one["agent_id"], wait_seconds=9, until="done") for one in started]

    assert {one["state"] for one in listed} == {"running"}
    assert [one["answer"] for one in ended] == ["first", "second", "third"]
    assert len({one["session_id"] for one in ended}) == 3


# --- ends -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["graceful", "now"])
async def test_stopping_an_agent_leaves_its_session(host: Host, how: str) -> None:
    """Contract: an agent's stop leaves its session; the record is what status tells."""
    model, _ = held(host, ANSWER)
    started = await begun(host, model)

    stopped = await host.facts("notte_stop", id=started["agent_id"], mode=how)

    assert (stopped["state"], stopped["reason"], stopped["success"]) == ("stopped", "user", False)
    assert stopped == await host.facts("notte_status", id=started["agent_id"])
    assert (await host.facts("notte_status", id=started["session_id"]))["state"] == "ready"
    assert (await host.text("notte_execute", actions=[{"type": "reload"}])).startswith("1 reload")


async def test_stopping_an_agent_twice_is_no_error(host: Host) -> None:
    """The annotation says idempotent."""
    model, _ = held(host, ANSWER)
    started = await begun(host, model)

    first = await host.facts("notte_stop", id=started["agent_id"])

    assert first == await host.facts("notte_stop", id=started["agent_id"])


async def test_an_agent_that_its_caller_drives_is_stopped_the_same_way(host: Host) -> None:
    """Contract: one record for all drivers."""
    started = await host.facts("notte_start", task=TASK, url=FORM)

    stopped = await host.facts("notte_stop", id=started["agent_id"])

    assert (stopped["state"], stopped["driver"], stopped["success"]) == ("stopped", "assistant", False)


async def test_stopping_a_session_ends_its_agent(host: Host) -> None:
    """Contract: a session's stop ends its agent too."""
    model, _ = held(host, ANSWER)
    started = await begun(host, model)

    stopped = await host.facts("notte_stop", id=started["session_id"])

    assert (stopped["kind"], stopped["state"]) == ("session", "stopped")
    agent = await host.facts("notte_status", id=started["agent_id"])
    assert (agent["state"], agent["reason"]) == ("stopped", "session_stopped")
    assert host.engine.sessions[started["session_id"]].closed


async def test_stopping_all_ends_sessions_and_agents_and_names_both(host: Host) -> None:
    """Contract: all=true."""
    model, _ = held(host, ANSWER)
    driven = await begun(host, model)
    own = await host.facts("notte_start", task=TASK, url=DONE, driver="assistant")

    stopped = await host.facts("notte_stop", all=True)

    ids = {driven["session_id"]: driven["agent_id"], own["session_id"]: own["agent_id"]}
    assert {one["session_id"]: one["state"] for one in stopped["sessions"]} == dict.fromkeys(ids, "stopped")
    assert {one["agent_id"]: one["state"] for one in stopped["agents"]} == dict.fromkeys(ids.values(), "stopped")


async def test_a_stop_without_an_id_names_agents_too(host: Host) -> None:
    """Contract: neither id nor all is an error that lists what is live."""
    started = await host.facts("notte_start", task=TASK, url=FORM)

    said = await host.refusal("notte_stop")

    assert f"{started['agent_id']} running in {started['session_id']}" in said


async def test_a_stop_while_it_acts_ends_within_four_seconds(host: Host) -> None:
    """P4: graceful waits 2.5 s for the action in flight, whose outcome nobody knows then."""
    drives(host, says({"type": "click", "id": "{{button 'Wait'}}"}), ANSWER)
    started = await host.facts("notte_start", task=TASK, url=SLOW)
    with anyio.fail_after(5):
        while not host.engine.sessions[started["session_id"]].acting:
            await checkpoint()

    begun_at = anyio.current_time()
    stopped = await host.facts("notte_stop", id=started["agent_id"])

    assert anyio.current_time() - begun_at < 4
    assert (stopped["state"], stopped["reason"]) == ("stopped", "user")
    assert stopped["steps"][-1]["action"] == "click B1"
    assert "success" not in stopped["steps"][-1]


async def test_a_start_that_is_abandoned_and_repeated_is_answered_as_if_it_had_not_been(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P2: the likeliest repeat comes from a host that lost its patience; progress is told to nobody then."""
    monkeypatch.setattr(waiting, "SLICE_S", 0.1)
    model, gate = held(host, ANSWER)
    wanted: dict[str, Any] = {"task": TASK, "url": FORM, "wait_seconds": 9, "request_id": "a"}
    again: list[dict[str, Any]] = []

    async def repeat() -> None:
        again.append(await host.facts("notte_start", **wanted))

    with anyio.CancelScope() as given_up:

        async def give_up(progress: float, total: float | None, message: str | None) -> None:
            assert (progress > 0, total, message) == (True, 9, "running, 1 steps")
            given_up.cancel()

        assert host.client is not None
        await host.client.call_tool("notte_start", wanted, progress_callback=give_up)
    async with anyio.create_task_group() as group:
        group.start_soon(repeat)
        (agent,) = (await host.facts("notte_status"))["agents"]
        await host.facts("notte_status", id=agent["agent_id"], wait_seconds=0.5)
        gate.set()

    assert given_up.cancelled_caught
    assert (again[0]["state"], again[0]["answer"]) == ("completed", "The number is 4711.")
    assert len(model.requests) == 1
