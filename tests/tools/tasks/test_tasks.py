"""The tasks extension, through the SDK's own client: what a host that declares it is told."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError

from notte_mcp.errors import UnknownAgent
from notte_mcp.tools.tasks import TASKS
from tests.tools.conftest import DONE, FORM, SLOW, Host, text_of
from tests.tools.polling import (
    ENDED,
    GIVEN_UP,
    INTERNAL,
    INVALID_PARAMS,
    MISSING,
    SEND,
    SENT,
    UNKNOWN_METHOD,
    Knows,
    ask,
    begin,
    client,
    code,
    no_person,
    plan,
    started,
    until,
)

pytestmark = pytest.mark.anyio

NOWHERE = "agt_00000000000000000000000000"


async def test_a_start_with_a_task_is_answered_with_a_handle(host: Host) -> None:
    """SEP-2663: flat, with the agent's id, and on disk before it is given."""
    plan(host, SEND, gate=anyio.Event())

    handle = await started(host, wait_seconds=40)
    task = await ask(client(host), "tasks/get", taskId=handle["taskId"])

    assert {name: value for name, value in handle.items() if name != "_meta"} == {
        "resultType": "task",
        "taskId": handle["taskId"],
        "status": "working",
        "createdAt": task["createdAt"],
        "lastUpdatedAt": handle["lastUpdatedAt"],
        "ttlMs": handle["ttlMs"],
        "pollIntervalMs": 2_000,
    }
    # From its creation to its last change, and then the days that records are kept.
    assert 0 <= handle["ttlMs"] - 30 * 86_400_000 < 10_000
    assert (task["resultType"], task["status"]) == ("complete", "working")
    assert task["statusMessage"].startswith("running, ")
    assert (await host.facts("notte_status", id=handle["taskId"]))["state"] == "running"


async def test_a_completed_task_carries_what_status_tells(host: Host) -> None:
    """SEP-2663: the result is that of the call which began it, so it fits notte_start's schema too."""
    plan(host, SEND, SENT)

    task = await until(client(host), (await started(host))["taskId"], *ENDED)

    assert task["status"] == "completed"
    assert task["statusMessage"].endswith(": It has the number 4711.")
    assert task["result"]["isError"] is False
    assert task["result"]["structuredContent"] == await host.facts("notte_status", id=task["taskId"])
    assert task["result"]["structuredContent"]["success"] is True


async def test_a_client_that_finishes_handles_gets_an_ordinary_answer(host: Host) -> None:
    """The SDK's own way: `call_tool` polls, and checks the result against the tool's output schema."""
    plan(host, SEND, SENT)

    facts = await host.facts("notte_start", task="Send the form.", url=FORM, model="planned")

    assert (facts["state"], facts["answer"], facts["url"]) == ("completed", "It has the number 4711.", DONE)


async def test_an_agent_that_fails_is_a_completed_task_with_an_error(host: Host) -> None:
    """SEP-2663: `failed` is for faults of the protocol alone."""
    plan(host, GIVEN_UP)

    task = await until(client(host), (await started(host))["taskId"], *ENDED)

    assert (task["status"], task["result"]["isError"]) == ("completed", True)
    assert "The office is closed." in task["result"]["content"][0]["text"]
    assert task["result"]["structuredContent"]["state"] == "failed"


async def test_a_paused_agent_is_a_working_task_that_says_so(host: Host) -> None:
    """Contract: paused is no status of the protocol."""
    model = plan(host, SEND, gate=anyio.Event())
    task_id = (await started(host))["taskId"]
    await model.asked()
    await host.call("notte_steer", agent_id=task_id, command="pause")

    task = await until(client(host), task_id, "working")

    assert task["statusMessage"].startswith("paused after 1 step, the last one: goto")
    assert 'command="resume"' in task["statusMessage"]


async def test_a_working_task_says_what_is_done_now(host: Host) -> None:
    """Contract: statusMessage is what a host shows meanwhile."""
    click = {"actions": [{"type": "click", "id": '{{button "Wait"}}'}]}
    plan(host, click, SENT)
    task_id = (await begin(client(host), task="Wait.", url=SLOW, model="planned"))["taskId"]

    with anyio.fail_after(5):
        while not (task := await ask(client(host), "tasks/get", taskId=task_id))["statusMessage"].endswith("B1"):
            pass
    host.gate.set()

    assert task["statusMessage"] == "running, 1 step, now: click B1"
    assert (await until(client(host), task_id, *ENDED))["statusMessage"].startswith("completed after 3 steps")


async def test_cancelling_stops_the_agent_and_may_be_said_again(host: Host) -> None:
    """Hosts send it twice; the agent's session stays, as with notte_stop."""
    plan(host, SEND, gate=anyio.Event())
    task_id = (await started(host))["taskId"]

    answers = [await ask(client(host), "tasks/cancel", taskId=task_id) for _ in range(2)]
    task = await ask(client(host), "tasks/get", taskId=task_id)
    agent = await host.facts("notte_status", id=task_id)

    assert answers == [{"resultType": "complete"}] * 2
    assert (task["status"], "result" in task) == ("cancelled", False)
    assert (agent["state"], agent["reason"]) == ("stopped", "user")
    assert (await host.facts("notte_status", id=agent["session_id"]))["state"] == "ready"


async def test_cancelling_what_has_ended_changes_nothing(host: Host) -> None:
    """SEP-2663: the same acknowledgement, and the result stays."""
    plan(host, SENT)
    ended = await until(client(host), (await started(host))["taskId"], *ENDED)

    assert await ask(client(host), "tasks/cancel", taskId=ended["taskId"]) == {"resultType": "complete"}
    assert await ask(client(host), "tasks/get", taskId=ended["taskId"]) == ended


async def test_an_id_that_no_handle_carried_is_refused(host: Host) -> None:
    """SEP-2663."""
    for task_id in (NOWHERE, "nonsense", ""):
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            more: dict[str, Any] = {"inputResponses": {}} if method == "tasks/update" else {}

            assert await code(host, method, taskId=task_id, **more) == INVALID_PARAMS


async def test_an_agent_that_the_caller_drives_is_no_task(host: Host) -> None:
    """Contract: it would wait for itself."""
    answer = await begin(client(host), task="Send the form.", url=FORM)

    assert answer["resultType"] == "complete"
    assert answer["structuredContent"]["driver"] == "assistant"
    assert "Send request" in answer["structuredContent"]["observation"]
    assert await code(host, "tasks/get", taskId=answer["structuredContent"]["agent_id"]) == INVALID_PARAMS


async def test_a_session_and_a_refusal_are_answered_plainly(host: Host) -> None:
    """Contract: a handle is for an agent that was begun."""
    session = await begin(client(host), url=FORM)
    refused = await begin(client(host), task="Send the form.", driver="model", model="nobody:model")

    assert (session["resultType"], "agent_id" in session["structuredContent"]) == ("complete", False)
    assert (refused["resultType"], refused["isError"]) == ("complete", True)


async def test_a_repeated_call_gets_the_same_handle(host: Host) -> None:
    """P2: a request_id begins one agent."""
    plan(host, SENT)
    first = await started(host, request_id="once")
    await until(client(host), first["taskId"], *ENDED)

    again = await started(host, request_id="once")

    assert (again["resultType"], again["taskId"], again["status"]) == ("task", first["taskId"], "working")
    assert len((await host.facts("notte_status"))["agents"]) == 1


async def test_a_repeated_call_whose_agent_is_gone_is_answered_plainly(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEP-2663: no handle unless tasks/get would find it."""
    plan(host, SENT)
    first = await started(host, request_id="once")

    async def gone(agent_id: str) -> None:
        raise UnknownAgent(f"There is no agent {agent_id!r}.")

    assert host.app is not None
    monkeypatch.setattr(host.app.agents, "record", gone)
    again = await started(host, request_id="once")

    assert again["resultType"] == "complete"
    assert again["structuredContent"]["agent_id"] == first["taskId"]


async def test_a_client_that_declares_nothing_gets_the_plain_tools(tmp_path: Path, mode: str) -> None:
    """SEP-2663: no handle, and -32021 for the extension's methods, whatever the id."""
    host = Host(tmp_path, mode)
    plan(host, SENT)
    async with host.connected():
        answer = await host.call("notte_start", task="Send it.", url=FORM, model="planned", wait_seconds=5)
        facts: dict[str, Any] = answer.structured_content or {}
        codes = [await code(host, "tasks/get", taskId=task_id) for task_id in (facts["agent_id"], NOWHERE)]
        codes.append(await code(host, "tasks/update", taskId=facts["agent_id"], inputResponses={}))
        codes.append(await code(host, "tasks/cancel", taskId=facts["agent_id"]))

    assert facts["state"] == "completed"
    assert codes == [MISSING] * 4


async def test_a_client_of_before_gets_the_plain_tools(tmp_path: Path) -> None:
    """The extension begins with 2026-07-28; before, its methods do not exist."""
    host = Host(tmp_path, "legacy")
    plan(host, SENT)
    async with host.connected(extensions=[Knows()]):
        answer = await host.call("notte_start", task="Send it.", url=FORM, model="planned", wait_seconds=5)
        refused = await code(host, "tasks/get", taskId=(answer.structured_content or {})["agent_id"])

    assert '"state":"completed"' in text_of(answer).replace(" ", "")
    assert refused == UNKNOWN_METHOD


async def test_the_server_says_that_it_has_tasks(host: Host) -> None:
    """SEP-2663: capabilities.extensions."""
    capabilities = client(host).server_capabilities

    assert (capabilities.extensions or {})[TASKS] == {}
    assert capabilities.tasks is None


async def test_two_clients_see_the_same_task(host: Host) -> None:
    """Contract: a handle is an id, and not bound to a connection."""
    gate = anyio.Event()
    plan(host, SENT, gate=gate)
    task_id = (await started(host))["taskId"]
    options: dict[str, Any] = {"extensions": [Knows()], "elicitation_callback": no_person}

    async with Client(host.server(), **options) as other:
        seen = await until(other, task_id, "working")
        with pytest.raises(MCPError) as refused:
            await ask(other, "tasks/cancel", taskId=task_id)
        gate.set()
        assert (await until(client(host), task_id, *ENDED))["status"] == "completed"
        assert (await until(other, task_id, *ENDED))["status"] == "completed"

    assert seen["taskId"] == task_id
    assert refused.value.error.code == INTERNAL
    assert "another server" in refused.value.error.message


async def test_a_fault_of_ours_is_told_without_its_text(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """P9: what an exception says may be anything."""
    plan(host, SENT)
    task_id = (await started(host))["taskId"]

    async def broken(*_: object) -> None:
        raise RuntimeError("geheim-4711")

    assert host.app is not None
    monkeypatch.setattr(host.app.agents, "record", broken)
    with pytest.raises(MCPError) as refused:
        await ask(client(host), "tasks/get", taskId=task_id)

    assert refused.value.error.code == INTERNAL
    assert "incident" in refused.value.error.message
    assert "geheim" not in refused.value.error.message
