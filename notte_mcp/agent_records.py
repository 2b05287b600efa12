"""What is stored of agents: how one was asked for, how it stands, what it used, and the lines of its log.

An agent's steps are steps of its sessions (`records.StepRecord`, which carries the
agent's own numbering); here are the agent itself and what happens between its steps.
Times are Unix seconds (UTC).

Below: records. Above: store, agents, tools, resources.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from notte_mcp.records import SessionSpec, Usage

AgentState = Literal["running", "paused", "needs_input", "stopping", "completed", "failed", "stopped", "interrupted"]
Driver = Literal["assistant", "model", "notte"]
EventKind = Literal[
    "started", "attempt", "thought", "paused", "resumed", "message", "needs_input", "answer",
    "model_retry", "repaired", "refused", "interrupted", "ended",
]  # fmt: skip

LIVE_AGENT_STATES: Final[frozenset[AgentState]] = frozenset({"running", "paused", "needs_input", "stopping"})
"""States in which somebody drives the agent."""

ENDED_AGENT_STATES: Final[frozenset[AgentState]] = frozenset({"completed", "failed", "stopped"})
"""States that an agent never leaves. (`interrupted` is neither: it can be resumed.)"""

UNCOUNTED: Final = frozenset({"completion", "help"})
"""Actions that `max_steps` does not count."""

PERSON_LEFT: Final = "person_left"
"""The reason of an agent that is paused since a person took over and went away without giving back."""


def stands(state: str) -> str:
    """An agent's state as a sentence ends: `is running`, `needs input`."""
    return "needs input" if state == "needs_input" else f"is {state}"


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """How an agent was asked for.

    `max_steps` is per attempt (the first goto included; `completion` and `help` are not counted);
    `timeout_seconds` and the budgets (`max_tokens_spent`: tokens in and out; `max_usd`) are for all attempts
    together. `session` is what fresh sessions of further attempts are like. `guidance` is what the agent is
    told besides its task (a fallback's steps so far and their last error). `unattended`: nobody is there to answer what
    it asks, so that asking ends it. `asked` are fields that its caller gave and nobody here heeds, for the record.
    """

    task: str
    driver: Driver
    session: SessionSpec
    url: str | None = None
    model: str | None = None
    max_steps: int = 20
    timeout_seconds: float = 1_800
    retries: int = 0
    response_schema: dict[str, Any] | None = None
    use_vision: bool = False
    max_tokens_spent: int | None = None
    max_usd: float | None = None
    guidance: str = ""
    is_fallback: bool = False
    unattended: bool = False
    asked: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as stored.

    `session_id` is the session of the current attempt. `step_count` is the number of its last step, across
    all attempts. `success`, `answer` and `result` (the parsed answer where a schema was given) are None until
    it has ended; `question` is what a `needs_input` asks. `remote_id` is the id of an agent that another machine runs.
    """

    id: str
    owner: str
    state: AgentState
    spec: AgentSpec
    session_id: str
    created_at: float
    updated_at: float
    ended_at: float | None = None
    reason: str = ""
    attempt: int = 1
    step_count: int = 0
    success: bool | None = None
    answer: str | None = None
    result: Any = None
    question: str | None = None
    usage: Usage = field(default_factory=Usage)
    remote_id: str = ""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_AGENT_STATES

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED_AGENT_STATES

    def but(self, **changes: Any) -> "AgentRecord":
        """A copy with some fields replaced."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """A line of an agent's log that is no step: it stands after the agent's step `after_step` (0: before the first).

    `sequence` counts an agent's events from 1, so that a reader can go on from one. `session_id` is the session that
    it had then; `session_step` is given by the store as it writes the line: the last step of that session that had its
    outcome, which is where the line stands in the session's log.
    """

    agent_id: str
    sequence: int
    after_step: int
    at: float
    event: EventKind
    text: str = ""
    session_id: str = ""
    session_step: int = 0
