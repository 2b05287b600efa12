"""What became of the steps of a run that was cut off, as far as that can be told.

A run is written every so often, its session's steps each before it is done: after a crash the session knows more.

Below: words, workflows, workflow_records. Above: run, runs.
"""

from collections.abc import Sequence
from typing import Final

from notte_mcp.records import StepRecord
from notte_mcp.runs.words import described
from notte_mcp.workflow_records import RunRecord, RunStep
from notte_mcp.workflows import WorkflowStep, load

UNKNOWN: Final = "it was under way when the run was cut off: whether it was done is not known"


def under_way(step: WorkflowStep) -> RunStep:
    """A step that was cut off in its middle."""
    return RunStep(step.number, described(step), "failed", UNKNOWN)


def by_the_log(record: RunRecord, log: Sequence[StepRecord]) -> RunRecord:
    """The record with what its session's steps (oldest first) tell beyond it."""
    steps = [step for step in load(record.content).steps if step.action is not None]
    over, cut = _followed(steps, [entry for entry in log if entry.actor == "workflow"])
    known = record.steps
    if len(known) > len(steps) or len(known) != record.step_count:
        return record  # somebody has said already what became of the rest
    added = [RunStep(step.number, described(step), "passed") for step in steps[len(known) : over]]
    added += [under_way(steps[over])] if cut and over >= len(known) else []
    return record.but(steps=(*known, *added), step_count=max(record.step_count, over))


def _followed(steps: Sequence[WorkflowStep], log: Sequence[StepRecord]) -> tuple[int, bool]:
    """How many steps the log shows to be done, and whether the one after them was under way. What it holds beyond
    them (looks for where a step led, attempts that did nothing) is passed over."""
    over = 0
    for entry in log:
        kind = steps[over].action if over < len(steps) else None
        if kind is None or entry.action.get("type") != kind.type:
            continue
        if entry.state == "outcome_unknown":
            return over, True
        over += entry.success
    return over, False
