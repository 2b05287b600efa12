"""An agent mends one step: it is given the step's purpose, and what it did in the step's place is a proposal.

The proposal is another workflow. It takes the place of nothing by itself.

Below: words, values, agents, workflows. Above: run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import anyio

from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.errors import InvalidArgument, NotteMCPError
from notte_mcp.runs.values import Values
from notte_mcp.runs.words import described, purpose
from notte_mcp.workflows import Parameter, Workflow, WorkflowStep, generalise
from notte_mcp.workflows.lifting import Value

MAX_STEPS: Final = 8
TIMEOUT_S: Final = 300.0
SLICE_S: Final = 40.0
STOP_S: Final = 1.0
SHOWN_STEPS: Final = 12

GUIDANCE: Final = """\
You take over one step of a recorded workflow, which is being done again in this browser: the page has changed, and the \
step does not work as it was recorded. Do what the step is for on the page as it is now, in as few steps as you can, \
and nothing beyond it: the steps after it are done by the workflow. If the page does not offer it, complete with \
success=false and say why.
What was done before: {before}
The step failed because: {failure}
What comes after it: {after}"""


@dataclass(frozen=True, slots=True)
class Mended:
    """What an agent did in a step's place. `steps` may be empty: it was done already."""

    agent: AgentRecord
    steps: tuple[WorkflowStep, ...]
    parameters: tuple[Parameter, ...]


class Healer:
    """Gives failed steps of one run to agents; `begun` is told each agent's id."""

    def __init__(
        self, agents: Supervisor, session_id: str, workflow: Workflow, values: Values, begun: Callable[[str], None]
    ) -> None:
        self._agents = agents
        self._session_id = session_id
        self._workflow = workflow
        self._values = values
        self._begun = begun
        self._known = list(workflow.parameters)

    async def mend(self, place: int, failure: str) -> Mended | str:
        """Let an agent do the step at `place`; why it did not, where that is so."""
        step = self._workflow.steps[place]
        spec = AgentSpec(
            task=purpose(step, self._values),
            driver="model",
            session=self._workflow.spec,
            max_steps=MAX_STEPS,
            timeout_seconds=TIMEOUT_S,
            guidance=self._guidance(place, failure),
            is_fallback=True,
        )
        try:
            agent = await self._agents.start(spec, session_id=self._session_id)
        except NotteMCPError as error:
            return f"no agent was started: {error.what}"
        self._begun(agent.id)
        agent = await self._ended(agent)
        if not agent.success:
            why = agent.question or agent.answer or agent.reason
            return f"agent {agent.id} did not mend it ({agent.state}): {why}"
        return await self._mended(agent, step)

    async def _ended(self, agent: AgentRecord) -> AgentRecord:
        """The agent once it has ended. One that asks somebody is not waited for: nobody is there to answer."""
        try:
            while agent.state in ("running", "stopping"):
                agent = await self._agents.wait(agent.id, seconds=SLICE_S, until="done")
        finally:
            if not agent.has_ended:
                with anyio.CancelScope(shield=True), anyio.move_on_after(STOP_S):
                    await self._agents.stop(agent.id, mode="now")
        return agent

    async def _mended(self, agent: AgentRecord, step: WorkflowStep) -> Mended:
        try:
            found = generalise(await self._agents.steps(agent.id), self._workflow.spec)
        except InvalidArgument:  # nothing was left to be done
            return Mended(agent, (), ())
        names = _names(found.parameters, self._known, self._values)
        # Step 0 is the way to where it began, and here it began there.
        steps = [
            replace(_renamed(one, names), number=step.number, agent_id=None)
            for one in found.steps
            if one.action is not None and one.number > 0
        ]
        if steps and step.leads_to is not None:
            steps[-1] = replace(steps[-1], leads_to=step.leads_to, anew=step.anew)
        added = tuple(one for one in names.values() if one not in self._known)
        self._known += added
        return Mended(agent, tuple(steps), added)

    def _guidance(self, place: int, failure: str) -> str:
        steps = [step for step in self._workflow.steps if step.action is not None]
        here = steps.index(self._workflow.steps[place])
        before = [described(step) for step in steps[max(0, here - SHOWN_STEPS) : here]]
        after = described(steps[here + 1]) if here + 1 < len(steps) else "nothing: this was the last step"
        return GUIDANCE.format(before="; ".join(before) or "nothing", failure=failure, after=after)


def with_mended(workflow: Workflow, mended: Mapping[int, Mended]) -> Workflow:
    """The workflow with the steps at these places replaced; its parameters stay, new ones come behind them."""
    steps: list[WorkflowStep] = []
    parameters = {parameter.name: parameter for parameter in workflow.parameters}
    for place, step in enumerate(workflow.steps):
        fix = mended.get(place)
        steps += (step,) if fix is None else fix.steps
        parameters |= {one.name: one for one in (fix.parameters if fix is not None else ())}
    return replace(workflow, steps=tuple(steps), parameters=tuple(parameters.values()))


def _names(found: Sequence[Parameter], known: Sequence[Parameter], values: Values) -> dict[str, Parameter]:
    """The workflow's parameter for each that the agent's steps have; a new one where it typed something else."""
    taken = {parameter.name for parameter in known}
    names: dict[str, Parameter] = {}
    for one in found:
        same = next((other for other in known if _same(one, other, values)), None)
        if same is None:
            number = 1
            name = one.name
            while name in taken:
                number += 1
                name = f"{one.name}_{number}"
            taken.add(name)
            same = replace(one, name=name)
        names[one.name] = same
    return names


def _same(one: Parameter, other: Parameter, values: Values) -> bool:
    if one.secret or other.secret:
        return one.secret and other.secret and one.env == other.env
    return one.default == values.texts.get(other.name)


def _renamed(step: WorkflowStep, names: Mapping[str, Parameter]) -> WorkflowStep:
    def renamed(value: Value) -> Value:
        if isinstance(value, Parameter):
            return names.get(value.name, value)
        if isinstance(value, tuple):
            return tuple(names.get(part.name, part) if isinstance(part, Parameter) else part for part in value)
        return value

    value = renamed(step.value) if step.value is not None else None
    called = renamed(step.called) if step.called is not None else None
    return replace(step, value=value, called=called, form=tuple((name, renamed(text)) for name, text in step.form))
