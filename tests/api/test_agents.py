"""Agents of the API: how they are started, told and stopped, and what is refused."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.api.trajectory import trajectory
from tests.api.desk import BASE, FORM, PLAN, RESULT, Desk, desk

pytestmark = pytest.mark.anyio

STEP_TYPES = ["agent_step_start", "agent_completion", "execution_result", "agent_step_stop"]
SCHEMA = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
FAIL = {"actions": [{"type": "click", "selector": "#nowhere"}]}


def completion(answer: object, *, success: bool = True) -> dict[str, Any]:
    return {"actions": [{"type": "completion", "success": success, "answer": answer}]}


@pytest.fixture
async def new(tmp_path: Path) -> AsyncGenerator[Desk]:
    """With the contract of 1.10."""
    async with desk(tmp_path, contract="1.10") as opened:
        yield opened


@pytest.fixture
async def old(tmp_path: Path) -> AsyncGenerator[Desk]:
    """With the contract of 1.9."""
    async with desk(tmp_path, contract="1.9") as opened:
        yield opened


# --- lifecycle --------------------------------------------------------------------


async def test_an_agent_is_active_with_no_answer_and_closed_with_one(new: Desk) -> None:
    """Contract, 5.1: `success` and `answer` are null while it runs."""
    new.plan(*PLAN, delay_s=0.2)
    session_id = await new.session()
    agent_id = await new.start(session_id)

    active = await new.ask("GET", f"/agents/{agent_id}", params={"agent_id": agent_id})
    closed = await new.ended(agent_id)

    assert (active["status"], active["success"], active["answer"], active["closed_at"]) == ("active", None, None, None)
    assert (closed["status"], closed["success"], closed["answer"]) == ("closed", True, "Number 4711.")
    assert closed["closed_at"] > closed["created_at"] == active["created_at"]
    assert (closed["task"], closed["url"], closed["session_id"]) == ("Send the form.", FORM, session_id)


async def test_the_steps_of_the_newer_contract_are_a_slice_of_the_sessions_trajectory(new: Desk) -> None:
    """Contract, 3.4: what the session did before stands before them."""
    session_id = await new.session()
    await new.act(session_id, a.Goto(url=f"{BASE}/list"), a.Goto(url=RESULT))
    first = await new.run(session_id)
    await new.act(session_id, a.Goto(url=f"{BASE}/list"))

    whole = await trajectory(new.app, session_id)

    assert [step["type"] for step in first["steps"]] == STEP_TYPES * 4
    assert whole[2:18] == first["steps"]
    assert len(whole) == (await new.ask("GET", f"/sessions/{session_id}/offset"))["offset"]
    assert [element["type"] for element in (*whole[:2], *whole[18:])] == ["execution_result"] * 3


async def test_a_step_tells_what_was_decided_and_what_came_of_it(new: Desk) -> None:
    """Contract, 17: state, action and result of one step."""
    status = await new.run(await new.session())
    start, decided, done, stop = (element["value"] for element in status["steps"][4:8])

    assert (start["step_number"], stop["step_number"], start["agent_id"]) == (1, 1, status["agent_id"])
    assert decided["state"] == {
        "previous_goal_status": "success",
        "previous_goal_eval": f"Navigated to '{FORM}' in current tab",
        "page_summary": FORM,
        "relevant_interactions": [{"id": "I1", "reason": "textbox Applicant"}],
        "memory": "",
        "next_goal": "First the name.",
    }
    assert decided["action"] == done["action"]
    assert done["action"] | {"type": "fill", "id": "I1", "value": "Ada"} == done["action"]
    assert (done["success"], done["exception"], done["exception_detail"]) == (True, None, None)


async def test_the_steps_of_the_older_contract_are_completions_that_can_be_read_by_hand(old: Desk) -> None:
    """Seed page: `step['action']`, `step['success']`, `step['message']`."""
    old.plan(FAIL, *PLAN)
    steps = (await old.run(await old.session()))["steps"]

    assert [step["action"]["type"] for step in steps] == ["goto", "click", "fill", "click", "completion"]
    assert [step["success"] for step in steps] == [True, False, True, True, True]
    assert "#nowhere" in steps[1]["message"]
    assert [step["state"]["previous_goal_status"] for step in steps[1:3]] == ["success", "failure"]


async def test_actions_that_the_older_contract_does_not_know_are_told_as_ones_that_it_does(old: Desk) -> None:
    """Ours: its SDK gives up a whole list over a type that it does not know."""
    old.plan(
        {"actions": [{"type": "wait_for", "value": "read by a person"}, {"type": "handle_dialog", "value": "accept"}]},
        {"actions": [{"type": "double_click", "id": "{{button 'Add a note'}}"}]},
        completion("Done."),
    )
    steps = (await old.run(await old.session()))["steps"]

    assert [step["action"]["type"] for step in steps] == ["goto", "wait", "wait", "click", "completion"]
    assert [step["own"]["type"] for step in steps[1:4]] == ["wait_for", "handle_dialog", "double_click"]


async def test_each_sdk_is_answered_in_its_own_contract_where_none_is_set(tmp_path: Path) -> None:
    """By the version that it says with requests; the log's WebSocket, with which it says none, is as its agent's start."""
    sdk, body = {"x-notte-sdk-version": "1.9.7"}, {"headless": True}
    async with desk(tmp_path, contract=None) as both:
        await both.ask("POST", "/sessions/start", status=422, json=body)
        await both.ask("POST", "/sessions/start", status=422, json=body, headers={"x-notte-sdk-version": "1.10.0"})
        session_id = (await both.ask("POST", "/sessions/start", json=body, headers=sdk))["session_id"]
        started = await both.ask(
            "POST", "/agents/start", json={"task": "t", "session_id": session_id, "url": FORM}, headers=sdk
        )
        agent_id = started["agent_id"]
        newer = (await both.ended(agent_id))["steps"]
        older = (await both.ask("GET", f"/agents/{agent_id}", headers=sdk))["steps"]
        log = await both.socket(f"/agents/{agent_id}/debug/logs", session_id=session_id).read()

    assert {step["type"] for step in newer} >= set(STEP_TYPES)
    assert [step["action"]["type"] for step in older] == ["goto", "fill", "click", "completion"]
    assert log.frames[: len(older)] == older


async def test_an_answer_to_a_format_is_json_text(new: Desk) -> None:
    """Contract, 5.1: `answer` is a string always."""
    new.plan(completion("no"), completion({"number": 4711}))
    status = await new.run(await new.session(), response_format=SCHEMA)

    assert json.loads(status["answer"]) == {"number": 4711}
    results = [step["value"]["success"] for step in status["steps"] if step["type"] == "execution_result"]
    assert results == [True, False, True]


async def test_a_refused_completion_is_no_step_of_the_older_contract(old: Desk) -> None:
    """Ours: `wait()` of its SDK takes any completion for the end, and would come back without an answer."""
    old.plan(completion("no"), completion({"number": 4711}))
    status = await old.run(await old.session(), response_format=SCHEMA)
    assert [step["action"]["type"] for step in status["steps"]] == ["goto", "completion"]


async def test_an_agent_whose_last_word_is_among_its_steps_has_an_answer(old: Desk) -> None:
    """Ours: that SDK stops asking at the completion."""
    agent_id = await old.start(await old.session())
    with anyio.fail_after(10):
        while not (status := await old.ask("GET", f"/agents/{agent_id}"))["steps"][-1:] or (
            status["steps"][-1]["action"]["type"] != "completion"
        ):
            assert status["answer"] is None
    assert (status["status"], status["success"]) == ("closed", True)


# --- ends -------------------------------------------------------------------------


async def test_the_limit_of_steps_ends_an_agent_with_an_answer_that_says_so(new: Desk) -> None:
    """Contract, 5.3: the url is one of its steps."""
    new.plan(FAIL, PLAN[0], PLAN[1], PLAN[1])
    status = await new.run(await new.session(), max_steps=3)
    assert (status["status"], status["success"]) == ("closed", False)
    assert "3 steps" in status["answer"]
    assert len(status["steps"]) == 3 * 4


async def test_an_agent_that_asks_for_help_ends_since_nobody_is_there(new: Desk) -> None:
    """Contract, 5.3: it ends failed, with the reason in its answer."""
    new.plan({"actions": [{"type": "help", "value": "Which district?"}]})
    status = await new.run(await new.session())
    assert (status["status"], status["success"]) == ("closed", False)
    assert "Which district?" in status["answer"]
    assert status["steps"][-3]["value"]["action"] == {"type": "help", "reason": "Which district?"}


async def test_a_stopped_agent_is_closed_when_the_answer_comes_and_can_be_stopped_again(new: Desk) -> None:
    """Contract, 5.2: closed, `success` false."""
    new.plan(*PLAN, delay_s=30)
    session_id = await new.session()
    agent_id = await new.start(session_id)
    path = f"/agents/{agent_id}/stop"

    missing = await new.ask("DELETE", path, status=422)
    other = await new.ask("DELETE", path, status=422, params={"session_id": "ses_other"})
    stopped = await new.ask("DELETE", path, params={"session_id": session_id})
    again = await new.ask("DELETE", path, params={"session_id": session_id})

    assert [fault["detail"][0]["loc"] for fault in (missing, other)] == [["query", "session_id"]] * 2
    assert (stopped["status"], stopped["success"], bool(stopped["answer"])) == ("closed", False, True)
    assert again == stopped
    assert (await new.app.registry.record(session_id)).state == "ready"


async def test_an_agent_ends_with_its_session(new: Desk) -> None:
    """Contract, 5.1: not left active for ever."""
    new.plan(*PLAN, delay_s=30)
    session_id = await new.session()
    agent_id = await new.start(session_id)
    await new.app.registry.stop(session_id)
    status = await new.ended(agent_id)
    assert (status["status"], status["success"]) == ("closed", False)
    assert "session was stopped" in status["answer"]


async def test_several_agents_run_in_one_session_one_after_the_other(new: Desk) -> None:
    """Seed page: the second one begins where the first one ended; two at once are a conflict."""
    session_id = await new.session()
    new.plan(*PLAN, delay_s=0.2)
    first = await new.start(session_id)
    body = {"task": "Another.", "session_id": session_id}
    busy = await new.ask("POST", "/agents/start", status=409, json=body)
    await new.ended(first)
    new.plan(completion("Still 4711."))

    second = await new.run(session_id, url=None)

    assert first in busy["detail"]
    assert second["answer"] == "Still 4711."
    assert second["steps"][1]["value"]["state"]["page_summary"] == RESULT


async def test_an_agent_whose_server_ended_is_closed_and_says_so(tmp_path: Path) -> None:
    """Contract, 5.1: lost is no success, and nothing to wait for."""
    async with desk(tmp_path) as first:
        first.plan(PLAN[0], delay_s=30)
        session_id = await first.session()
        agent_id = await first.start(session_id)
    async with desk(tmp_path) as second:
        status = await second.ask("GET", f"/agents/{agent_id}")
        log = await second.socket(f"/agents/{agent_id}/debug/logs", session_id=session_id).read()
        stopped = await second.ask("DELETE", f"/agents/{agent_id}/stop", params={"session_id": session_id})
    assert (status["status"], status["success"], status["answer"][:11]) == ("closed", False, "Interrupted")
    assert log.frames[-1] == {"status": "agent_stop", "agent": status}
    assert (stopped["status"], stopped["success"]) == ("closed", False)


# --- lists ------------------------------------------------------------------------


async def test_the_list_holds_the_active_ones_unless_all_are_asked_for(new: Desk) -> None:
    """Contract, 2.3: newest first, in pages."""
    ended = [(await new.run(await new.session()))["agent_id"] for _ in range(3)]
    new.plan(*PLAN, delay_s=30)
    running = await new.start(await new.session())

    active = await new.ask("GET", "/agents/", params={"only_active": "True", "only_saved": "False"})
    second = await new.ask("GET", "/agents", params={"only_active": "false", "page_size": 2, "page": 2})

    assert [item["agent_id"] for item in active["items"]] == [running]
    assert [item["agent_id"] for item in second["items"]] == [ended[1], ended[0]]
    assert (second["has_next"], second["has_previous"], second["page"], second["page_size"]) == (False, True, 2, 2)
    assert (await new.ask("GET", "/agents", params={"only_saved": "True", "only_active": "False"}))["items"] == []


# --- what came before ---------------------------------------------------------------


async def test_an_agent_is_told_of_the_sessions_steps_from_its_offset_on(new: Desk) -> None:
    """Contract, 5.5: a fallback sees what was done in its block, and not what was done before."""
    session_id = await new.session()
    await new.act(session_id, a.Goto(url=f"{BASE}/list"))
    offset = (await new.ask("GET", f"/sessions/{session_id}/offset"))["offset"]
    await new.act(session_id, a.Goto(url=FORM), a.Click(selector="#nowhere"))

    status = await new.run(session_id, session_offset=offset, url=None)

    spec = (await new.app.agents.record(status["agent_id"])).spec
    assert (spec.is_fallback, status["success"]) == (True, True)
    assert f"done: goto -> {FORM}" in spec.guidance
    assert "failed: click #nowhere" in spec.guidance
    assert "/list" not in spec.guidance


async def test_the_trajectory_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """Ours: an offset that was taken before still means the same."""
    async with desk(tmp_path) as first:
        session_id = await first.session()
        await first.act(session_id, a.Goto(url=FORM), a.Click(selector="#nowhere"))
        status = await first.run(session_id)
        before = await trajectory(first.app, session_id)
    async with desk(tmp_path) as second:
        after = await trajectory(second.app, session_id)
        told = await second.ask("GET", f"/agents/{status['agent_id']}")
    assert (after, told) == (before, status)


async def test_what_was_asked_for_and_is_not_heeded_is_on_record(new: Desk) -> None:
    """Issue, 4: `reasoning_model` is recorded and the configured model runs; tokens are on no record."""
    asked = {"reasoning_model": "gemini/gemini-3.5-flash", "notifier_config": {"slack": {"token": "xoxb-4711"}}}
    status = await new.run(await new.session(), **asked)
    spec = (await new.app.agents.record(status["agent_id"])).spec
    asked_then = {"reasoning_model": "gemini/gemini-3.5-flash", "notifier_config": True, "contract": "1.10"}
    assert spec.asked == asked_then
    assert (spec.model or "").startswith("scripted:")


async def test_a_secret_that_an_agent_typed_is_told_by_its_name(new: Desk) -> None:
    """Ours: of a password only the name is on record, and that is a string as the contract wants."""
    new.plan(
        {"actions": [{"type": "fill", "id": "{{password 'Access code'}}", "value": "open-sesame"}]}, completion("Done.")
    )
    status = await new.run(await new.session())
    action = status["steps"][5]["value"]["action"]
    assert action["value"].startswith("[secret ")
    assert "open-sesame" not in json.dumps(status)


# --- what is refused ----------------------------------------------------------------


async def test_without_a_model_a_start_says_how_to_configure_one(tmp_path: Path) -> None:
    """Issue, 4: 422 saying so."""
    async with desk(tmp_path, model=False) as bare:
        body = {"task": "Anything.", "session_id": await bare.session()}
        refused = await bare.ask("POST", "/agents/start", status=422, json=body)
        assert "NOTTE_MCP_MODEL" in refused["detail"]
        assert await bare.app.agents.agents() == []


async def test_an_agent_is_not_started_in_a_session_that_is_closed_or_unknown(new: Desk) -> None:
    """Contract, 5.2: an error, and no agent."""
    session_id = await new.session()
    await new.app.registry.stop(session_id)
    closed = await new.ask("POST", "/agents/start", status=400, json={"task": "t", "session_id": session_id})
    unknown = await new.ask("POST", "/agents/start", status=404, json={"task": "t", "session_id": "ses_none"})
    assert "closed" in closed["detail"]
    assert unknown["status"] == 404
    assert await new.app.agents.agents() == []


@pytest.mark.parametrize(
    "wrong",
    [{"max_steps": 0}, {"max_steps": 151}, {"task": None}, {"response_format": "text"}, {"session_offset": -1}],
)
async def test_a_start_that_does_not_fit_says_which_field(new: Desk, wrong: dict[str, Any]) -> None:
    """Contract, 2.1: FastAPI's form."""
    body = {"task": "t", "session_id": await new.session()} | wrong
    refused = await new.ask("POST", "/agents/start", status=422, json=body)
    assert refused["detail"][0]["loc"] == ["body", *wrong]


async def test_a_field_of_another_version_is_refused_by_the_newer_contract_alone(new: Desk, tmp_path: Path) -> None:
    """Contract, 0.3: `extra_forbidden`."""
    refused = await new.ask(
        "POST", "/agents/start", status=422, json={"task": "t", "session_id": "s", "headless": True}
    )
    assert [fault["type"] for fault in refused["detail"]] == ["extra_forbidden"]
    (tmp_path / "old").mkdir()
    async with desk(tmp_path / "old", contract="1.9") as old:
        assert (await old.run(await old.session(), headless=True))["success"]


@pytest.mark.parametrize("name", ["vault_id", "persona_id"])
async def test_what_lives_in_the_cloud_is_refused_in_words(new: Desk, name: str) -> None:
    """Issue, 4: no agent runs without the secrets that it was to have."""
    body = {"task": "t", "session_id": await new.session(), name: "v1"}
    refused = await new.ask("POST", "/agents/start", status=422, json=body)
    assert name in refused["detail"]
    assert "Notte cloud" in refused["detail"]


@pytest.mark.parametrize("path", ["/agents/start/custom", "/anything/start"])
async def test_what_only_the_cloud_has_is_said_not_to_be_served(new: Desk, path: str) -> None:
    """Issue, 4: honest 501s."""
    assert (await new.ask("POST", path, status=501, json={"task": "t"}))["error"] == "NotImplemented"


async def test_an_unknown_agent_is_not_found(new: Desk) -> None:
    """Contract, 2.1."""
    assert (await new.ask("GET", "/agents/agt_none", status=404))["status"] == 404
    assert (await new.ask("DELETE", "/agents/agt_none/stop", status=404, params={"session_id": "s"}))["status"] == 404


async def test_what_an_agent_did_can_be_had_as_code(new: Desk) -> None:
    """Contract, 3.3: a script, and the actions."""
    status = await new.run(await new.session())
    path = f"/agents/{status['agent_id']}/workflow/code"
    told = await new.ask("GET", path, params={"as_workflow": "True", "infer_response_format": "True"})
    assert [action["type"] for action in told["json_actions"]] == ["goto", "fill", "click"]
    assert "NotteClient" in told["python_script"]
    assert (await new.ask("GET", path, status=422))["detail"][0]["loc"] == ["query", "as_workflow"]
