"""What happens to live agents by themselves: they are driven, watched, cut where they do not end, and put on record.

All of it runs in the App's task group, never in a caller's task. No fault in here may
take the task group down, since every agent lives by it.

Below: agent, attempts, registry. Above: supervisor.
"""

from collections.abc import Coroutine
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from notte_mcp.agents.agent import Agent
from notte_mcp.agents.attempts import gone
from notte_mcp.agents.moves import Finish
from notte_mcp.errors import NotteMCPError
from notte_mcp.logs import Log
from notte_mcp.registry import Clock, Registry

GRACE_S: Final = 2.5
"""How long an agent that is to end may finish the action in flight (Notte's rule)."""

log = Log("agents")


class Life:
    """See the module. `tasks` is set while the supervisor runs."""

    tasks: TaskGroup

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self.live: dict[str, Agent] = {}
        self._registry = registry
        self._clock = clock

    def begin(self, agent: Agent) -> None:
        """It is live from now on."""
        self.live[agent.id] = agent

    def drive(self, agent: Agent, work: Coroutine[Any, Any, Finish]) -> None:
        """Let `work` drive it to its end, beside whoever asked for that."""
        self.tasks.start_soon(self._run, agent, work)

    async def _run(self, agent: Agent, work: Coroutine[Any, Any, Finish]) -> None:
        finish = Finish("failed", "crashed", "notte-mcp itself failed; its log on stderr tells more.")
        try:
            async with anyio.create_task_group() as watching:
                watching.start_soon(self._watch_time, agent)
                watching.start_soon(self._watch_session, agent)
                watching.start_soon(self._watch_ending, agent)
                with agent.running:
                    finish = await work
                if agent.running.cancelled_caught and agent.ending is not None:
                    finish = agent.ending
                watching.cancel_scope.cancel()
        except Exception:
            log.exception("agent.crashed", agent=agent.id)
        with anyio.CancelScope(shield=True):
            await self._end(agent, finish)

    async def _watch_time(self, agent: Agent) -> None:
        seconds = agent.record.spec.timeout_seconds
        await self._clock.sleep(seconds - agent.record.usage.seconds)
        agent.end(Finish("stopped", "timeout", f"Stopped: its {seconds:.0f} seconds are over."))

    async def _watch_session(self, agent: Agent) -> None:
        """The session's end is the agent's, unless another attempt goes on in another session."""
        while agent.ending is None:
            agent.watching = anyio.CancelScope()
            with agent.watching:
                ended = await self._registry.until_ended(agent.record.session_id)
                may_retry = ended.state == "failed" and agent.record.attempt <= agent.record.spec.retries
                if ended.reason != "retried" and not may_retry:
                    agent.end(gone(ended))
                await anyio.sleep_forever()

    async def _watch_ending(self, agent: Agent) -> None:
        """Who does not end by itself is cut."""
        while agent.ending is None:
            await agent.next_beat()
        if agent.ending.state != "interrupted":
            with anyio.move_on_after(GRACE_S):
                await agent.ended.wait()
        agent.running.cancel()

    async def _end(self, agent: Agent, finish: Finish) -> None:
        self._registry.release(agent.record.session_id, agent)
        answer = agent.redact(finish.answer)
        over = finish.state != "interrupted"
        ended: dict[str, Any] = {
            "state": finish.state,
            "reason": finish.reason,
            "answer": answer if over else None,
            "success": finish.success if over else None,
            "result": finish.result,
            "question": None,
            "ended_at": self._clock.unix() if over else None,
        }
        try:
            text = f"{finish.state}{f' ({finish.reason})' if finish.reason else ''}: {answer[:300]}"
            await agent.note("ended" if over else "interrupted", text, **ended)
        except NotteMCPError as error:
            # It is over all the same; the next start finds it live without an owner, and says so.
            log.error("agent.not_written", agent=agent.id, code=error.code)
            agent.record = agent.record.but(**ended)
        del self.live[agent.id]
        agent.ended.set()
        agent.beat()
        log.info("agent.ended", agent=agent.id, state=finish.state, reason=finish.reason)
