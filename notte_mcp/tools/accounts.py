"""Sessions and agents as facts: the one form in which start, status and stop tell of them, and what to call next.

Below: records, agent_records, step_text, trail. Above: the tools that answer with facts.
"""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import takewhile
from typing import Any, Final

from notte_mcp.agent_records import PERSON_LEFT, AgentRecord
from notte_mcp.observations import clean_line
from notte_mcp.page_text import url_text
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.registry.taking import TAKEN
from notte_mcp.step_text import step_line
from notte_mcp.tools.trail import trail

MAX_STEPS: Final = 50
"""Steps in one answer; `after_step` goes on."""

LAST_STEPS: Final = 10
"""Steps that are told where no `after_step` is given."""


def account(
    record: SessionRecord, steps: Sequence[StepRecord], *, after: int, agent: AgentRecord | None = None
) -> dict[str, Any]:
    """A session, the `agent` that has it, and its steps. `last_step` is the last one whose outcome is told (the next
    `after_step`), `step_count` counts all."""
    settled, steps = _told(steps)
    return {
        "id": record.id,
        "kind": "session",
        "state": record.state,
        "reason": record.reason or None,
        "session_id": record.id,
        "cloud_session_id": record.remote_id or None,
        "agent_id": agent.id if agent is not None else None,
        "url": url_text(record.url),
        "title": record.title,
        "steps": [_step(step, step.number) for step in steps],
        "last_step": steps[settled - 1].number if settled else min(after, record.step_count),
        "step_count": record.step_count,
        **({} if is_live(record) else trail(record)),
        "next": next_call(record) if agent is None else agent_next(agent, last_step=agent.step_count),
    }


def agent_account(
    record: AgentRecord, session: SessionRecord, steps: Sequence[StepRecord], *, after: int
) -> dict[str, Any]:
    """An agent, where its session stands, and its steps by its own numbers."""
    settled, steps = _told(steps)
    numbers = [step.agent_step or 0 for step in steps]
    last_step = numbers[settled - 1] if settled else min(after, record.step_count)
    return {
        "id": record.id,
        "kind": "agent",
        "state": record.state,
        "reason": record.reason or None,
        "session_id": record.session_id,
        "agent_id": record.id,
        "driver": record.spec.driver,
        "url": url_text(session.url),
        "title": session.title,
        "attempt": record.attempt if record.attempt > 1 else None,
        "steps": [_step(step, number) for step, number in zip(steps, numbers, strict=True)],
        "last_step": last_step,
        "step_count": record.step_count,
        "question": record.question,
        "answer": record.answer,
        "result": record.result,
        "success": record.success,
        "usage": _usage(record),
        **({} if record.is_live else trail(record)),
        "next": agent_next(record, last_step=last_step, is_open=is_live(session)),
    }


def unarrived_note(names: Sequence[str]) -> str:
    """What is said of downloads that were under way when the session's browser went, or ""."""
    if not names:
        return ""
    more = f" and {len(names) - MAX_STEPS} more" if len(names) > MAX_STEPS else ""
    listed = ", ".join(clean_line(name, 150) for name in names[:MAX_STEPS])
    return (
        f"under way when the browser ended, and did not arrive: {listed}{more}; what a step said of it holds no more."
    )


def brief(record: SessionRecord) -> dict[str, Any]:
    """A session on one line of a list."""
    values = {
        "session_id": record.id,
        "state": record.state,
        "reason": record.reason,
        "url": url_text(record.url),
        "title": record.title,
    }
    return {**{key: value for key, value in values.items() if value}, "step_count": record.step_count}


def agent_brief(record: AgentRecord) -> dict[str, Any]:
    """An agent on one line of a list."""
    values = {
        "agent_id": record.id,
        "session_id": record.session_id,
        "driver": record.spec.driver,
        "state": record.state,
        "reason": record.reason,
        "task": url_text(record.spec.task),
    }
    return {**{key: value for key, value in values.items() if value}, "step_count": record.step_count}


def next_call(record: SessionRecord) -> str:
    """The call that is most likely wanted next."""
    match record.state:
        case "ready" | "busy" if record.reason == TAKEN:
            named = f'"{record.id}"'
            return (
                "a person has taken over (live view); you may observe, and act once it is given back: "
                f'notte_status(id={named}, wait_seconds=45, until="done") comes back then'
            )
        case "ready":
            return "notte_observe, or notte_execute with ids from an observation"
        case "starting" | "busy" | "stopping":
            return "notte_status with wait_seconds"
        case "interrupted" | "failed" if record.remote_id:
            return f'notte_start(session_id="{record.id}") to go on in the same cloud session'
        case "interrupted" | "failed":
            return f'notte_start(session_id="{record.id}") for a new browser with its saved state at its last url'
        case "stopped":
            return f'notte_workflow_code(id="{record.id}") for its script'


def agent_next(record: AgentRecord, *, last_step: int, is_open: bool = True) -> str:
    """The call that is most likely wanted next; `is_open` says whether its session still has a browser."""
    named = f'"{record.id}"'
    match record.state:
        case "running" if record.spec.driver == "assistant":
            return (
                "you drive it: notte_execute with ids from the observation; at the end "
                '{"type": "completion", "success": true, "answer": ...}'
                + (", the answer as JSON that fits response_schema" if record.spec.response_schema else "")
            )
        case "running" | "stopping":
            return f"notte_status(id={named}, wait_seconds=30, after_step={last_step})"
        case "paused":
            resume = f'then notte_steer(agent_id={named}, command="resume")'
            gone = "a person took over in the live view and went away, so it is paused still: "
            look = f'{gone}notte_observe(session_id="{record.session_id}") what the page is now, {resume}'
            return look if record.reason == PERSON_LEFT else f"notte_execute on its session, {resume}"
        case "needs_input":
            return f'notte_steer(agent_id={named}, command="answer", text=...)'
        case "interrupted":
            return (
                f'notte_start(session_id="{record.session_id}"), then '
                f'notte_steer(agent_id={named}, command="resume") goes on'
            )
        case "completed" | "failed" | "stopped":
            return _after_end(record, is_open=is_open)


def _after_end(record: AgentRecord, *, is_open: bool) -> str:
    """What to call once it has ended: where its end was not what was wanted, first what goes on from there."""
    script = f'notte_workflow_code(id="{record.id}") for its script'
    if not is_open:
        return script
    if record.state == "completed" or record.reason == "user":
        return f"{script}; its session is open until notte_stop"
    of = f'session_id="{record.session_id}"'
    return (
        f"notte_observe({of}) to go on yourself from where it stopped, or notte_start(task=..., {of}) for another agent "
        f"there; {script}"
    )


def is_live(record: SessionRecord) -> bool:
    """Whether the session may have a browser."""
    return record.state in LIVE_STATES


def _told(steps: Sequence[StepRecord]) -> tuple[int, Sequence[StepRecord]]:
    """How many steps have their outcome before one has not (what is asked for after them brings the rest), and
    those with the one in flight: what a batch has still to begin is told when it is done."""
    settled = sum(1 for _ in takewhile(lambda step: step.state != "intended", steps))
    return settled, steps[: settled + 1]


def _usage(record: AgentRecord) -> dict[str, Any]:
    """What it used; an agent that called no model has used time alone."""
    used = {key: value for key, value in asdict(record.usage).items() if value is not None}
    used["seconds"] = round(record.usage.seconds, 1)
    return used if record.usage.model_calls else {"seconds": used["seconds"]}


def _step(step: StepRecord, number: int) -> dict[str, Any]:
    told: dict[str, Any] = {"number": number, "actor": step.actor, "action": step_line(step)}
    if step.state not in ("intended", "outcome_unknown"):
        told["success"] = step.success
    if step.message and not step.success:
        told["message"] = step.message
    return told
