"""Agents from their start to their end: driven by the caller, or by a model."""

import json
from typing import Any

import anyio
import pytest

from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.tools import waiting
from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, FORM, NOWHERE, Host, text_of
from tests.tools.driven import ANSWER, NUMBER, SEND, TASK, completion, drives, says

pytestmark = pytest.mark.anyio

# --- driven by the caller -------------------------------------------------------------


async def test_without_a_model_the_caller_drives_and_is_shown_the_page(host: Host) -> None:
    """Contract: the first observation and what to call."""
    facts = await host.facts("notte_start", task=TASK, url=FORM)

    assert (facts["driver"], facts["state"], facts["url"], facts["title"]) == (
        "assistant",
        "running",
        FORM,
        "Permit request",
    )
    assert facts["agent_id"].startswith("agt_")
    assert facts["session_id"].startswith("ses_")
    assert 'I1 textbox "Applicant"' in facts["observation"].splitlines()
    assert "notte_execute" in facts["next"]
    assert "completion" in facts["next"]
    assert [step["action"] for step in facts["steps"]] == [f"goto -> {FORM} (200)"]


async def test_without_a_url_the_caller_is_told_to_go_somewhere(host: Host) -> None:
    """Ours: there is nothing to see yet."""
    facts = await host.facts("notte_start", task=TASK)

    assert "observation" not in facts
    assert facts["next"].startswith('notte_execute(actions=[{"type": "goto"')


async def test_a_page_that_does_not_load_is_told_and_the_agent_lives(host: Host) -> None:
    """Contract: a url that fails to load keeps the session and names it."""
    facts = await host.facts("notte_start", task=TASK, url=NOWHERE)

    assert facts["note"] == f"{NOWHERE} did not load: {NOWHERE} does not answer."
    assert facts["state"] == "running"
    assert facts["steps"][0]["success"] is False
    assert "goto" in facts["next"]


async def test_what_the_caller_executes_are_the_agents_steps_and_completion_ends_it(host: Host) -> None:
    """Contract: same record and log as any agent."""
    started = await host.facts("notte_start", task=TASK, url=FORM)
    await host.text("notte_execute", session_id=started["agent_id"], actions=FILL_AND_SEND)

    said = await host.text("notte_execute", actions=[completion("The number is 4711.")])

    assert said.splitlines()[0] == "1 completion"
    assert f"agent {started['agent_id']} is completed" in said
    facts = await host.facts("notte_status", id=started["agent_id"])
    assert (facts["state"], facts["success"], facts["answer"]) == ("completed", True, "The number is 4711.")
    assert [step["number"] for step in facts["steps"]] == [1, 2, 3, 4, 5, 6]
    assert {step["actor"] for step in facts["steps"]} == {"assistant"}
    assert facts["usage"].keys() == {"seconds"}


async def test_an_ended_agent_leaves_its_session_open(host: Host) -> None:
    """Contract: until its idle limit."""
    started = await host.facts("notte_start", task=TASK, url=FORM)
    await host.text("notte_execute", actions=[completion("done")])

    assert "Permit request" in await host.text("notte_observe", session_id=started["agent_id"])
    assert (await host.facts("notte_status", id=started["session_id"]))["state"] == "ready"


async def test_giving_up_is_a_completion_too(host: Host) -> None:
    """Contract: completion with success=false."""
    started = await host.facts("notte_start", task=TASK, url=FORM)

    said = await host.text("notte_execute", actions=[completion("The form is closed.", success=False)])

    assert f"agent {started['agent_id']} is failed (gave_up)" in said
    facts = await host.facts("notte_status", id=started["agent_id"])
    assert (facts["state"], facts["success"], facts["answer"]) == ("failed", False, "The form is closed.")


@pytest.mark.parametrize("as_text", [False, True])
async def test_a_completion_that_does_not_fit_the_schema_is_refused_with_the_reason(host: Host, as_text: bool) -> None:
    """Contract; the schema may come as JSON text."""
    schema = json.dumps(NUMBER) if as_text else NUMBER
    started = await host.facts("notte_start", task=TASK, url=DONE, response_schema=schema)

    refused = await host.refusal("notte_execute", actions=[completion('{"number": "many"}')])
    between = (await host.facts("notte_status", id=started["agent_id"]))["state"]
    said = await host.text("notte_execute", actions=[completion('{"number": 4711}')])

    assert "The answer was refused" in refused
    assert "$.number" in refused
    assert between == "running"
    assert "is completed" in said
    facts = await host.facts("notte_status", id=started["agent_id"])
    assert (facts["answer"], facts["result"]) == ('{"number": 4711}', {"number": 4711})


async def test_the_step_beyond_max_steps_is_not_taken(host: Host) -> None:
    """Contract: the first goto counts, completion does not."""
    started = await host.facts("notte_start", task=TASK, url=FORM, max_steps=2)

    said = await host.text("notte_execute", actions=FILL_AND_SEND)

    lines = said.splitlines()
    assert lines[0] == "stopped after 1 of 4"
    assert "not run: 2 to 4: max_steps (2) is reached" in lines
    assert f"agent {started['agent_id']} is stopped (max_steps)" in said
    facts = await host.facts("notte_status", id=started["agent_id"])
    assert (facts["state"], facts["reason"], facts["success"], facts["step_count"]) == (
        "stopped",
        "max_steps",
        False,
        2,
    )
    assert [action.type for action in host.engine.sessions[started["session_id"]].performed] == ["goto", "fill"]


async def test_help_asks_and_an_answer_goes_on(host: Host) -> None:
    """Contract: help becomes needs_input, and steer answers it."""
    started = await host.facts("notte_start", task=TASK, url=FORM)

    said = await host.text("notte_execute", actions=[{"type": "help", "value": "Which district?"}])
    asked = await host.facts("notte_status", id=started["agent_id"])
    answered = await host.facts("notte_steer", agent_id=started["agent_id"], command="answer", text="North")

    assert f"agent {started['agent_id']} needs input" in said
    assert 'command="answer"' in said
    assert (asked["state"], asked["question"]) == ("needs_input", "Which district?")
    assert (answered["state"], answered["accepted"]) == ("running", True)
    assert "question" not in await host.facts("notte_status", id=started["agent_id"])


async def test_an_agents_id_stands_for_its_session_everywhere(host: Host) -> None:
    """Contract: every session_id also accepts an agent's id."""
    started = await host.facts("notte_start", task=TASK, url=DONE)
    await host.start()
    agent_id = started["agent_id"]

    assert DONE in await host.text("notte_observe", session_id=agent_id)
    assert "4711" in await host.text("notte_scrape", session_id=agent_id)
    assert "1 reload" in await host.text("notte_execute", session_id=agent_id, actions=[{"type": "reload"}])
    reused = await host.facts("notte_start", session_id=agent_id, url=FORM)
    assert (reused["session_id"], reused["url"]) == (started["session_id"], FORM)


async def test_its_script_and_its_log_are_told_by_its_id(host: Host) -> None:
    """Contract: notte_workflow_code and notte_read take an agent."""
    started = await host.facts("notte_start", task=TASK, url=FORM)
    agent_id = started["agent_id"]
    await host.text("notte_execute", actions=[*FILL_AND_SEND, completion("sent")])

    code = await host.facts("notte_workflow_code", id=agent_id, target="playwright")
    log = await host.text("notte_read", uri=f"notte://agents/{agent_id}/steps")

    assert "Send request" in code["code"]
    assert '"event": "started"' in log or '"event":"started"' in log
    assert TASK in await host.text("notte_read", uri=f"notte://agents/{agent_id}")


async def test_an_agent_starts_in_a_session_that_is_there(host: Host) -> None:
    """Contract: session_id reuses it; earlier steps are not the agent's."""
    session_id = await host.start()

    facts = await host.facts("notte_start", task=TASK, session_id=session_id)

    assert facts["session_id"] == session_id
    assert facts["step_count"] == 0
    assert 'I1 textbox "Applicant"' in facts["observation"]
    assert len(host.engine.sessions) == 1


# --- driven by a model ----------------------------------------------------------------


@ERAS
async def test_a_start_with_a_model_returns_at_once(host: Host) -> None:
    """Contract: ids, driver, state and the next call, while the model still thinks."""
    model = drives(host, ANSWER, gate=anyio.Event())

    facts = await host.facts("notte_start", task=TASK, url=FORM)
    await model.asked()

    assert (facts["driver"], facts["state"]) == ("model", "running")
    assert facts["next"] == f'notte_status(id="{facts["agent_id"]}", wait_seconds=30, after_step=0)'
    assert facts["session_id"].startswith("ses_")
    assert "observation" not in facts


async def test_a_first_wait_carries_what_status_carries(host: Host) -> None:
    """Contract: state, steps, answer, success, usage."""
    drives(host, SEND, ANSWER, usd=0.01)

    result = await host.call("notte_start", task=TASK, url=FORM, wait_seconds=9)

    facts: dict[str, Any] = result.structured_content or {}
    told = await host.facts("notte_status", id=facts["agent_id"])
    assert facts == told
    assert (facts["state"], facts["success"], facts["answer"]) == ("completed", True, "The number is 4711.")
    assert [step["number"] for step in facts["steps"]] == [1, 2, 3, 4, 5]
    assert (facts["usage"]["model_calls"], facts["usage"]["usd"]) == (2, 0.02)
    assert facts["url"] == DONE


async def test_the_text_of_a_start_tells_the_same_facts(host: Host) -> None:
    """Measured on hosts: some show the model only one of both forms."""
    drives(host, ANSWER)

    for arguments in ({"wait_seconds": 9}, {"driver": "assistant"}):
        result = await host.call("notte_start", task=TASK, url=FORM, **arguments)
        facts: dict[str, Any] = result.structured_content or {}
        text = text_of(result)
        assert facts["observation"] in text if "observation" in facts else facts["answer"] in text
        whole = json.loads(text.splitlines()[1])
        apart = {"observation", "next", "id", "kind"}
        assert whole == {name: value for name, value in facts.items() if name not in apart}
        assert f"agent {facts['id']} is {facts['state']}, driven by {facts['driver']}" in text
        assert f"next: {facts['next']}" in text


@ERAS
async def test_a_wait_that_is_over_leaves_the_agent_at_work_and_progress_was_told(host: Host) -> None:
    """Contract: a bounded wait; progress while it lasts."""
    model = drives(host, ANSWER, gate=anyio.Event())
    told: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert 0 < progress <= (total or 0) + 0.2
        told.append(message)

    assert host.client is not None
    with anyio.fail_after(8):
        arguments = {"task": TASK, "url": FORM, "wait_seconds": 1.2}
        result = await host.client.call_tool("notte_start", arguments, progress_callback=note)

    facts: dict[str, Any] = result.structured_content or {}
    assert facts["state"] == "running"
    assert told == ["running, 1 steps", "running, 1 steps"]
    assert model.gate is not None
    model.gate.set()
    ended = await host.facts("notte_status", id=facts["agent_id"], wait_seconds=9, until="done")
    assert ended["state"] == "completed"


async def test_no_wait_takes_what_the_answer_itself_needs(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract: every call answers within 45 s, whatever came before its wait."""
    monkeypatch.setattr(waiting, "LONGEST_S", 0.0)
    drives(host, ANSWER, gate=anyio.Event())

    with anyio.fail_after(5):
        facts = await host.facts("notte_start", task=TASK, url=FORM, wait_seconds=45)

    assert facts["state"] == "running"


async def test_an_answer_that_fits_its_schema_is_told_parsed_too(host: Host) -> None:
    """Contract: answer is a string, result the value."""
    drives(host, says(completion('{"number": 4711}')))

    facts = await host.facts("notte_start", task=TASK, url=DONE, response_schema=NUMBER, wait_seconds=9)

    assert (facts["answer"], facts["result"]) == ('{"number": 4711}', {"number": 4711})


async def test_a_wait_ends_where_the_agent_asks_something(host: Host) -> None:
    """Contract: needs_input is worth coming back for."""
    drives(host, says({"type": "help", "value": "Which district?"}), ANSWER)

    facts = await host.facts("notte_start", task=TASK, url=FORM, wait_seconds=9)

    assert (facts["state"], facts["question"]) == ("needs_input", "Which district?")
    assert 'command="answer"' in facts["next"]


async def test_a_repeated_start_gets_the_stored_answer_and_starts_nothing_twice(host: Host) -> None:
    """P2: request_id."""
    model = drives(host, SEND, ANSWER)
    wanted = {"task": TASK, "url": FORM, "wait_seconds": 9, "request_id": "a"}

    first = await host.call("notte_start", **wanted)
    second = await host.call("notte_start", **{**wanted, "wait_seconds": 0})

    assert first.structured_content == second.structured_content
    assert len((await host.facts("notte_status"))["agents"]) == 1
    assert len(host.engine.requests) == 1
    assert len(model.requests) == 2
    other = await host.refusal("notte_start", **{**wanted, "task": "Another one"})
    assert "other arguments" in other


async def test_a_password_that_an_agent_types_is_in_no_answer(host: Host) -> None:
    """P9: whoever types it."""
    drives(host, SEND, says(completion("I used geheim-4711.")))
    answers: list[str] = []

    result = await host.call("notte_start", task=TASK, url=FORM, wait_seconds=9)
    facts: dict[str, Any] = result.structured_content or {}
    answers += [text_of(result), json.dumps(facts)]
    for tool, arguments in (
        ("notte_status", {"id": facts["agent_id"]}),
        ("notte_status", {"id": facts["session_id"]}),
        ("notte_workflow_code", {"id": facts["agent_id"], "target": "json"}),
        ("notte_stop", {"id": facts["agent_id"]}),
    ):
        told = await host.call(tool, **arguments)
        answers += [text_of(told), json.dumps(told.structured_content)]
    for end in ("", "/steps"):
        answers.append(await host.text("notte_read", uri=f"notte://agents/{facts['agent_id']}{end}"))

    assert facts["state"] == "completed"
    assert [answer for answer in answers if "geheim" in answer] == []
    assert "SECRET_ACCESS_CODE" in facts["answer"]


async def test_a_model_that_is_named_drives_though_none_is_configured(host: Host) -> None:
    """Contract: the `model` argument; auto picks the driver by it."""
    host.models["ours"] = ScriptedModel([ANSWER], name="ours")

    facts = await host.facts("notte_start", task=TASK, url=FORM, model="ours", wait_seconds=9)

    assert (facts["driver"], facts["state"]) == ("model", "completed")


async def test_the_assistant_may_drive_though_a_model_is_configured(host: Host) -> None:
    """Contract: driver=assistant."""
    model = drives(host, ANSWER)

    facts = await host.facts("notte_start", task=TASK, url=FORM, driver="assistant")

    assert facts["driver"] == "assistant"
    assert model.requests == []


async def test_the_caller_may_not_act_where_a_model_is_at_work_but_may_once_it_is_paused(host: Host) -> None:
    """Contract: session_busy with who holds it; while paused its steps carry their actor."""
    model = drives(host, ANSWER, gate=anyio.Event())
    started = await host.facts("notte_start", task=TASK, url=FORM)
    agent_id = started["agent_id"]
    await model.asked()
    fill = [{"type": "fill", "selector": "#applicant", "value": "Ada"}]

    refused = await host.refusal("notte_execute", session_id=agent_id, actions=fill)
    seen = await host.text("notte_observe", session_id=agent_id)
    await host.facts("notte_steer", agent_id=agent_id, command="pause")
    done = await host.text("notte_execute", session_id=agent_id, actions=fill)

    assert agent_id in refused
    assert f'notte_steer(agent_id="{agent_id}", command="pause")' in refused
    assert "Applicant" in seen
    assert done.startswith('1 fill I1 "Applicant"')
    steps = (await host.facts("notte_status", id=agent_id))["steps"]
    assert [step["actor"] for step in steps] == ["model", "assistant"]


async def test_a_completion_where_no_agent_is_live_is_told_to_have_reached_nobody(host: Host) -> None:
    """Ours: an answer to nobody must not pass for one."""
    facts = await host.facts("notte_start", task=TASK, url=FORM)
    await host.facts("notte_stop", id=facts["agent_id"])

    said = await host.text("notte_execute", actions=[completion("4711")], observe="none")

    assert "said to nobody" in said
    assert f"{facts['agent_id']}, is stopped (user)" in said


async def test_an_answer_may_be_an_object_where_a_schema_asks_for_one(host: Host) -> None:
    """Contract: lenient inputs; and the schema is named where the caller has to keep to it."""
    facts = await host.facts("notte_start", task=TASK, url=FORM, response_schema=NUMBER)
    assert "response_schema" in facts["next"]

    done = {"type": "completion", "success": True, "answer": {"number": 4711}}
    await host.text("notte_execute", actions=[done], observe="none")

    assert (await host.facts("notte_status", id=facts["agent_id"]))["result"] == {"number": 4711}


async def test_a_session_that_an_agent_has_names_it(host: Host) -> None:
    """Ours: whoever asks after the session must not be sent to act in it."""
    gate = anyio.Event()
    model = drives(host, ANSWER, gate=gate)
    facts = await host.facts("notte_start", task=TASK, url=FORM)
    with anyio.fail_after(10):
        await model.asked()
    told = await host.facts("notte_status", id=facts["session_id"])
    gate.set()

    assert told["agent_id"] == facts["agent_id"]
    assert facts["agent_id"] in told["next"]
