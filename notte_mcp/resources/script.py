"""What scripts are written of: a session's or an agent's steps, a run, or a workflow that is kept by name.

The one place where the surface asks for workflows and their code.

Below: registry, agents, runs, workflows. Above: resources.reader, resources.kept, tools.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from notte_mcp.errors import InvalidArgument, UnknownWorkflow
from notte_mcp.ids import AGENT_PREFIX, RUN_PREFIX, SESSION_PREFIX, is_agent_id, is_run_id, is_session_id
from notte_mcp.resources.content import JSON, Content
from notte_mcp.workflow_records import WorkflowRecord

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.records import StepRecord
    from notte_mcp.workflows import Code, Workflow

Target = Literal["notte", "playwright", "pytest", "json"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)

MAX_STEPS: Final = 10_000
"""Steps that a script is written from; a session that lives for hours stays below."""


@dataclass(frozen=True, slots=True)
class Made:
    """A workflow, and what it was made from. `saved` is the kept version that it is, where it is one.

    `verified_at` is when it was last seen to work (Unix seconds).
    """

    workflow: "Workflow"
    source: str
    saved: WorkflowRecord | None = None
    verified_at: float | None = None

    @property
    def label(self) -> str:
        """What it is called: a name with its version, or the id that it was made from."""
        return versioned(self.saved) if self.saved is not None else self.source


def versioned(record: WorkflowRecord) -> str:
    """`orders@2`."""
    return f"{record.name}@{record.version}"


def names_agent(text: str) -> bool:
    """Whether an id is meant for an agent, be there one or not."""
    return text.startswith(AGENT_PREFIX)


def names_run(text: str) -> bool:
    """Whether an id is meant for a run, be there one or not."""
    return text.startswith(RUN_PREFIX)


def names_steps(text: str) -> bool:
    """Whether an id is of what has recorded steps: a session or an agent."""
    return is_session_id(text) or is_agent_id(text)


async def made_of(app: "App", of: str, *, keep_failed: bool = False) -> Made:
    """The workflow of what was done in a session, or by an agent in the session of its last attempt; of a run (the
    mended one, where it proposes one); or a saved one by its name (`orders`, `orders@2`).

    An attempt begins in a fresh session, so that the last one's steps are a whole way to the answer; what the
    caller did there while it was paused is among them. `keep_failed` is for what is made of steps.

    Raises:
        UnknownSession, UnknownAgent, UnknownRun, UnknownWorkflow; InvalidArgument: there is nothing to write.
    """
    saved = None if is_session_id(of) or is_agent_id(of) or is_run_id(of) else await _saved(app, of)
    if saved is None and of.startswith((SESSION_PREFIX, AGENT_PREFIX)):
        return await _of_steps(app, of, keep_failed=keep_failed)
    if keep_failed:
        raise InvalidArgument(
            f"keep_failed is for what is made of recorded steps; {of} is a workflow already.",
            next_call="the same call without it",
        )
    return saved if saved is not None else await _of_run(app, of)


def kept(record: WorkflowRecord) -> Made:
    """A saved workflow. Raises: InvalidArgument: it was saved by a newer version."""
    from notte_mcp.workflows import load  # late: no other call needs workflows

    verified_at = record.verified_at if record.verified else None
    return Made(load(record.content), record.source, record, verified_at)


def code_of(made: Made, target: Target, *, style: Any = None, sdk: str | None = None) -> "Code":
    """The script of a workflow, whose header says what it was made from and when it was last seen to work.

    Raises:
        InvalidArgument: the target has no such style, or there is no such SDK.
    """
    from notte_mcp.workflows import Provenance, write

    whence = made.label if made.saved is None else f"{made.label}, made from {made.source}"
    return write(made.workflow, target=target, style=style, sdk=sdk, provenance=Provenance(whence, made.verified_at))


async def script(app: "App", of: str, target: Target) -> "Code":
    """The script of what `of` names, in the target's usual form. Raises: what `made_of` does."""
    return code_of(await made_of(app, of), target)


async def code_content(app: "App", uri: str, of: str, target: Target) -> Content:
    """The script of a session's or an agent's steps, as what stands at its address. Raises: what `made_of` does."""
    code = await script(app, of, target)
    return Content(uri, f"workflow {target}", JSON if target == "json" else "text/x-python", code.code)


async def _saved(app: "App", name: str) -> Made | None:
    """The saved one of this name; None where it reads as an id, and whoever has the ids is to say what is wrong."""
    try:
        return kept(await app.runs.workflow(name))
    except UnknownWorkflow:
        if not name.startswith((SESSION_PREFIX, AGENT_PREFIX, RUN_PREFIX)):
            raise
        return None


async def _of_run(app: "App", run_id: str) -> Made:
    from notte_mcp.workflows import load

    run = await app.runs.record(run_id)
    if run.proposal is not None:
        return Made(load(run.proposal), run_id)
    return Made(load(run.content), run.source, verified_at=run.ended_at if run.verified else None)


async def _of_steps(app: "App", of: str, *, keep_failed: bool) -> Made:
    from notte_mcp.workflows import generalise

    agent = await app.agents.record(of) if names_agent(of) else None
    record = await app.registry.record(of if agent is None else agent.session_id)
    if agent is None:
        steps = await app.registry.steps(record.id, limit=MAX_STEPS)
    else:
        steps = [s for s in await app.agents.steps(of, limit=MAX_STEPS) if s.session_id == record.id]
    tasks = await _tasks(app, steps)
    # After an agent's last step the session may have gone on: what was seen then is not the end of these.
    last = bool(steps) and steps[-1].number == record.step_count
    seen, url = (record.seen, record.url) if last else ((), "")
    return Made(generalise(steps, record.spec, keep_failed=keep_failed, seen=seen, url=url, tasks=tasks), of)


async def _tasks(app: "App", steps: "Sequence[StepRecord]") -> dict[str, str]:
    """What the agents that did some of the steps were asked, by their ids."""
    at_work = dict.fromkeys(step.agent_id for step in steps if step.agent_id is not None)
    return {agent_id: (await app.agents.record(agent_id)).spec.task for agent_id in at_work}
