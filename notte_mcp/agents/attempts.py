"""How an agent is driven from its first attempt to its end: by a model, by the cloud, or by whoever calls.

A failed attempt is followed by another one in a fresh session, where retries were asked
for, after 1, 2, 4 seconds. What cannot be mended by trying again (a refused key, an end
that somebody asked for) is not tried again.

Below: agent, registry. Above: driving, supervisor.
"""

from dataclasses import replace
from typing import Final, Protocol

from notte_mcp.actions import Completion, Help
from notte_mcp.agents import answers
from notte_mcp.agents.agent import Agent
from notte_mcp.agents.moves import Finish, Past, Remark
from notte_mcp.errors import ModelMissing, ModelRefused, ModelUnavailable, ModelUnknown, NotteMCPError
from notte_mcp.records import SessionRecord, SessionSpec
from notte_mcp.registry import Clock, Registry

HOPELESS: Final = frozenset(
    {
        "user", "timeout", "budget", "restart", "session_stopped", "model_refused", "store_unusable", "unheard",
        "cloud_key_missing", "cloud_key_refused", "cloud_no_credit", "cloud_unknown", "cloud_refused",
    }
)  # fmt: skip
"""Reasons after which another attempt would end the same, or is not wanted."""


class Work(Protocol):
    """One attempt."""

    async def __call__(self, past: Past, *, resumed: bool) -> Finish:
        """Until it is over. `resumed`: it goes on with what `past` tells. Raises: any error of ours."""
        ...


class Attempts:
    """An agent that drives itself: `work` is one attempt of it."""

    def __init__(self, agent: Agent, registry: Registry, work: Work, clock: Clock, *, owns_session: bool) -> None:
        self._agent = agent
        self._registry = registry
        self._work = work
        self._clock = clock
        self._owns_session = owns_session
        self._place: str | None = None

    async def run(self, past: Past = (), *, resumed: bool = False) -> Finish:
        """How it ended at last. Raises nothing that is expected: a failure is an end like others."""
        agent = self._agent
        if agent.record.spec.retries and agent.record.spec.url is None:
            self._place = await self._begun_at()
        while True:
            finish = await self._attempt(past, resumed=resumed)
            left = agent.record.spec.retries + 1 - agent.record.attempt
            if finish.success:
                return finish
            if left <= 0 or finish.reason in HOPELESS or agent.ending is not None:
                return agent.ending or finish
            if (cut := await self._again(finish)) is not None:
                return cut
            # What a person said holds for all attempts; what was done belongs to the page that is gone.
            past, resumed = [Remark(text) for text in agent.heard], False

    async def _begun_at(self) -> str | None:
        """Where the session stood that it was given: a further attempt begins there too."""
        try:
            record = await self._registry.record(self._agent.record.session_id)
        except NotteMCPError:
            return None
        return record.url if record.url.startswith(("http://", "https://")) else None

    async def _attempt(self, past: Past, *, resumed: bool) -> Finish:
        try:
            return await self._work(past, resumed=resumed)
        except NotteMCPError as error:
            return await failure(error, self._agent, self._registry)

    async def _again(self, failed: Finish) -> Finish | None:
        """A fresh session for the next attempt; an end where that cannot be had."""
        agent = self._agent
        agent.is_between = True
        number = agent.record.attempt + 1
        why = f"attempt {number} of {agent.record.spec.retries + 1}; the last one: {failed.reason}: {failed.answer}"
        try:
            await agent.note("attempt", why, attempt=number)
            with agent.asks():
                await self._clock.sleep(2.0 ** (number - 2))
            if agent.ending is None:
                await self._move()
        except NotteMCPError as error:
            return Finish("failed", error.code, str(error))
        finally:
            agent.is_between = False
        return agent.ending

    async def _move(self) -> None:
        """Out of the session of the failed attempt, into a new one."""
        agent = self._agent
        before = agent.record.session_id
        self._registry.release(before, agent)
        if self._owns_session:
            await self._registry.stop(before, reason="retried")
        session, _ = await self._registry.open(_fresh(agent.record.spec.session), url=self._place)
        agent.redact = self._registry.take(session.id, agent)
        self._owns_session = True
        agent.acted, agent.said, agent.told = 0, None, []
        agent.record = agent.record.but(session_id=session.id, remote_id="")
        agent.watching.cancel()
        await agent.note("started", f"in session {session.id}")


def _fresh(spec: SessionSpec) -> SessionSpec:
    """What a further attempt's session is like: a new one, also where the first was attached to one of the cloud."""
    return replace(spec, cloud={name: value for name, value in spec.cloud.items() if name != "session_id"})


async def by_caller(agent: Agent) -> Finish:
    """Wait while the caller drives: until its completion, or an end that was asked for."""
    while agent.ending is None:
        said, agent.said = agent.said, None
        match said:
            case Completion():
                return completed(agent, said)
            case Help():
                question = agent.redact.text(said.value)
                await agent.note("needs_input", question, state="needs_input", question=question)
            case _:
                await agent.next_beat()
    return agent.ending


def completed(agent: Agent, said: Completion) -> Finish:
    """The end that a completion asks for; its answer fits the schema, or the hold would have refused it."""
    answer = agent.redact.text(said.answer)
    if not said.success:
        return Finish("failed", "gave_up", answer)
    schema = agent.record.spec.response_schema
    return Finish("completed", "", answer, success=True, result=answers.parse(answer) if schema is not None else None)


async def failure(error: NotteMCPError, agent: Agent, registry: Registry) -> Finish:
    """What an error that ended an attempt means for the agent."""
    match error:
        case ModelRefused() | ModelUnknown() | ModelMissing():
            return Finish("failed", "model_refused", str(error))
        case ModelUnavailable():
            return Finish("failed", "model_error", str(error))
        case _ if registry.is_live(agent.record.session_id):
            return Finish("failed", error.code, str(error))
        case _:
            return gone(await registry.until_ended(agent.record.session_id))


def gone(session: SessionRecord) -> Finish:
    """The end of an agent whose session has ended: with a stopped one it is over, with a lost one it can go on."""
    match session.state:
        case "failed":
            return Finish("interrupted", "crash", "The browser of its session is gone.")
        case "interrupted":
            return Finish("interrupted", "restart", "The server of its session ended.")
        case _:
            why = f"Its session was stopped ({session.reason or 'user'})."
            return Finish("stopped", "session_stopped", why)
