"""The store contract: what must be on disk, and when.

The registry writes through this; the tools read through it. Every method is one
transaction: it is on disk when it returns, and cancelling the caller never
leaves half of it. Reads and writes of one store are serialised.

Below: records, errors. Above: registry, resources, app.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.records import SessionRecord, StepRecord
from notte_mcp.workflow_records import RunRecord, WorkflowRecord


@dataclass(frozen=True, slots=True)
class Claim:
    """The result of claiming a `request_id`: `fresh` to run the call, else the stored `answer`.

    `answer` is None where the first call has not finished (it runs now, or its
    server died in it); `same` says whether the arguments are the first call's.
    """

    fresh: bool
    same: bool = True
    answer: Any = None
    owner: str = ""


class Store(Protocol):
    """Sessions, steps, agents with their events, workflows and their runs, and answered requests.

    Raises (every method): StoreUnusable when the disk is full, the file is
    locked for more than 10 s or damaged.
    """

    async def put_session(self, record: SessionRecord) -> None:
        """Insert or replace a session."""
        ...

    async def take(self, record: SessionRecord) -> bool:
        """Replace a session by `record` if it is `interrupted` or `failed` still; False where another server was sooner."""
        ...

    async def session(self, session_id: str) -> SessionRecord | None:
        """One session, or None."""
        ...

    async def sessions(self, *, limit: int = 100) -> list[SessionRecord]:
        """Sessions, newest first."""
        ...

    async def interrupt(self, *, dead_owners: Sequence[str], reason: str) -> list[SessionRecord]:
        """Mark every live session of these owners `interrupted` and their `intended` steps
        `outcome_unknown`; gives the sessions so marked, their `step_count` at least the last intent's number.
        Their running runs are `interrupted` too. Their live agents are `interrupted` too, with an event that says so and their `step_count` at least the
        last intent's."""
        ...

    async def owners(self) -> list[str]:
        """Owners that have a session, an agent or a run in a live state."""
        ...

    async def intend(self, steps: Sequence[StepRecord]) -> None:
        """Write the intents of a batch, all in one commit, before the browser is touched."""
        ...

    async def settle(self, step: StepRecord, session: SessionRecord) -> None:
        """Write one step's outcome and where the session stands now, in one commit.

        Whose step it is (`agent_id`, `agent_step`) stays as it was intended."""
        ...

    async def withdraw(self, session_id: str, numbers: Sequence[int]) -> None:
        """Remove intents that were never begun (a batch that stopped early)."""
        ...

    async def steps(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        """Steps with a number above `after`, in order."""
        ...

    async def put_agent(self, record: AgentRecord, event: AgentEvent | None = None) -> None:
        """Insert or replace an agent, with a line of its log in the same commit."""
        ...

    async def take_agent(self, record: AgentRecord) -> bool:
        """Replace an agent by `record` if it is `interrupted` still; False where another server was sooner."""
        ...

    async def agent(self, agent_id: str) -> AgentRecord | None:
        """One agent, or None."""
        ...

    async def agents(self, *, limit: int = 100) -> list[AgentRecord]:
        """Agents, newest first."""
        ...

    async def agent_steps(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        """The agent's steps with an `agent_step` above `after`, in that order, of all its sessions."""
        ...

    async def put_event(self, event: AgentEvent) -> None:
        """Append a line to an agent's log (over one of the same sequence: what it says, not where it stands)."""
        ...

    async def events(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        """Lines of an agent's log with a sequence above `after`, in order."""
        ...

    async def session_events(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        """Lines of the logs of the session's agents with a `session_step` of at least `after`, by that and then in the
        order in which they were written."""
        ...

    async def add_workflow(self, record: WorkflowRecord) -> WorkflowRecord:
        """Keep a workflow as the next version of its name, whatever `record.version` says; gives it as kept."""
        ...

    async def note_verified(self, name: str, version: int, *, verified: bool | None, at: float) -> None:
        """Note on one version what its last verification showed."""
        ...

    async def workflow(self, name: str, version: int | None = None) -> WorkflowRecord | None:
        """One version of a workflow (None: the highest), or None."""
        ...

    async def workflows(self, *, limit: int = 100) -> list[WorkflowRecord]:
        """The highest version of each name, newest first."""
        ...

    async def put_run(self, record: RunRecord) -> None:
        """Insert or replace a run."""
        ...

    async def run(self, run_id: str) -> RunRecord | None:
        """One run, or None."""
        ...

    async def runs(self, *, limit: int = 100) -> list[RunRecord]:
        """Runs, newest first."""
        ...

    async def claim(self, request_id: str, *, tool: str, digest: str, owner: str) -> Claim:
        """Claim a request id for a call whose arguments have this digest."""
        ...

    async def answer(self, request_id: str, answer: Any) -> None:
        """Keep the answer of a claimed request (a JSON value)."""
        ...

    async def unclaim(self, request_id: str) -> None:
        """Give a claim back because nothing was done."""
        ...

    async def sweep(self, *, older_than: float) -> list[str]:
        """Delete ended sessions and agents (not live ones) last updated before this Unix time, with their steps
        and events, ended runs, and requests claimed before it (saved workflows stay); gives the sessions' ids. The session that a kept agent
        stands in is kept with it."""
        ...

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        ...
