"""Agents by id: start, find, wait, steer, stop. (Interface; being built.)

Agents live in the App's task group, never in a request: whoever waits may leave.

Below: runner, agent, registry. Above: app, tools, resources.
"""

from dataclasses import dataclass
from typing import Literal

from notte_mcp.agent_records import AgentEvent, AgentRecord, AgentSpec
from notte_mcp.records import StepRecord

Command = Literal["pause", "resume", "message", "answer"]
Until = Literal["step", "input", "done"]


@dataclass(frozen=True, slots=True)
class Steered:
    """What a steering command came to. It takes effect after the agent's step `at_step`."""

    record: AgentRecord
    accepted: bool
    at_step: int


class Supervisor:
    """See the module."""

    def choose_driver(self, asked: str, *, engine: str, model: str | None) -> Literal["assistant", "model", "notte"]:
        """The driver meant by `auto|assistant|model|notte`: on a cloud session the cloud's agent, else a
        configured model, else the assistant.

        Raises:
            ModelMissing: `model` and none is configured, or its extra is not installed.
            ModelUnknown: no provider has this name. NeedsCloud: `notte` without a cloud session.
        """
        raise NotImplementedError

    async def start(self, spec: AgentSpec, *, session_id: str | None = None) -> AgentRecord:
        """A new agent, in the session named or in one of its own; on disk when this returns, with the first
        page loaded where `spec.url` is given and the caller drives it (a model's agent loads it by itself).

        Raises:
            SessionBusy (an agent has that session), InvalidArgument (no JSON Schema), ModelMissing,
            ModelUnknown, and what `Registry.open` and `Registry.use` raise.
        """
        raise NotImplementedError

    async def record(self, agent_id: str) -> AgentRecord:
        """An agent as it stands, live or not. Raises: UnknownAgent."""
        raise NotImplementedError

    async def agents(self, *, limit: int = 100) -> list[AgentRecord]:
        """Agents, newest first, the live ones as they stand."""
        raise NotImplementedError

    async def steps(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        """Its steps by its own numbers. Raises: UnknownAgent."""
        raise NotImplementedError

    async def events(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        """Lines of its log that are no steps. Raises: UnknownAgent."""
        raise NotImplementedError

    async def wait(
        self, agent_id: str, *, seconds: float, after_step: int | None = None, until: Until = "done"
    ) -> AgentRecord:
        """Come back when a step above `after_step` (default: the last) has its outcome (`step`), when it needs
        input (`input`), or when it has ended; each also at what comes later, and when `seconds` are over.

        Raises: UnknownAgent.
        """
        raise NotImplementedError

    async def steer(self, agent_id: str, command: Command, text: str | None = None) -> Steered:
        """Pause, resume (an interrupted one too, once its session is restored), message, answer.

        Raises: UnknownAgent, AgentEnded, InvalidArgument (no text, nothing was asked), SessionNotLive.
        """
        raise NotImplementedError

    async def stop(self, agent_id: str, *, mode: Literal["graceful", "now"] = "graceful") -> AgentRecord:
        """End it within 4 s; its session stays. Idempotent. Raises: UnknownAgent."""
        raise NotImplementedError

    async def agent_on(self, session_id: str) -> AgentRecord | None:
        """The live agent that has this session, if any."""
        raise NotImplementedError
