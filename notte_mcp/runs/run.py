"""What one run does, from its first step to its verdict.

Steps, then the end state, then (verifying) the script. The first thing that is not as recorded ends it, unless an
agent mends it.

Below: steps, compare, healing, scripts, live. Above: runs.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Final

import anyio

from notte_mcp.registry import Clock, Registry
from notte_mcp.runs.compare import end_state
from notte_mcp.runs.cut import under_way
from notte_mcp.runs.healing import Healer, Mended, with_mended
from notte_mcp.runs.live import End, LiveRun
from notte_mcp.runs.scripts import DEADLINE_S, Errand, Place, Script, run_script, unrunnable
from notte_mcp.runs.steps import Outcome, Steps
from notte_mcp.runs.values import Values
from notte_mcp.runs.words import described, types_secret
from notte_mcp.workflow_records import RunKind, RunStep, ScriptRun, VerifyMode
from notte_mcp.workflows import Workflow, WorkflowStep, dump
from notte_mcp.workflows.acting import from_now

MAX_RESULT_CHARS: Final = 256_000
"""Of what the last reading step gave, as JSON."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run, with every value it needs. `healer` is None where a failed step ends it."""

    workflow: Workflow
    kind: RunKind
    mode: VerifyMode
    values: Values
    script: Script | None
    session_id: str
    profile: str | None = None
    healer: Healer | None = None


@dataclass(slots=True)
class Work:
    """See the module."""

    run: LiveRun
    plan: Plan
    registry: Registry
    place: Place
    clock: Clock
    mended: dict[int, Mended] = field(default_factory=dict[int, Mended])
    otherwise: dict[int, WorkflowStep] = field(default_factory=dict[int, WorkflowStep])
    """Steps that went by a later way, with that way first."""

    async def all(self) -> End:
        """Do it; gives how it ended."""
        began = self.clock.now()
        left = [place for place, step in enumerate(self.plan.workflow.steps) if step.action is not None]
        steps = Steps(self.registry, self.plan.session_id, self.plan.values)
        while left:
            if self.run.asked is not None:
                return self.run.asked
            step = self.plan.workflow.steps[left[0]]
            if self._would_repeat(step):
                return self._stopped_before(step, left)
            if (failed := await self._done(steps, left)) is not None:
                return self._failed(failed, left)
            await self.run.keep()
        return await self._at_the_end(self.clock.now() - began)

    def _would_repeat(self, step: WorkflowStep) -> bool:
        return self.plan.kind == "verify" and self.plan.mode == "safe" and bool(step.effect)

    async def _done(self, steps: Steps, left: list[int]) -> WorkflowStep | None:
        """Do the first of the places `left`, and those after it that go with it; what is over is taken out of them. Gives
        the step that failed."""

        def over(outcome: Outcome) -> None:
            place = left.pop(0)
            step = self.plan.workflow.steps[place]
            if outcome.healed_by and (now := from_now(step, outcome.healed_by)) is not None:
                self.otherwise[place] = now
                self._propose()
            if outcome.data is not None:
                self.run.update(result=bounded(outcome.data))
            self.run.over(_told(step, outcome))

        try:
            outcome = await steps.do([self.plan.workflow.steps[place] for place in left], over)
        except anyio.get_cancelled_exc_class():
            self._cut(left)
            raise
        if outcome is None:
            return None
        step = self.plan.workflow.steps[left[0]]
        if not outcome.is_final and self.plan.healer is not None:
            outcome = await self._mended(self.plan.healer, steps, left[0], outcome)
        over(outcome)
        return step if outcome.state == "failed" else None

    async def _mended(self, healer: Healer, steps: Steps, place: int, failed: Outcome) -> Outcome:
        step = self.plan.workflow.steps[place]
        if types_secret(step):
            return Outcome("failed", f"{failed.message}; it was given to no agent, since it types a secret")
        fix = await healer.mend(place, failed.message)
        if isinstance(fix, str):
            return Outcome("failed", f"{failed.message}; {fix}")
        if difference := await steps.arrived_at(step):
            return Outcome("failed", f"{failed.message}; agent {fix.agent.id} took it over, and {difference}")
        self.mended[place] = fix
        self._propose()
        said = f"{failed.message}; the agent says: {fix.agent.answer}" if fix.agent.answer else failed.message
        return Outcome("healed", said, healed_by=f"agent {fix.agent.id}", data=failed.data)

    def _propose(self) -> None:
        """The workflow as it went, for whoever wants to keep it."""
        steps = enumerate(self.plan.workflow.steps)
        went = replace(self.plan.workflow, steps=tuple(self.otherwise.get(place, step) for place, step in steps))
        self.run.update(proposal=dump(with_mended(went, self.mended)))

    # --- ends -----------------------------------------------------------------------

    def _stopped_before(self, step: WorkflowStep, left: list[int]) -> End:
        self._leave(left)
        if self.plan.script is not None:
            self.run.update(script=ScriptRun(None, "not run, since the steps were not all done"))
        return End(
            "completed", f"stopped before step {step.number}, {described(step)}: it {step.effect}, and would again"
        )

    def _failed(self, step: WorkflowStep, left: list[int]) -> End:
        self._leave(left)
        if self.plan.script is not None:
            self.run.update(script=ScriptRun(None, "not run, since the steps did not come to their end"))
        return self._differs(f"step {step.number}, {described(step)}, failed")

    def _differs(self, difference: str) -> End:
        verifies = self.plan.kind == "verify"
        self.run.update(difference=difference, verified=False if verifies else None)
        return End("failed", keeps_session=not verifies and self.registry.is_live(self.plan.session_id))

    async def close_session(self) -> None:
        """End the run's session, if it is live."""
        if self.registry.is_live(self.plan.session_id):
            await self.registry.stop(self.plan.session_id, mode="now", reason="run_over")

    def _cut(self, left: list[int]) -> None:
        """Put on record that the run ends in the middle of the first of these places."""
        if left:
            self.run.update(steps=(*self.run.record.steps, under_way(self.plan.workflow.steps[left[0]])))
            self._leave(left[1:])

    def _leave(self, left: list[int]) -> None:
        """Put the steps at these places on record as not run."""
        steps = [self.plan.workflow.steps[place] for place in left]
        not_run = [RunStep(step.number, described(step), "not_run") for step in steps]
        self.run.update(steps=(*self.run.record.steps, *not_run))

    async def _at_the_end(self, seconds: float) -> End:
        if self.run.asked is not None:
            return self.run.asked
        async with self.registry.use(self.plan.session_id) as live:
            difference = await end_state(live, self.plan.workflow)
        if difference:
            if self.plan.script is not None:
                self.run.update(script=ScriptRun(None, "not run, since the steps ended elsewhere"))
            return self._differs(difference)
        return End("completed") if self.plan.kind == "run" else await self._verdict(seconds)

    async def _verdict(self, seconds: float) -> End:
        """What the script itself shows; the steps passed."""
        script, verified = self.plan.script, True
        if self.mended:
            self.run.update(script=ScriptRun(None, "not run: a step of it needed an agent; see the proposal"))
            return self._differs("a step went another way, by an agent; the mended workflow is a proposal")
        if script is not None:
            ran = await self._script(script, seconds)
            self.run.update(script=ran)
            verified = True if script.target == "json" else ran.passed
            if verified is False:
                return self._differs(f"the script failed: {ran.message}{self._used_up()}")
        self.run.update(verified=verified)
        return End("completed", "" if verified else "the steps passed; the script was not run")

    def _used_up(self) -> str:
        """What may be why the script fails where the steps did not: what they did before it cannot be done again."""
        step = next((step for step in self.plan.workflow.steps if step.effect), None)
        if step is None:
            return ""
        return (
            f"; the steps had done their effects before the script ran (step {step.number} {step.effect}), so it may be "
            "only that what the script needs was used up by them"
        )

    async def _script(self, script: Script, seconds: float) -> ScriptRun:
        if why := unrunnable(script):
            return ScriptRun(None, why)
        await self.close_session()
        login = await self.registry.login(self.plan.profile) if self.plan.profile is not None else None
        errand = Errand(script, self.plan.values, login, deadline_s=max(DEADLINE_S, 3 * seconds))
        return await run_script(errand, self.place, redact=self.run.redact)


def bounded(data: Any) -> Any:
    """`data`, or the beginning of its JSON where it is too large to keep."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)
    return data if len(text) <= MAX_RESULT_CHARS else text[:MAX_RESULT_CHARS] + "…"


def _told(step: WorkflowStep, outcome: Outcome) -> RunStep:
    return RunStep(step.number, described(step), outcome.state, outcome.message, outcome.healed_by)
