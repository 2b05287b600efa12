"""Runs as facts: the one form in which run_workflow, status and stop tell of them; and what a verification showed.

Below: workflow_records, step_text. Above: workflows, running, status, stop, prompts.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from mcp.types import CallToolResult

from notte_mcp.errors import UnknownSession
from notte_mcp.observations import cut_middle
from notte_mcp.step_text import numbers_text
from notte_mcp.tools.accounts import LAST_STEPS, MAX_STEPS, is_live
from notte_mcp.tools.boundary import facts
from notte_mcp.workflow_records import RunRecord, RunStep, RunStepState, ScriptRun

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_TOLD: Final = 8
"""Steps of one kind that a report names; the run's record has all."""

MAX_REASON_CHARS: Final = 160
"""Of why a run ended, where many are listed."""

MAX_OUTPUT_CHARS: Final = 800
"""Of what a script said; its end says most."""


async def told_of_run(
    app: "App", record: RunRecord, *, after: int | None = None, last: int = LAST_STEPS
) -> CallToolResult:
    """A run's facts, with its steps after the first `after` (None: the `last` ones)."""
    account = run_account(record, after=after, last=last, is_open=await is_open(app, record))
    return facts(account, verified=record.verified) if record.kind == "verify" else facts(account)


async def is_open(app: "App", record: RunRecord) -> bool:
    """Whether the page that it stopped at can still be looked at."""
    if record.session_id is None or not record.has_ended:
        return False
    try:
        return is_live(await app.registry.record(record.session_id))
    except UnknownSession:  # swept, while its run is kept
        return False


def run_account(
    record: RunRecord, *, is_open: bool, after: int | None = None, last: int = LAST_STEPS
) -> dict[str, Any]:
    """A run and its steps that are over. `last_step` counts those told so far: the next `after_step`."""
    over, left = [step for step in record.steps if step.state != "not_run"], _in_state(record, "not_run")
    begin = max(0, len(over) - last) if after is None else min(after, len(over))
    steps = over[begin : begin + MAX_STEPS]
    return {
        "id": record.id,
        "kind": "run",
        "state": record.state,
        "reason": record.reason or None,
        "verify": record.mode if record.kind == "verify" else None,
        "workflow": workflow_of(record),
        "session_id": record.session_id,
        "agent_id": record.agent_id,
        "steps": [_step(step) for step in steps],
        "last_step": begin + len(steps),
        "step_count": record.step_count,
        "not_run": _not_run(left) if left else None,
        "healed": [_step(step) for step in record.healed] or None,
        "verified": record.verified,
        "difference": record.difference or None,
        "script": None if record.script is None else _script(record.script),
        "result": record.result,
        "next": run_next(record, is_open=is_open, last_step=begin + len(steps)),
    }


def run_brief(record: RunRecord) -> dict[str, Any]:
    """A run on one line of a list."""
    values = {
        "run_id": record.id,
        "kind": record.kind,
        "workflow": workflow_of(record),
        "state": record.state,
        "reason": cut_middle(record.why, MAX_REASON_CHARS),
    }
    return {**{key: value for key, value in values.items() if value}, "step_count": record.step_count}


def workflow_of(record: RunRecord) -> str:
    """What was run: a saved workflow's name with its version, or the id that it was made from."""
    return f"{record.workflow}@{record.version}" if record.workflow is not None else record.source


def run_next(record: RunRecord, *, is_open: bool, last_step: int = 0) -> str:
    """The call that is most likely wanted next; `is_open` says whether its session still has a browser."""
    named, again = f'"{record.id}"', _again(record)
    match record.state:
        case "running":
            return f'notte_status(id={named}, wait_seconds=40, after_step={last_step}, until="done")'
        case "completed" | "failed" if record.proposal is not None and record.failed_step is None:
            keep = f', save_as="{record.workflow}"' if record.workflow is not None else ', save_as="..."'
            return f"notte_workflow_code(id={named}{keep}) keeps the mended workflow as a new version"
        case "completed" if record.kind == "run" or record.verified:
            return f"{again} runs it again, with other parameters too"
        case "failed":
            return _mend(record, is_open=is_open)
        case _:
            return f"{again} runs it from its start" if record.kind == "run" else f'{_code(record)}, verify="run")'


def report_of(record: RunRecord) -> dict[str, Any]:
    """What a verification showed, briefly: how many steps passed, which did not, the first difference, the script."""
    report: dict[str, Any] = {"passed": len(_in_state(record, "passed"))}
    for state, steps in _told_steps(record).items():
        report[state] = [_step(step) for step in steps[:MAX_TOLD]]
        if len(steps) > MAX_TOLD:
            report[f"more_{state}"] = len(steps) - MAX_TOLD
    if left := _in_state(record, "not_run"):
        report["not_run"] = _not_run(left)
    report |= {name: text for name, text in (("reason", record.reason), ("difference", record.difference)) if text}
    if record.script is not None:
        report["script"] = _script(record.script)
    return report


def report_lines(record: RunRecord) -> Iterator[str]:
    """The same as lean text."""
    counts = {state: len(_in_state(record, state)) for state in ("passed", "failed", "healed", "not_run")}
    said = [f"{count} {state.replace('_', ' ')}" for state, count in counts.items() if count]
    yield f"steps: {', '.join(said) or 'none'}"
    for state, steps in _told_steps(record).items():
        yield from (_line(step) for step in steps[:MAX_TOLD])
        if (more := len(steps) - MAX_TOLD) > 0:
            yield f"{more} more {state}"
    if left := _in_state(record, "not_run"):
        yield f"not run: {_not_run(left)}"
    if record.reason:
        yield record.reason
    if record.difference and record.failed_step is None:
        yield f"first difference: {record.difference}"
    if record.script is not None:
        yield _script_line(record.script)


def _in_state(record: RunRecord, state: RunStepState) -> list[RunStep]:
    return [step for step in record.steps if step.state == state]


def _told_steps(record: RunRecord) -> dict[str, list[RunStep]]:
    """The steps that a report names: what failed, what was healed, what passed and was not quite as recorded."""
    noted = [step for step in _in_state(record, "passed") if step.message]
    told = {"failed": _in_state(record, "failed"), "healed": _in_state(record, "healed"), "noted": noted}
    return {name: steps for name, steps in told.items() if steps}


def _step(step: RunStep) -> dict[str, Any]:
    more = {"message": step.message, "healed_by": step.healed_by}
    told = {"number": step.number, "action": step.what, "state": step.state}
    return told | {name: text for name, text in more.items() if text}


def _script(script: ScriptRun) -> dict[str, Any]:
    told: dict[str, Any] = {"passed": script.passed}
    if script.message:
        told["message"] = script.message
    if script.exit_code is not None:
        told |= {"exit_code": script.exit_code, "seconds": round(script.seconds, 1)}
    if not script.passed:
        told |= {name: _tail(text) for name, text in (("output", script.output), ("errors", script.errors)) if text}
    return told


def _tail(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MAX_OUTPUT_CHARS else "…" + text[1 - MAX_OUTPUT_CHARS :]


def _line(step: RunStep) -> str:
    how = f", found by {step.healed_by}" if step.healed_by else ""
    return f"{step.state} {step.number} {step.what}{how}{f': {step.message}' if step.message else ''}"


def _not_run(steps: Sequence[RunStep]) -> str:
    """`5 to 14, from click button "Send"`."""
    first = f"from {steps[0].what}" if len(steps) > 1 else steps[0].what
    return f"{numbers_text([step.number for step in steps])}, {first}"


def _script_line(script: ScriptRun) -> str:
    if script.passed is None:
        return f"script: {script.message or 'not run'}"
    how = "passed" if script.passed else "failed"
    code = "" if script.exit_code is None else f", exit code {script.exit_code}"
    said = "" if script.passed else _tail(script.errors or script.output)
    why = f": {script.message}" if script.message and not script.passed else ""
    return f"script: {how} in {script.seconds:.1f} s{code}{why}" + (f"\n{said}" if said else "")


def _mend(record: RunRecord, *, is_open: bool) -> str:
    """What to do about a run that failed."""
    look = f'notte_observe(session_id="{record.session_id}") shows the page it stopped at; ' if is_open else ""
    if record.kind == "verify" and _steps_came_first(record):
        return (
            f'{look}notte_read(uri="notte://runs/{record.id}") tells what the script said; if what it needs was used up '
            'by the steps, put it back and export again with verify="run", or take that the steps passed'
        )
    if record.kind == "verify":
        return (
            f'{look}notte_read(uri="notte://runs/{record.id}") tells all of it; do that step another way, export again'
        )
    return f"{look}{_again(record, ', heal=true')} gives the step to an agent"


def _steps_came_first(record: RunRecord) -> bool:
    """Whether the script failed after the steps had done what they do to something outside."""
    failed = record.script is not None and record.script.passed is False
    return failed and any(step.get("effect") for step in record.content.get("steps", ()))


def _again(record: RunRecord, more: str = "") -> str:
    what = f'name="{record.workflow}"' if record.workflow is not None else f'id="{record.source}"'
    given = ", parameters={...}" if record.content.get("parameters") else ""
    return f"notte_run_workflow({what}{given}{more})"


def _code(record: RunRecord) -> str:
    target = f', target="{record.target}"' if record.target is not None else ""
    return f'notte_workflow_code(id="{workflow_of(record)}"{target}'
