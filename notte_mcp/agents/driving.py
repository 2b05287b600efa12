"""Who drives an agent: a model of ours here, or the cloud there; each as attempts that follow each other.

Below: attempts, runner, hosting, elsewhere, life, registry, models. Above: supervisor.
"""

from typing import Final, Protocol

import anyio

from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.agents import refusals
from notte_mcp.agents.agent import Agent
from notte_mcp.agents.attempts import HOPELESS, Attempts
from notte_mcp.agents.elsewhere import finish_of
from notte_mcp.agents.hosting import MAX_STEPS, Hosting
from notte_mcp.agents.life import Life
from notte_mcp.agents.moves import Finish, Past
from notte_mcp.agents.runner import Runner
from notte_mcp.cloud_errors import CloudUnknown
from notte_mcp.errors import NotteMCPError
from notte_mcp.models.base import ChatModel
from notte_mcp.registry import Clock, Registry

STOP_S: Final = 3.0
"""How long the cloud may take to say how an agent stands, or that it has stopped."""

BEGIN_S: Final = 38.0
"""How long the start of an agent in the cloud is waited for; after that it goes on by itself."""


class Models(Protocol):
    """Where models come from; `default` is the configured one's name, if any."""

    @property
    def default(self) -> str | None: ...

    def named(self, name: str) -> ChatModel:
        """The model of that name. Raises: ModelUnknown, ModelMissing."""
        ...


class Driving:
    """See the module."""

    def __init__(self, registry: Registry, models: Models, life: Life, clock: Clock) -> None:
        self._registry = registry
        self._models = models
        self._life = life
        self._clock = clock

    def by_model(self, agent: Agent, model: ChatModel, *, owns_session: bool) -> Attempts:
        """Attempts of a model."""

        async def work(past: Past, *, resumed: bool) -> Finish:
            return await Runner(agent, self._registry, model, past=past, resumed=resumed).run()

        return Attempts(agent, self._registry, work, self._clock, owns_session=owns_session)

    def by_cloud(self, agent: Agent, *, owns_session: bool, after: int = 0) -> tuple[Attempts, Hosting]:
        """Attempts of the cloud; one that is resumed goes on with its step `after` (from 0)."""
        hosting = Hosting(agent, self._registry, self._clock, spare=self._spare, beside=self._life.beside, after=after)
        return Attempts(agent, self._registry, hosting.attempt, self._clock, owns_session=owns_session), hosting

    def _spare(self) -> ChatModel | None:
        """The configured model, for where the cloud has no agents."""
        return self._models.named(self._models.default) if self._models.default is not None else None

    async def begun(self, hosting: Hosting, agent: Agent, *, owns_session: bool) -> None:
        """Wait until the cloud has started it. Raises: why it has not, once that is its end."""
        with anyio.move_on_after(BEGIN_S):
            await hosting.begun.wait()
        if hosting.refusal is None or (agent.record.spec.retries and hosting.refusal.code not in HOPELESS):
            return
        await agent.ended.wait()
        if owns_session and self._registry.is_live(agent.record.session_id):
            await self._registry.stop(agent.record.session_id, mode="now", reason="no_agent")
        raise hosting.refusal

    async def stop_there(self, record: AgentRecord) -> str:
        """Tell the cloud to stop an agent that nobody follows; what is to be said where that did not work."""
        if not record.remote_id:
            return ""
        try:
            with anyio.fail_after(STOP_S):
                remote = await self._registry.remote(record.session_id)
                if remote is not None:
                    await remote.stop_agent(record.remote_id)
        except CloudUnknown:
            return ""  # it has been forgotten there, with whatever it did
        except (NotteMCPError, TimeoutError):
            return "; the cloud could not be told, so it may go on there until its session ends"
        return ""

    async def ended_there(self, record: AgentRecord) -> Finish | None:
        """How an agent has ended in the cloud whose session cannot be gone on with any more; None where it has not, or
        that cannot be learnt."""
        if not record.remote_id:
            return None
        try:
            with anyio.fail_after(STOP_S):
                remote = await self._registry.remote(record.session_id)
                status = None if remote is None else await remote.agent(record.remote_id)
        except (NotteMCPError, TimeoutError):
            return None
        if status is None or status.is_live:
            return None
        return finish_of(status, record.spec)


def require_hostable(spec: AgentSpec) -> None:
    """Refuse what the cloud's agents cannot be asked for. Raises: InvalidArgument."""
    if spec.max_steps > MAX_STEPS:
        raise refusals.beyond_the_cloud(f"max_steps {spec.max_steps}", f"{MAX_STEPS} is the most")
    if spec.max_tokens_spent is not None or spec.max_usd is not None:
        raise refusals.beyond_the_cloud("max_tokens_spent, max_usd", "what it uses is not told")
