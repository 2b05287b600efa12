"""Which steps of a workflow an agent did, and by which task: the parts that Notte's AgentFallback takes.

Below: workflow. Above: notte.
"""

from collections.abc import Iterator, Sequence

from notte_mcp.actions import Scrape
from notte_mcp.workflows.workflow import Workflow, WorkflowStep


def by_agents(workflow: Workflow) -> bool:
    """Whether an agent whose task is known did a part of it."""
    return any(task is not None for task, _ in parts_of(workflow, workflow.steps))


def parts_of(workflow: Workflow, steps: Sequence[WorkflowStep]) -> Iterator[tuple[str | None, list[WorkflowStep]]]:
    """The steps in order, in runs of one agent's task (or None). A scrape is nobody's: no fallback takes one."""
    tasks = dict(workflow.tasks)
    owner: str | None = None
    group: list[WorkflowStep] = []
    for step in steps:
        # A comment stays with what stands before it.
        mine = owner if step.action is None else None if isinstance(step.action, Scrape) else step.agent_id
        mine = mine if mine in tasks else None
        if group and mine != owner:
            yield tasks.get(owner or ""), group
            group = []
        owner = mine
        group.append(step)
    if group:
        yield tasks.get(owner or ""), group
