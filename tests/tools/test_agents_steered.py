"""Steering agents, and what is refused before anything is started or changed."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp.models.scripted import ScriptedModel
from tests.tools.conftest import DONE, FORM, Host, text_of
from tests.tools.driven import ANSWER, FILL, NUMBER, TASK, completion, drives, says

pytestmark = pytest.mark.anyio

NOBODY = "agt_" + "z" * 26
HELP = says({"type": "help", "value": "Which district?"})


async def thinking(host: Host, *answers: object) -> tuple[ScriptedModel, anyio.Event, str]:
    """An agent whose model has been asked and answers once the gate is open; its id."""
    gate = anyio.Event()
    model = drives(host, *answers, gate=gate)
    facts = await host.facts("notte_start", task=TASK, url=FORM)
    await model.asked()
    return model, gate, facts["agent_id"]


async def ended(host: Host, agent_id: str) -> dict[str, Any]:
    return await host.facts("notte_status", id=agent_id, wait_seconds=9, until="done")


async def log(host: Host, agent_id: str) -> list[str]:
    """Names of the events in an agent's log."""
    text = await host.text("notte_read", uri=f"notte://agents/{agent_id}/steps", max_tokens=20_000)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if "event" in line]


# --- the four commands ------------------------------------------------------------


async def test_a_pause_holds_and_a_resume_goes_on(host: Host) -> None:
    """Contract: {agent_id, state, accepted, at_step}; both are lines of the log."""
    model, gate, agent_id = await thinking(host, FILL, ANSWER)

    paused = await host.facts("notte_steer", agent_id=agent_id, command="pause")
    gate.set()
    resumed = await host.facts("notte_steer", agent_id=agent_id, command="resume")

    assert (paused["agent_id"], paused["state"], paused["accepted"], paused["at_step"]) == (
        agent_id,
        "paused",
        True,
        1,
    )
    assert 'command="resume"' in paused["next"]
    assert (resumed["state"], resumed["accepted"]) == ("running", True)
    assert (await ended(host, agent_id))["state"] == "completed"
    events = await log(host, agent_id)
    assert events.index("paused") < events.index("resumed")
    assert len(model.requests) >= 2


async def test_a_command_that_changes_nothing_is_told_as_such(host: Host) -> None:
    """Contract: `accepted`."""
    _, _, agent_id = await thinking(host, ANSWER)

    idle = await host.facts("notte_steer", agent_id=agent_id, command="resume")
    await host.facts("notte_steer", agent_id=agent_id, command="pause")
    again = await host.facts("notte_steer", agent_id=agent_id, command="pause", text="")

    assert (idle["state"], idle["accepted"]) == ("running", False)
    assert (again["state"], again["accepted"]) == ("paused", False)


async def test_the_text_of_a_steering_is_its_facts(host: Host) -> None:
    """Measured on hosts: some show the model only one of both forms."""
    _, _, agent_id = await thinking(host, ANSWER)

    result = await host.call("notte_steer", agent_id=agent_id, command="pause")

    assert json.loads(text_of(result)) == result.structured_content


async def test_a_message_is_seen_at_the_models_next_turn(host: Host) -> None:
    """Contract."""
    model, gate, agent_id = await thinking(host, FILL, ANSWER, ANSWER)

    told = await host.facts("notte_steer", agent_id=agent_id, command="message", text="The district is North.")
    gate.set()
    await ended(host, agent_id)

    assert (told["state"], told["accepted"]) == ("running", True)
    assert "The district is North." not in str(model.requests[0].messages)
    assert "The district is North." in str(model.requests[1].messages)
    assert "message" in await log(host, agent_id)


async def test_a_question_is_answered(host: Host) -> None:
    """Contract: needs_input, answered by steer."""
    model = drives(host, HELP, ANSWER)
    asked = await host.facts("notte_start", task=TASK, url=FORM, wait_seconds=9)

    answered = await host.facts("notte_steer", agent_id=asked["agent_id"], command="answer", text="North, please.")

    assert asked["state"] == "needs_input"
    assert (answered["state"], answered["accepted"]) == ("running", True)
    assert (await ended(host, asked["agent_id"]))["state"] == "completed"
    assert "North, please." in str(model.requests[1].messages)


async def test_what_the_caller_did_meanwhile_is_told_to_the_model(host: Host) -> None:
    """Contract: while paused, the caller may act; its steps carry their actor."""
    model, gate, agent_id = await thinking(host, FILL, ANSWER, ANSWER)
    await host.facts("notte_steer", agent_id=agent_id, command="pause")

    await host.text(
        "notte_execute",
        session_id=agent_id,
        actions=[{"type": "select_dropdown_option", "id": "I3", "value": "South"}],
    )
    gate.set()
    await host.facts("notte_steer", agent_id=agent_id, command="resume")
    facts = await ended(host, agent_id)

    assert "assistant" in [step["actor"] for step in facts["steps"]]
    assert "the caller did: select_dropdown_option" in str(model.requests[-1].messages)


async def test_a_repeated_steering_is_done_once(host: Host) -> None:
    """P2: request_id."""
    _, _, agent_id = await thinking(host, ANSWER)
    wanted = {"agent_id": agent_id, "command": "message", "text": "Hurry.", "request_id": "m"}

    first = await host.call("notte_steer", **wanted)
    second = await host.call("notte_steer", **wanted)

    assert first.structured_content == second.structured_content
    assert (await log(host, agent_id)).count("message") == 1
    assert "other arguments" in await host.refusal("notte_steer", **{**wanted, "text": "Slowly."})


async def test_a_refused_steering_gives_its_request_id_back(host: Host) -> None:
    """Ours: it may be tried again."""
    _, _, agent_id = await thinking(host, ANSWER)

    await host.refusal("notte_steer", agent_id=agent_id, command="message", request_id="m")
    told = await host.facts("notte_steer", agent_id=agent_id, command="message", text="Hurry.", request_id="m")

    assert told["accepted"] is True


async def test_an_interrupted_agent_goes_on_in_its_restored_session(tmp_path: Path, mode: str) -> None:
    """Contract: nothing is repeated; status, then start, then resume."""
    host = Host(tmp_path, mode)
    async with host.connected():
        _, _, agent_id = await thinking(host, ANSWER)
    drives(host, ANSWER)
    async with host.connected():
        found = await host.facts("notte_status", id=agent_id)
        early = await host.refusal("notte_steer", agent_id=agent_id, command="pause")
        await host.facts("notte_start", session_id=agent_id)
        resumed = await host.facts("notte_steer", agent_id=agent_id, command="resume")
        facts = await ended(host, agent_id)

    assert (found["state"], found["reason"], found["step_count"]) == ("interrupted", "restart", 1)
    assert f'notte_start(session_id="{found["session_id"]}")' in found["next"]
    assert f'notte_start(session_id="{found["session_id"]}")' in early
    assert (resumed["state"], resumed["accepted"]) == ("running", True)
    assert (facts["state"], facts["answer"]) == ("completed", "The number is 4711.")


# --- bad input --------------------------------------------------------------------

STARTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"driver": "model"}, ["none is configured", 'driver="assistant"', "NOTTE_MCP_MODEL"]),
    ({"model": "gpt-5"}, ["'gpt-5' is no model's name", "anthropic:MODEL"]),
    ({"model": "anthropic:claude"}, ["no key", "ANTHROPIC_API_KEY"]),
    ({"driver": "notte"}, ["Notte cloud", 'driver="model"']),
    ({"driver": "notta"}, ["`driver`"]),
    ({"response_schema": {"type": "objekt"}}, ["is no JSON Schema", "objekt"]),
    ({"response_schema": {"$ref": "http://elsewhere.test/"}}, ["is no JSON Schema", "nothing is fetched"]),
    ({"response_schema": "a number"}, ["`response_schema`"]),
    ({"wait_seconds": 46}, ["`wait_seconds`", "45 s at most", "notte_status"]),
    ({"task": "  "}, ["task is empty"]),
    ({"task": "x" * 20_001}, ["20001", "20000"]),
    ({"max_steps": 0}, ["`max_steps`"]),
    ({"timeout_seconds": 0}, ["`timeout_seconds`"]),
    ({"max_usd": 0}, ["`max_usd`"]),
    ({"retries": 2}, ["retries", "driven by you"]),
    ({"driver": "assistant", "model": "ollama:qwen3", "max_usd": 1}, ["model, max_usd", "driven by you"]),
    ({"session_id": NOBODY}, [NOBODY, "notte_status()"]),
    ({"session_id": "ses_nope"}, ["ses_nope", "notte_status()"]),
    ({"session": {"headles": True}}, ["headles"]),
    ({"retris": 1}, ["`retris`", "did you mean `retries`"]),
]


async def test_a_wrong_start_is_refused_and_starts_nothing(host: Host) -> None:
    """Bad input: each with its own error and next call."""
    for wrong, named in STARTS:
        said = await host.refusal("notte_start", **{"task": TASK, "url": FORM, **wrong})

        assert [part for part in named if part not in said] == []
        assert "Nothing was done" in said
        assert "Next: " in said
        assert host.engine.requests == []
        listed = await host.facts("notte_status")
        assert (listed["sessions"], listed["agents"]) == ([], [])


async def test_an_agents_option_without_a_task_is_refused(host: Host) -> None:
    """Ours: it would be passed over in silence."""
    for option in (
        {"max_steps": 5},
        {"driver": "assistant"},
        {"response_schema": NUMBER},
        {"retries": 1},
        {"wait_seconds": 3},
        {"model": "ollama:qwen3"},
    ):
        said = await host.refusal("notte_start", url=FORM, **option)

        assert f"Only an agent has {next(iter(option))}" in said
        assert "task=..." in said
        assert host.engine.requests == []


async def test_a_session_cannot_be_described_anew_for_an_agent(host: Host) -> None:
    """Ours: silently ignoring it would mislead."""
    session_id = await host.start()

    said = await host.refusal("notte_start", task=TASK, session_id=session_id, session={"headless": True})

    assert "cannot change" in said
    assert (await host.facts("notte_status"))["agents"] == []


async def test_a_second_agent_on_a_session_is_refused_with_who_has_it(host: Host) -> None:
    """Contract: one session runs one agent at a time."""
    _, _, agent_id = await thinking(host, ANSWER)

    for driver in ("model", "assistant"):
        said = await host.refusal("notte_start", task="Another one", session_id=agent_id, driver=driver)
        assert f"Agent {agent_id} works in session" in said
        assert f'notte_status(id="{agent_id}"' in said
    assert len((await host.facts("notte_status"))["agents"]) == 1


async def test_a_wrong_schema_restores_no_session(tmp_path: Path, mode: str) -> None:
    """Ours: `Nothing was done` has to be true."""
    host = Host(tmp_path, mode)
    async with host.connected():
        session_id = await host.start()
    async with host.connected():
        said = await host.refusal("notte_start", task=TASK, session_id=session_id, response_schema={"type": "objekt"})
        state = (await host.facts("notte_status", id=session_id))["state"]

    assert "Nothing was done" in said
    assert state == "interrupted"


async def test_an_agent_that_is_not_there_is_refused_everywhere(host: Host) -> None:
    """Bad input: an agent id of someone else or none."""
    for tool in ("notte_status", "notte_stop", "notte_steer", "notte_workflow_code"):
        arguments = {"agent_id": NOBODY, "command": "pause"} if tool == "notte_steer" else {"id": NOBODY}

        said = await host.refusal(tool, **arguments)

        assert f"There is no agent '{NOBODY}'" in said
        assert "notte_status()" in said


async def test_a_sessions_id_given_to_steer_is_answered_with_its_agents(host: Host) -> None:
    """Bad input."""
    _, _, agent_id = await thinking(host, ANSWER)
    session_id = (await host.facts("notte_status", id=agent_id))["session_id"]
    other = await host.start()

    said = await host.refusal("notte_steer", agent_id=session_id, command="pause")
    alone = await host.refusal("notte_steer", agent_id=other, command="pause")

    assert f'agent_id="{agent_id}"' in said
    assert "no agent is at work in it" in alone


async def test_an_ended_agent_cannot_be_steered(host: Host) -> None:
    """Bad input."""
    started = await host.facts("notte_start", task=TASK, url=DONE)
    await host.text("notte_execute", actions=[completion("seen")])
    for command in ("pause", "resume", "message", "answer"):
        text = {"text": "x"} if command in ("message", "answer") else {}

        said = await host.refusal("notte_steer", agent_id=started["agent_id"], command=command, **text)

        assert f"Agent {started['agent_id']} is completed; it cannot be steered" in said
        assert f'notte_status(id="{started["agent_id"]}")' in said


async def test_a_wrong_steering_changes_nothing(host: Host) -> None:
    """Bad input: each with its own error."""
    _, _, agent_id = await thinking(host, ANSWER)
    before = await log(host, agent_id)
    for arguments, named in (
        ({"command": "message"}, "message needs `text`"),
        ({"command": "answer", "text": "  "}, "answer needs `text`"),
        ({"command": "answer", "text": "North"}, "has asked nothing"),
        ({"command": "pause", "text": "and wait for me"}, 'command="message"'),
        ({"command": "message", "text": "x" * 10_001}, "10001"),
        ({"command": "stop"}, "`command`"),
    ):
        said = await host.refusal("notte_steer", agent_id=agent_id, **arguments)

        assert named in said
        assert "Nothing was done" in said
        assert await log(host, agent_id) == before
        assert (await host.facts("notte_status", id=agent_id))["state"] == "running"


async def test_an_agent_that_its_caller_drives_is_not_paused(host: Host) -> None:
    """Ours: it does nothing between the caller's calls."""
    started = await host.facts("notte_start", task=TASK, url=FORM)

    assert "driven by you" in await host.refusal("notte_steer", agent_id=started["agent_id"], command="pause")
