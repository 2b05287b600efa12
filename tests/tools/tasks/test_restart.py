"""Tasks whose server ended: what the next server over the same state folder says of them."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client

from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.tools.tasks import TASKS
from tests.tools.conftest import FORM, Host
from tests.tools.polling import ENDED, Knows, ask, begin, no_person, until

pytestmark = pytest.mark.anyio

SENT = {"actions": [{"type": "completion", "success": True, "answer": "It is sent."}]}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, "auto")


@asynccontextmanager
async def connected(host: Host) -> AsyncGenerator[Client]:
    """A client of a new server over the host's state folder."""
    async with host.connected(extensions=[Knows()], elicitation_callback=no_person) as client:
        yield client


async def started(client: Client) -> str:
    """A task's id."""
    return str((await begin(client, task="Send the form.", url=FORM, model="planned"))["taskId"])


async def interrupted(host: Host) -> str:
    """The id of a task whose server ended while its model was asked; the next model answers at once."""
    host.models["planned"] = model = ScriptedModel([SENT], gate=anyio.Event())
    async with connected(host) as client:
        task_id = await started(client)
        await model.asked()
    host.models["planned"] = ScriptedModel([SENT])
    return task_id


async def test_an_ended_task_is_told_by_the_next_server(host: Host) -> None:
    """P3: all of it is in the records."""
    host.models["planned"] = ScriptedModel([SENT])
    async with connected(host) as client:
        before = await until(client, await started(client), *ENDED)

    async with connected(host) as client:
        after = await ask(client, "tasks/get", taskId=before["taskId"])
        again = await ask(client, "tasks/cancel", taskId=before["taskId"])

    told, known = after["result"].pop("structuredContent"), before["result"].pop("structuredContent")
    assert told.pop("next") in known.pop("next")  # its session was open then
    assert told == known
    assert after["result"].pop("content") != before["result"].pop("content")
    assert after == before
    assert again == {"resultType": "complete"}


async def test_an_interrupted_task_asks_whether_it_shall_go_on(host: Host) -> None:
    """P3: restoring is explicit; `working` would be a lie, and `failed` is for ever."""
    task_id = await interrupted(host)

    async with connected(host) as client:
        task = await ask(client, "tasks/get", taskId=task_id)
        ((key, request),) = task["inputRequests"].items()
        await ask(client, "tasks/update", taskId=task_id, inputResponses={key: {"action": "cancel"}})
        undecided = await ask(client, "tasks/get", taskId=task_id)
        accepted = {"action": "accept", "content": {"resume": True}}
        await ask(client, "tasks/update", taskId=task_id, inputResponses={key: accepted})
        ended = await until(client, task_id, *ENDED)

    assert (task["status"], task["statusMessage"][:21]) == ("input_required", "interrupted (restart)")
    assert "after 1 step" in request["params"]["message"]
    assert list(request["params"]["requestedSchema"]["properties"]) == ["resume"]
    assert list(undecided["inputRequests"]) == [key]
    assert (ended["status"], ended["result"]["isError"]) == ("completed", False)


@pytest.mark.parametrize("response", [{"action": "decline"}, {"action": "accept", "content": {"resume": False}}])
async def test_an_interrupted_task_that_shall_not_go_on_is_cancelled(host: Host, response: dict[str, Any]) -> None:
    """Ours."""
    task_id = await interrupted(host)

    async with connected(host) as client:
        (key,) = (await ask(client, "tasks/get", taskId=task_id))["inputRequests"]
        await ask(client, "tasks/update", taskId=task_id, inputResponses={key: response})
        task = await ask(client, "tasks/get", taskId=task_id)

    assert task["status"] == "cancelled"


async def test_an_interrupted_task_can_be_cancelled(host: Host) -> None:
    """Contract: cancelling does not depend on who drives it."""
    task_id = await interrupted(host)

    async with connected(host) as client:
        await ask(client, "tasks/cancel", taskId=task_id)
        task = await ask(client, "tasks/get", taskId=task_id)

    assert task["status"] == "cancelled"


async def test_an_interruption_is_asked_about_anew_each_time(host: Host) -> None:
    """SEP-2663: a key never means two questions."""
    task_id = await interrupted(host)
    host.models["planned"] = held = ScriptedModel([SENT], gate=anyio.Event())
    async with connected(host) as client:
        (first,) = (await ask(client, "tasks/get", taskId=task_id))["inputRequests"]
        await ask(client, "tasks/update", taskId=task_id, inputResponses={first: {"action": "accept"}})
        await held.asked()

    async with connected(host) as client:
        (second,) = (await ask(client, "tasks/get", taskId=task_id))["inputRequests"]

    assert first != second


async def test_over_http_the_routing_header_must_name_the_task(host: Host) -> None:
    """SEP-2663: Mcp-Name is the task's id; the SDK looks at its own methods only."""
    server = host.server()
    web = server.streamable_http_app(stateless_http=True, json_response=True)
    transport = httpx.ASGITransport(web)
    async with web.router.lifespan_context(web), httpx.AsyncClient(transport=transport) as http:

        async def get(named: str | None) -> int:
            answer = await http.post("http://127.0.0.1:8000/mcp", content=_get("agt_x"), headers=_headers(named))
            return int(answer.json()["error"]["code"])

        codes = [await get(named) for named in ("agt_x", "agt_y", None)]

    assert codes == [-32602, -32020, -32020]


def _get(task_id: str) -> str:
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}},
    }
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"taskId": task_id, "_meta": meta}})


def _headers(named: str | None) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tasks/get",
    }
    return headers if named is None else headers | {"mcp-name": named}
