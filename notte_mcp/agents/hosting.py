"""An agent that the Notte cloud runs: started there, followed, put on record here, stopped.

What it does is done when it is heard of, so it is only written down: as steps of its session, and as its own. That we
leave ends nothing there; who comes back goes on after the last step that is on record. Where the cloud has no agents any
more, the configured model takes its place in the same session.

Below: agent, elsewhere, moves, runner, registry, engines.remote. Above: driving.
"""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import anyio

from notte_mcp.agents.agent import Agent
from notte_mcp.agents.elsewhere import deed_of, finish_of, gone_there, has_said_all, task_of
from notte_mcp.agents.moves import Finish, Past
from notte_mcp.agents.runner import Runner
from notte_mcp.cloud_errors import CloudError, CloudNotNotte, CloudUnavailable, CloudUnknown
from notte_mcp.engines.remote import HostedRemark, HostedStatus, HostedStep, Remote
from notte_mcp.errors import NotteMCPError, SessionBusy, SessionLost, SessionNotLive
from notte_mcp.logs import Log
from notte_mcp.models.base import ChatModel
from notte_mcp.registry import Clock, Registry

MAX_STEPS: Final = 150
"""Steps that the cloud gives an agent at most."""

LOOK_S: Final = 15.0
"""How often it is looked whether the session of an agent still lives in the cloud."""

PLACE_S: Final = 3.0
"""How long it may take to learn where its session stands."""

PLACES_S: Final = 1.0
"""How often that is asked while it works, at most."""

AGAIN_S: Final = 1.0
SEEN_TO_S: Final = 60.0
"""How often, and how long, an agent is told to stop that did not acknowledge it (seconds)."""

log = Log("agents")


class Hosting:
    """See the module. `spare` gives the configured model, if any; `beside` lets work go on when the agent has ended.

    `begun` is set once it is known whether the agent has started; `refusal` is why it has not.
    """

    def __init__(
        self,
        agent: Agent,
        registry: Registry,
        clock: Clock,
        *,
        spare: Callable[[], ChatModel | None],
        beside: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
        after: int = 0,
    ) -> None:
        self._agent = agent
        self._registry = registry
        self._clock = clock
        self._spare = spare
        self._beside = beside
        self._after = after
        self._model: ChatModel | None = None
        self._stopped = False
        self._noted = anyio.Event()
        self.begun = anyio.Event()
        self.refusal: NotteMCPError | None = None

    async def attempt(self, past: Past, *, resumed: bool) -> Finish:
        """One attempt (see `attempts.Work`)."""
        remote = await self._started(resumed=resumed)
        if self._model is not None:
            return await Runner(self._agent, self._registry, self._model, past=past, resumed=resumed).run()
        try:
            finish = await self._followed(remote, self._after if resumed else 0)
        except (CloudUnavailable, CloudNotNotte) as error:
            # It may well be going on there: whoever resumes it hears the rest.
            return Finish("interrupted", "unheard", f"Nothing is heard of it any more: {error.what}")
        await self._see_where()
        return finish

    async def _see_where(self) -> None:
        """What it did led elsewhere, which nobody here saw: who goes on is told where its session stands now."""
        with suppress(NotteMCPError), anyio.move_on_after(PLACE_S):
            async with self._registry.use(self._agent.record.session_id) as live:
                await live.spot(None)

    async def _watch_place(self) -> None:
        """The same after its steps, while it is at work; its page is left to it."""
        while True:
            await self._noted.wait()
            self._noted = anyio.Event()
            with suppress(NotteMCPError), anyio.move_on_after(PLACE_S):
                async with self._registry.use(self._agent.record.session_id) as live:
                    await live.locate()
            await self._clock.sleep(PLACES_S)

    async def _started(self, *, resumed: bool) -> Remote:
        try:
            remote = await self._remote()
            if self._model is None:
                await self._start(remote, resumed=resumed)
        except NotteMCPError as error:
            self.refusal = error
            raise
        finally:
            self.begun.set()
        return remote

    async def _remote(self) -> Remote:
        session_id = self._agent.record.session_id
        if (remote := await self._registry.remote(session_id)) is None:
            raise SessionNotLive(
                f"Session {session_id} is none of the cloud.", next_call=f'notte_status(id="{session_id}")'
            )
        return remote

    # --- its beginning --------------------------------------------------------------

    async def _start(self, remote: Remote, *, resumed: bool) -> None:
        """Its agent in the cloud, unless it has one; or the model that does without."""
        agent = self._agent
        if agent.record.remote_id:
            return
        task = task_of(agent.record.spec)
        try:
            found = await remote.find_agent(task.task) if resumed else None
            found = found or await remote.start_agent(task)
        except CloudUnknown as error:
            await self._require_session(remote)
            await self._instead(error)
            return
        agent.record = agent.record.but(remote_id=found)
        await agent.save()
        log.info("agent.hosted", agent=agent.id)

    async def _require_session(self, remote: Remote) -> None:
        """That it is not the session that the cloud does not know. Raises: SessionNotLive, CloudError."""
        session_id = self._agent.record.session_id
        stands = await remote.session()
        if not stands.is_live:
            raise SessionNotLive(
                f"Session {session_id} has ended in the cloud ({stands.close_reason or stands.state}).",
                next_call='notte_start(task=..., session={"engine": "notte"}) for a new one',
            )

    async def _instead(self, error: CloudUnknown) -> None:
        """The cloud has no agents: the configured model drives it, and it is said so."""
        agent, record = self._agent, self._agent.record
        gone = f"The Notte API has no agents (any more; HTTP {error.status})"
        self._model = self._spare()
        if self._model is None:
            raise CloudUnknown(
                f"{gone}, and no model is configured that could drive one in session {record.session_id}.",
                status=error.status,
                kept="The session is live.",
                next_call=f'the same call with session_id="{record.session_id}" and driver="assistant": '
                "you drive it by notte_execute; or set NOTTE_MCP_MODEL and restart the server",
            )
        name = self._model.name
        spec = replace(record.spec, driver="model", model=name)
        await agent.note("started", f"{gone}: {name} drives it here, in the same cloud session.", spec=spec)

    # --- its course -----------------------------------------------------------------

    async def _followed(self, remote: Remote, after: int) -> Finish:
        agent, self._stopped = self._agent, False
        remote_id = agent.record.remote_id
        status: HostedStatus | None = None
        try:
            async with anyio.create_task_group() as watching:
                watching.start_soon(self._stop_when_told, remote)
                watching.start_soon(self._watch_session, remote)
                watching.start_soon(self._watch_place)
                status = await self._heard(remote, after)
                self._stopped = True
                watching.cancel_scope.cancel()
        except* NotteMCPError as errors:
            raise _first(errors) from None
        finally:
            told_to = agent.ending is not None and agent.ending.state != "interrupted"
            if told_to and not self._stopped:
                self._beside(lambda: self._see_to_it(remote, remote_id))
        if status is None:
            raise _unheard()
        return agent.ending or await self._end_of_session(remote, status) or finish_of(status, agent.record.spec)

    async def _end_of_session(self, remote: Remote, status: HostedStatus) -> Finish | None:
        """Its session's end, where that took the agent along without a last word of its own."""
        if status.success or has_said_all(status):
            return None
        try:
            stands = await remote.session()
        except CloudError:
            return None
        return None if stands.is_live else gone_there(stands)

    async def _heard(self, remote: Remote, after: int) -> HostedStatus:
        """Put down what it does until it is over."""
        agent = self._agent
        items = remote.follow(agent.record.remote_id, after=after)
        try:
            async for item in items:
                match item:
                    case HostedStep():
                        await self._note(item)
                    case HostedRemark():
                        await agent.note("refused", item.text[:1_000])
                    case HostedStatus():
                        return item
        finally:
            with anyio.CancelScope(shield=True):
                await items.aclose()
        raise _unheard()

    async def _note(self, step: HostedStep) -> None:
        agent = self._agent
        session_id = agent.record.session_id
        agent.thought = step.thought
        await agent.note_thought()
        while True:
            try:
                async with self._registry.use(session_id) as live:
                    if self._registry.holder(session_id) != agent.id:
                        raise SessionLost(f"Session {session_id} is another agent's now.")
                    await live.note_done(deed_of(step, self._clock.unix()), actor=agent.actor)
            except SessionBusy:
                continue  # somebody looks at the page; whoever that is lets go
            self._noted.set()
            return

    async def _stop_when_told(self, remote: Remote) -> None:
        """Tell it to stop once it is to end; whoever follows it hears when it has."""
        agent = self._agent
        while agent.ending is None:
            await agent.next_beat()
        if agent.ending.state != "interrupted":
            self._stopped = await self._tell(remote, agent.record.remote_id)

    async def _see_to_it(self, remote: Remote, remote_id: str) -> None:
        with anyio.move_on_after(SEEN_TO_S):
            await self._tell(remote, remote_id)

    async def _tell(self, remote: Remote, remote_id: str) -> bool:
        while True:
            try:
                await remote.stop_agent(remote_id)
            except CloudUnavailable as error:
                log.info("agent.not_told_to_stop", agent=self._agent.id, reason=error.code)
                await anyio.sleep(AGAIN_S)
            except CloudError as error:
                log.warning("agent.not_stopped", agent=self._agent.id, reason=error.code)
                return True  # the cloud does not know it, or takes no word of ours: asking again changes nothing
            else:
                return True

    async def _watch_session(self, remote: Remote) -> None:
        """A session that has ended there ends its agent, whether or not the cloud says so of the agent."""
        agent = self._agent
        while True:
            await self._clock.sleep(LOOK_S)
            try:
                stands = await remote.session()
            except CloudError:
                continue
            if not stands.is_live:
                await self._clock.sleep(LOOK_S / 3)  # its own last word comes first
                agent.end(gone_there(stands))
                return


def _unheard() -> CloudUnavailable:
    return CloudUnavailable("The Notte API does not say how the agent ended.")


def _first(errors: BaseExceptionGroup[NotteMCPError]) -> NotteMCPError:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
