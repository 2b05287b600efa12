"""What an agent asks while it is a task: a form for the person, and where the answer goes."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from tests.tools.conftest import Host
from tests.tools.polling import (
    ENDED,
    INTERNAL,
    INVALID_PARAMS,
    SEND,
    SENT,
    WHO,
    Knows,
    ask,
    client,
    code,
    no_person,
    plan,
    started,
    until,
)

pytestmark = pytest.mark.anyio


async def test_what_an_agent_asks_is_a_form_and_its_answer_goes_to_the_agent(host: Host) -> None:
    """SEP-2663: input_required and tasks/update; each question has a key of its own."""
    model = plan(host, WHO, WHO, SEND, SENT)
    task_id = (await started(host))["taskId"]

    first = await until(client(host), task_id, "input_required")
    ((key, request),) = first["inputRequests"].items()
    accepted = {"action": "accept", "content": {"answer": "Ada Lovelace"}}
    acknowledged = await ask(client(host), "tasks/update", taskId=task_id, inputResponses={key: accepted})
    await model.asked(2)
    second = await until(client(host), task_id, "input_required")
    ((again, _),) = second["inputRequests"].items()
    stale = await ask(client(host), "tasks/update", taskId=task_id, inputResponses={key: accepted, "odd": 1})
    still = await ask(client(host), "tasks/get", taskId=task_id)
    await ask(client(host), "tasks/update", taskId=task_id, inputResponses={again: {"action": "decline"}})
    ended = await until(client(host), task_id, *ENDED)
    heard = ["\n".join(message.text for message in request.messages) for request in model.requests]

    assert request == {
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": "Who applies?",
            "requestedSchema": {
                "type": "object",
                "properties": {"answer": {"type": "string", "title": "Answer"}},
                "required": ["answer"],
            },
        },
    }
    assert acknowledged == stale == {"resultType": "complete"}
    assert again != key
    assert list(still["inputRequests"]) == [again]
    assert "Ada Lovelace" in heard[1]
    assert "declined to answer" in heard[2]
    assert ended["status"] == "completed"


@pytest.mark.parametrize("response", [{"action": "accept", "content": {"answer": " "}}, {"action": "accept"}, 1, {}])
async def test_a_response_that_says_nothing_leaves_the_question_open(host: Host, response: object) -> None:
    """Ours: the agent is not sent on with nothing."""
    plan(host, WHO)
    task_id = (await started(host))["taskId"]
    asked = await until(client(host), task_id, "input_required")
    (key,) = asked["inputRequests"]

    refused = await code(host, "tasks/update", taskId=task_id, inputResponses={key: response})
    still = await ask(client(host), "tasks/get", taskId=task_id)

    assert refused == INVALID_PARAMS
    assert list(still["inputRequests"]) == [key]


async def test_a_client_that_shows_no_forms_is_told_the_question_in_words(tmp_path: Path, mode: str) -> None:
    """MRTR: nothing is asked of a client that it did not declare."""
    host = Host(tmp_path, mode)
    plan(host, WHO)
    async with host.connected(extensions=[Knows()]):
        task_id = (await started(host))["taskId"]
        task = await until(client(host), task_id, "input_required")

    assert task["inputRequests"] == {}
    assert "Who applies?" in task["statusMessage"]
    assert f'notte_steer(agent_id="{task_id}", command="answer"' in task["statusMessage"]


async def test_an_answer_that_this_server_cannot_give_is_not_lost_in_silence(host: Host) -> None:
    """Ours: late answers are acknowledged; one to a question that stays open is refused, with who could give it."""
    plan(host, WHO, SENT)
    task_id = (await started(host))["taskId"]
    (key,) = (await until(client(host), task_id, "input_required"))["inputRequests"]
    response = {key: {"action": "accept", "content": {"answer": "Ada"}}}
    options: dict[str, Any] = {"extensions": [Knows()], "elicitation_callback": no_person}

    async with Client(host.server(), **options) as other:
        with pytest.raises(MCPError) as refused:
            await ask(other, "tasks/update", taskId=task_id, inputResponses=response)
        await ask(client(host), "tasks/update", taskId=task_id, inputResponses=response)
        late = await ask(other, "tasks/update", taskId=task_id, inputResponses=response)

    assert refused.value.error.code == INTERNAL
    assert "another server" in refused.value.error.message
    assert late == {"resultType": "complete"}
