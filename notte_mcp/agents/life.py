"""What happens to live agents by themselves: they are driven, watched, cut where they do not end, and put on record.

All of it runs in the App's task group, never in a caller's task. No fault in here may
take the task group down, since every agent lives by it.

Below: agent, attempts, registry. Above: supervisor.
"""

from collections.abc import Callable, Coroutine
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

HOSTED_GRACE_S: Final = 30.0
"""The same for one that the cloud runs: it is `stopping` until the cloud says that it has stopped."""

CUT_S: Final = 0.3
"""How long a caller's action that was cut with the agent may take to be on record."""

REWRITE_S: Final = 5.0
"""How often the end of an agent that the disk did not take is written again."""

CRASHED: Final = Finish("failed", "crashed", "notte-mcp itself failed; its log on stderr tells more.")
LEFT: Final = Finish("interrupted", "restart", "The server ended.")

log = Log("agents")


class Life:
    """See the module. `tasks` is set while the supervisor runs; `unwritten` has ended, and the disk does not say so."""

    tasks: TaskGroup

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self.live: dict[str, Agent] = {}
        self.unwritten: dict[str, Agent] = {}
        self._registry = registry
        self._clock = clock

    def begin(self, agent: Agent) -> None:
        """It is live from now on."""
        self.live[agent.id] = agent

    def drive(self, agent: Agent, work: Coroutine[Any, Any, Finish]) -> None:
        """Let `work` drive it to its end, beside whoever asked for that."""
        self.tasks.start_soon(self._run, agent, work)

    def beside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let `work` go on after the agent that it is for has ended, for as long as the server runs."""
        self.tasks.start_soon(work)

    async def _run(self, agent: Agent, work: Coroutine[Any, Any, Finish]) -> None:
        finish: Finish | None = None
        try:
            async with anyio.create_task_group() as watching:
                watching.start_soon(self._watch_time, agent)
                watching.start_soon(self._watch_session, agent)
                watching.start_soon(self._watch_ending, agent)
                with agent.running:
                    finish = await _outcome(work)
                    agent.end(finish)  # from here on it cannot be steered, and nothing is begun under its name
                    await agent.quiet()
                watching.cancel_scope.cancel()
            finish = finish or agent.ending
        except Exception:
            log.exception("agent.crashed", agent=agent.id)
            finish = finish or agent.ending or CRASHED
        finally:
            with anyio.CancelScope(shield=True):
                await self._end(agent, finish or agent.ending or LEFT)

    async def _watch_time(self, agent: Agent) -> None:
        seconds = agent.record.spec.timeout_seconds
        await self._clock.sleep(seconds - agent.record.usage.seconds)
        agent.end(Finish("stopped", "timeout", f"Stopped: its {seconds:g} seconds are over."))

    async def _watch_session(self, agent: Agent) -> None:
        """The session's end is the agent's, unless another attempt goes on in another session."""
        while agent.ending is None:
            agent.watching = anyio.CancelScope()
            with agent.watching:
                end = await self._end_of_session(agent.record.session_id)
                may_retry = agent.is_between or agent.record.attempt <= agent.record.spec.retries
                if end is not None and not (end.reason == "crash" and may_retry):
                    agent.end(end)
                await anyio.sleep_forever()

    async def _end_of_session(self, session_id: str) -> Finish | None:
        """What a session's end, once it has come, means for its agent; None where the agent itself left it."""
        try:
            ended = await self._registry.until_ended(session_id)
        except NotteMCPError as error:
            return Finish("interrupted", "crash", f"Its session cannot be read: {error}")
        return gone(ended) if ended.reason != "retried" else None

    async def _watch_ending(self, agent: Agent) -> None:
        """Who does not end by itself is cut."""
        while agent.ending is None:
            await agent.next_beat()
        if agent.ending.state != "interrupted":
            heeds = agent.is_hosted and self._registry.is_live(agent.record.session_id)
            with anyio.move_on_after(HOSTED_GRACE_S if heeds else GRACE_S):
                await agent.ended.wait()
        agent.running.cancel()

    async def _end(self, agent: Agent, finish: Finish) -> None:
        if agent.in_flight:
            self._registry.cut(agent.record.session_id, agent)
            with anyio.move_on_after(CUT_S):
                await agent.quiet()
        self._registry.release(agent.record.session_id, agent)
        answer = agent.redact.text(finish.answer)
        over = finish.state != "interrupted"
        ended: dict[str, Any] = {
            "state": finish.state,
            "reason": finish.reason,
            "answer": answer if over else None,
            "success": finish.success if over else None,
            "result": agent.redact(finish.result),
            "question": None,
            "ended_at": self._clock.unix() if over else None,
        }
        text = f"{finish.state}{f' ({finish.reason})' if finish.reason else ''}: {answer[:300]}"
        if not await self._written(agent, text, ended):
            self.unwritten[agent.id] = agent
            self.tasks.start_soon(self._write_later, agent, text, ended)
        del self.live[agent.id]
        agent.ended.set()
        agent.beat()
        log.info("agent.ended", agent=agent.id, state=finish.state, reason=finish.reason)

    async def _written(self, agent: Agent, text: str, ended: dict[str, Any]) -> bool:
        """Put its end on disk. It is over all the same where the disk does not take it."""
        try:
            if ended["reason"] != LEFT.reason:  # a server that ends has no time for it, and a resume counts for itself
                await agent.recount()
            await agent.note("interrupted" if ended["ended_at"] is None else "ended", text, **ended)
        except Exception as error:  # noqa: BLE001 - the agent has to end whatever the store does
            log.error("agent.not_written", agent=agent.id, error=str(error))
            return False
        return True

    async def _write_later(self, agent: Agent, text: str, ended: dict[str, Any]) -> None:
        """Try again until the disk takes it. (A server that ends before is told of by the next start.)"""
        await self._clock.sleep(REWRITE_S)
        while not await self._written(agent, text, ended):
            await self._clock.sleep(REWRITE_S)
        self.unwritten.pop(agent.id, None)


async def _outcome(work: Coroutine[Any, Any, Finish]) -> Finish:
    try:
        return await work
    except NotteMCPError as error:
        return Finish("failed", error.code, str(error))
