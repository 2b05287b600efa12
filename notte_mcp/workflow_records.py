"""What is stored of workflows and their runs: versions by name, and what running or verifying one came to.

A workflow's content is JSON here: what is in it is `workflows.workflow`'s matter, so that the store knows
no script. Times are Unix seconds (UTC).

Below: nothing but types. Above: store, runs, tools, resources.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

RunKind = Literal["run", "verify"]
RunState = Literal["running", "completed", "failed", "stopped", "interrupted"]
RunStepState = Literal["passed", "healed", "failed", "not_run"]
VerifyMode = Literal["safe", "run"]

ENDED_RUN_STATES: Final[frozenset[RunState]] = frozenset({"completed", "failed", "stopped", "interrupted"})
"""States that a run never leaves: a run is not resumed, it is run again."""


@dataclass(frozen=True, slots=True)
class WorkflowRecord:
    """One version of a saved workflow. Versions of a name count from 1; the highest is the one that runs.

    `source` is the session, agent or run that it was made from. `verified` is what its last verification
    showed (None: never verified, or not to its end), at `verified_at`.
    """

    name: str
    version: int
    content: dict[str, Any]
    source: str
    created_at: float
    verified: bool | None = None
    verified_at: float | None = None


@dataclass(frozen=True, slots=True)
class RunStep:
    """What became of one step of a workflow: `number` is the recorded step's, `what` says it in words
    (`click button "Send"`), `healed_by` is the selector that found the element in place of the recorded one."""

    number: int
    what: str
    state: RunStepState
    message: str = ""
    healed_by: str = ""


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """The rendered script, run as it is in a process of its own.

    `passed` is None where it was not run (`message` says why). `output` and `errors` are the ends of what it
    said, without secrets.
    """

    passed: bool | None
    message: str = ""
    exit_code: int | None = None
    seconds: float = 0.0
    output: str = ""
    errors: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run of a workflow (`run`), or its verification (`verify`).

    `workflow` and `version` name a saved one, `source` is what it was made from. `parameters` are what was
    given in place of the recorded defaults, secrets left out. `verified` is true only when the steps (and the
    script, where one was to be run) went to the end and ended where the recording did; null where something
    was not run. `difference` is the first thing that was not as recorded; of a step that failed it is which one, and
    the step's own message says why. `reason` is why it ended where neither does. `step_count` counts the steps that are
    over (`steps` may end with ones that were not run), `session_id` is the run's session for as long as that is
    open. `proposal` is the content of the workflow as it went where a step was healed: that step by what found its
    element, or as an agent did it; it runs for nobody until it is saved. `result` is what the last step that reads gave.
    """

    id: str
    owner: str
    kind: RunKind
    state: RunState
    source: str
    created_at: float
    updated_at: float
    ended_at: float | None = None
    reason: str = ""
    workflow: str | None = None
    version: int | None = None
    content: dict[str, Any] = field(default_factory=dict[str, Any])
    target: str | None = None
    mode: VerifyMode = "run"
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    session_id: str | None = None
    agent_id: str | None = None
    steps: tuple[RunStep, ...] = ()
    step_count: int = 0
    verified: bool | None = None
    difference: str = ""
    script: ScriptRun | None = None
    result: Any = None
    proposal: dict[str, Any] | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED_RUN_STATES

    @property
    def failed_step(self) -> RunStep | None:
        """The step that it stopped at."""
        return next((step for step in self.steps if step.state == "failed"), None)

    @property
    def why(self) -> str:
        """Why it ended, in one line."""
        step = self.failed_step
        difference = f"{self.difference}: {step.message}" if step is not None else self.difference
        return self.reason or difference

    @property
    def healed(self) -> tuple[RunStep, ...]:
        """The steps that went another way than recorded."""
        return tuple(step for step in self.steps if step.state == "healed")

    def but(self, **changes: Any) -> "RunRecord":
        """A copy with some fields replaced."""
        return replace(self, **changes)
