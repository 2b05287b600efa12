"""Runs by id: start, find, wait, stop; and the workflows that are kept by name.

A run lives in the App's task group, never in a request: whoever waits may leave. It has a session of its
own, which no caller's left-out `session_id` means.

Below: the rest of runs, agents, registry, workflows, store.base. Above: app, tools, resources, prompts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.registry import Clock, Registry
from notte_mcp.store.base import Store
from notte_mcp.workflow_records import RunKind, RunRecord, VerifyMode, WorkflowRecord
from notte_mcp.workflows import Workflow


@dataclass(frozen=True, slots=True)
class Script:
    """A rendered script that is to be run as it is: its language and its whole text."""

    target: Literal["playwright", "pytest", "notte", "json"]
    text: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is to be run.

    `source` is the session, agent, run or workflow that it was made from. `parameters` take the place of recorded
    defaults, by name; a secret may be among them and is never written down. `script` is run too, after the steps,
    when verifying. `heal` gives a failed step to an agent. `profile` is the login state to begin with (None: the
    recording's).
    """

    workflow: Workflow
    source: str
    kind: RunKind = "run"
    mode: VerifyMode = "run"
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    heal: bool = False
    saved: WorkflowRecord | None = None
    script: Script | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where scripts are run: the browser that they are given (None: their own way of finding one), whether
    without its sandbox, and a folder for their files."""

    browser: Path | None
    no_sandbox: bool
    folder: Path


class Runs:
    """See the module. Runs between entering and leaving it (`async with`), in one task, within the agents' time."""

    def __init__(
        self,
        *,
        registry: Registry,
        agents: Supervisor,
        store: Store,
        owner: str,
        place: Place,
        limit: int = 4,
        clock: Clock | None = None,
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    async def start(self, request: RunRequest) -> RunRecord:
        """A new run, on disk when this returns; its steps are done beside whoever asked.

        Secrets come from `parameters`, else from the session it was recorded in while that is live, else from the
        environment variable of their name.

        Raises:
            InvalidArgument: a parameter is unknown, missing (a secret with no value anywhere) or no text; nothing
                was started. ModelMissing: `heal` and no model. LimitReached, and what `Registry.open` raises.
        """
        raise NotImplementedError

    async def record(self, run_id: str) -> RunRecord:
        """A run as it stands, live or not. Raises: UnknownRun."""
        raise NotImplementedError

    async def runs(self, *, limit: int = 100) -> list[RunRecord]:
        """Runs, newest first, the live ones as they stand."""
        raise NotImplementedError

    async def wait(
        self,
        run_id: str,
        *,
        seconds: float,
        after_step: int | None = None,
        until: Literal["step", "input", "done"] = "done",
    ) -> RunRecord:
        """Come back when a step above `after_step` (a count of steps; default: those done now) is over (`step`),
        when it has ended, or when `seconds` are over. Raises: UnknownRun."""
        raise NotImplementedError

    async def stop(self, run_id: str, *, mode: Literal["graceful", "now"] = "graceful") -> RunRecord:
        """End it and its session within 4 s. Idempotent. Raises: UnknownRun."""
        raise NotImplementedError

    async def close(self, *, deadline_s: float) -> None:
        """The server ends: every live run becomes `interrupted`. Idempotent."""
        raise NotImplementedError

    # --- saved workflows ----------------------------------------------------------

    async def save(self, name: str, workflow: Workflow, *, source: str, verified: bool | None = None) -> WorkflowRecord:
        """Keep a workflow as the next version of its name.

        Raises:
            InvalidArgument: the name has characters other than letters, digits, `-`, `_` and `.`, or is too long.
        """
        raise NotImplementedError

    async def workflow(self, name: str) -> WorkflowRecord:
        """A saved workflow: `orders` (its highest version) or `orders@2`. Raises: UnknownWorkflow."""
        raise NotImplementedError

    async def workflows(self, *, limit: int = 100) -> list[WorkflowRecord]:
        """The highest version of each name, newest first."""
        raise NotImplementedError
