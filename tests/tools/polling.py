"""A client that knows tasks: the SDK's own, which declares the extension and claims its one result."""

from collections.abc import Sequence
from typing import Any, Literal

import anyio
import pytest
from mcp import Client, MCPError
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, Request, Result
from pydantic import ConfigDict, Field

from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.tools.tasks import TASKS
from tests.tools.conftest import FORM, Host

SEND = {"thought": "Send it.", "actions": [{"type": "click", "id": '{{button "Send request"}}'}]}
SENT = {"actions": [{"type": "completion", "success": True, "answer": "It has the number 4711."}]}
GIVEN_UP = {"actions": [{"type": "completion", "success": False, "answer": "The office is closed."}]}
WHO = {"actions": [{"type": "help", "value": "Who applies?"}]}

INVALID_PARAMS, INTERNAL, MISSING, UNKNOWN_METHOD = -32602, -32603, -32021, -32601

ENDED = frozenset({"completed", "failed", "cancelled"})


class Handle(Result):
    """What a call that began a task answers."""

    model_config = ConfigDict(extra="allow")

    result_type: Literal["task"] = Field(default="task", alias="resultType")
    task_id: str
    status: str


class TaskRequest(Request[dict[str, Any], str]):
    """Any of the extension's requests."""

    name_param = "taskId"


class TaskResult(Result):
    """Whatever an extension's method answers."""

    model_config = ConfigDict(extra="allow")


class Knows(ClientExtension):
    """Declares tasks; a claimed handle is finished by polling, as the SDK's `call_tool` wants it."""

    identifier = TASKS

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Handle, resolve=self._finish)]

    async def _finish(self, handle: Handle, context: ClaimContext) -> CallToolResult:
        task = await until(context.session, handle.task_id, *ENDED)
        return CallToolResult.model_validate(task["result"])


async def begin(client: Client, **arguments: Any) -> dict[str, Any]:
    """What notte_start answered, on the wire's own terms; the caller sees whether it is a handle."""
    with anyio.fail_after(10):
        answer = await client.session.call_tool("notte_start", arguments, allow_claimed=True)
    return answer.model_dump(mode="json", by_alias=True, exclude_none=True)


async def ask(session: Any, method: str, **params: Any) -> dict[str, Any]:
    """One of the extension's requests. (`params` alone: `_meta` is the session's.)"""
    session = session.session if isinstance(session, Client) else session
    with anyio.fail_after(10):
        answer = await session.send_request(TaskRequest(method=method, params=params), TaskResult)
    return {key: value for key, value in answer.model_dump(mode="json", by_alias=True).items() if key != "_meta"}


async def until(session: Any, task_id: str, *statuses: str) -> dict[str, Any]:
    """The task once it has one of these statuses, asked again and again as a client does."""
    with anyio.fail_after(10):
        while True:
            task = await ask(session, "tasks/get", taskId=task_id)
            if task["status"] in statuses:
                return task


async def no_person(context: Any, params: ElicitRequestParams) -> ElicitResult:
    """An elicitation callback, so that the client declares that it shows forms."""
    raise AssertionError("questions of a task are asked by polling alone")


# --- a host whose client it is, and the models of its agents ---------------------


def plan(host: Host, *answers: object, gate: anyio.Event | None = None) -> ScriptedModel:
    """The model that agents are driven by from now on."""
    host.models["planned"] = model = ScriptedModel(answers, gate=gate)
    return model


def client(host: Host) -> Client:
    assert host.client is not None
    return host.client


async def started(host: Host, **more: Any) -> dict[str, Any]:
    """The handle of an agent that is to send the form."""
    return await begin(client(host), task="Send the form.", url=FORM, model="planned", **more)


async def code(host: Host, method: str, **params: Any) -> int:
    """The code with which a request is refused."""
    with pytest.raises(MCPError) as refused:
        await ask(client(host), method, **params)
    return refused.value.error.code
