"""The agents that the Notte cloud runs in one of its sessions: started, read, followed, stopped, found again.

Below: client, wire, following, streaming, shapes. Above: cloud (which tells the rest of such a session).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any, Final

from notte_mcp.cloud_errors import CloudError, CloudNotNotte, CloudRefused, CloudUnavailable, CloudUnknown
from notte_mcp.engines.notte.answers import NOTHING
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.following import Following, Pace
from notte_mcp.engines.notte.shapes import is_live, status_of, steps_of
from notte_mcp.engines.notte.spelling import action_from_wire
from notte_mcp.engines.notte.streaming import agent_log
from notte_mcp.engines.notte.wire import objects
from notte_mcp.engines.remote import HostedRemark, HostedStatus, HostedStep, HostedTask, RemoteCode

ASK_S: Final = 30.0
"""How long one question about an agent may take, with its repeats."""

_LOOKS: Final = 3
"""How often an agent is looked for whose start was not answered."""


class HostedAgents:
    """See the module, and `Remote` for what each method gives and raises."""

    def __init__(self, client: NotteClient, remote_id: str, *, pace: Pace | None = None) -> None:
        self._client = client
        self._remote_id = remote_id
        self._pace = pace or Pace()

    async def start_agent(self, task: HostedTask) -> str:
        """See `Remote`. One whose start was not answered is looked for, and never started again."""
        body: dict[str, Any] = {
            "task": task.task,
            "session_id": self._remote_id,
            "max_steps": task.max_steps,
            "use_vision": task.use_vision,
            "url": task.url,
            "reasoning_model": task.model,
            "response_format": task.response_schema,
            "session_offset": task.steps_from,
        }
        try:
            answer = await self._client.post("agents", "start", body=body)
        except (CloudUnavailable, CloudNotNotte) as error:
            if error.done == NOTHING:
                raise
            if (found := await self._look_for(task.task)) is not None:
                return found
            raise _perhaps_started(error, self._remote_id) from error
        if isinstance(agent_id := answer.get("agent_id"), str) and agent_id:
            return agent_id
        if (found := await self._look_for(task.task)) is not None:
            return found
        raise _perhaps_started(CloudNotNotte("The Notte API's answer names no agent."), self._remote_id)

    async def _look_for(self, task: str) -> str | None:
        for look in range(_LOOKS):
            try:
                if (found := await self.find_agent(task)) is not None:
                    return found
            except CloudError:
                pass  # it is no better known by that
            if look < _LOOKS - 1:
                await self._pace.sleep(self._pace.first_s)
        return None

    async def find_agent(self, task: str) -> str | None:
        """See `Remote`."""
        query = {"page": 1, "page_size": 100, "only_active": True, "only_saved": False}
        rows = await self._client.rows("agents", query=query, within_s=ASK_S)
        mine = [row for row in rows if row.get("session_id") == self._remote_id and is_live(row)]
        for row in sorted(mine, key=lambda row: str(row.get("created_at")), reverse=True):
            agent_id = str(row.get("agent_id") or "")
            if agent_id and (await self._status(agent_id)).get("task") == task:
                return agent_id
        return None

    async def agent(self, agent_id: str) -> HostedStatus:
        """See `Remote`."""
        return _read(await self._status(agent_id))

    async def _status(self, agent_id: str) -> dict[str, Any]:
        return await self._client.get("agents", agent_id, within_s=ASK_S)

    async def follow(
        self, agent_id: str, *, after: int = 0
    ) -> AsyncGenerator[HostedStep | HostedRemark | HostedStatus]:
        """See `Remote`."""
        status, listen = partial(self._status, agent_id), partial(agent_log, self._client, self._remote_id, agent_id)
        following = Following(status, listen, action_from_wire, after=after, pace=self._pace)
        async with aclosing(following.items()) as items:
            async for item in items:
                yield item

    async def stop_agent(self, agent_id: str) -> HostedStatus:
        """See `Remote`. One that is over already is as it is."""
        try:
            answer = await self._client.delete(
                "agents", agent_id, "stop", query={"session_id": self._remote_id}, within_s=ASK_S
            )
        except (CloudRefused, CloudUnknown):
            answer = await self._status(agent_id)
            if is_live(answer):
                raise
        return _read(answer if "status" in answer else await self._status(agent_id))

    async def agent_code(self, agent_id: str) -> RemoteCode:
        """See `Remote`."""
        answer = await self._client.get("agents", agent_id, "workflow", "code", query={"as_workflow": True})
        return RemoteCode(str(answer.get("python_script") or ""), objects(answer.get("json_actions")))


def _read(value: dict[str, Any]) -> HostedStatus:
    return status_of(value, steps_of(value.get("steps"), action_from_wire, over=not is_live(value)))


def _perhaps_started(error: CloudError, remote_id: str) -> CloudUnavailable:
    """The start was not answered, and no agent with this task is listed."""
    return CloudUnavailable(
        error.what,
        status=error.status,
        done=f"An agent may be running in cloud session {remote_id} all the same: none with this task is listed there yet.",
        next_call="notte_status() in a moment; notte_stop of the session ends whatever runs in it",
    )
