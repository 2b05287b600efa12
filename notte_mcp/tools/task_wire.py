"""An agent as a task of the protocol's tasks extension: its status, times and result in the wire's spelling.

Everything is read from the agent's record and log, so that any server over the same
state folder tells the same of a task, after a restart too.

Below: questions, status, boundary, step_text. Above: tasks.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from notte_mcp.agent_records import AgentRecord
from notte_mcp.records import StepRecord
from notte_mcp.step_text import step_line
from notte_mcp.tools.boundary import facts
from notte_mcp.tools.questions import Question, open_question
from notte_mcp.tools.status import told_of

if TYPE_CHECKING:
    from notte_mcp.app import App

POLL_MS: Final = 2_000
"""How often a client is advised to ask: a step takes about as long."""

MAX_MESSAGE_CHARS: Final = 500

Status = Literal["working", "input_required", "completed", "cancelled"]


def handle(record: AgentRecord, *, keep_s: float) -> dict[str, Any]:
    """What a call that began a task answers. It says `working` whatever the agent has come to meanwhile: an end
    is told by `tasks/get`, which alone may carry its result."""
    return {"resultType": "task", **_task(record, "working", "", record.updated_at, keep_s=keep_s)}


async def detailed(app: "App", record: AgentRecord, *, keep_s: float, with_forms: bool) -> dict[str, Any]:
    """What `tasks/get` answers. Without `with_forms` (the client shows none) a question is told in words only.

    Raises: UnknownSession: its records are swept.
    """
    status, question = await _status(app, record)
    # The record of an agent that another server drives may be a few steps behind its steps.
    steps = await app.agents.steps(record.id, after=max(0, record.step_count - 1))
    message = _message(record, question, steps[-1] if steps else None)
    changed = max(record.updated_at, *(step.ended_at or step.started_at for step in steps), record.created_at)
    task = {"resultType": "complete", **_task(record, status, message, changed, keep_s=keep_s)}
    if status == "completed":
        result = facts(await told_of(app, record))
        result.is_error = not record.success
        task["result"] = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    if status == "input_required":
        task["inputRequests"] = {question.key: question.request()} if question and with_forms else {}
    return task


async def _status(app: "App", record: AgentRecord) -> tuple[Status, Question | None]:
    """The task's status, and what it asks.

    An `interrupted` agent is no working task: nobody drives it. Nor is it a failed one: that would be for ever, and
    for faults of the protocol, while the agent can be resumed. What it waits for is a person's word, so it asks.
    An agent that its user stopped is `cancelled`, whichever call did it; any other end is `completed`, with `isError`
    in its result unless it succeeded.
    """
    match record.state:
        case "running" | "paused" | "stopping":
            return "working", None
        case "needs_input" | "interrupted":
            question = await open_question(app, record)
            return ("working" if question is None else "input_required"), question
        case "stopped" if record.reason == "user":
            return "cancelled", None
        case "completed" | "failed" | "stopped":
            return "completed", None


def _task(record: AgentRecord, status: Status, message: str, changed: float, *, keep_s: float) -> dict[str, Any]:
    values = {
        "taskId": record.id,
        "status": status,
        "statusMessage": message,
        "createdAt": _time(record.created_at),
        "lastUpdatedAt": _time(changed),
        # Counted from its creation, while records are kept as long from their last change: it grows with the agent.
        "ttlMs": round((record.updated_at - record.created_at + keep_s) * 1_000),
        "pollIntervalMs": POLL_MS,
    }
    return {key: value for key, value in values.items() if value != ""}


def _message(record: AgentRecord, question: Question | None, last: StepRecord | None) -> str:
    """The state in words, for a person who watches and for a model that is told nothing else."""
    in_flight = last is not None and last.state == "intended"
    count = record.step_count if last is None or last.agent_step is None else last.agent_step - in_flight
    steps = f"{count} step{'' if count == 1 else 's'}"
    at = f", {'now' if in_flight else 'the last one'}: {step_line(last)}" if last is not None else ""
    match record.state:
        case "paused":
            said = f'paused after {steps}{at}; notte_steer(agent_id="{record.id}", command="resume") goes on'
        case "needs_input" if question is not None:
            said = f'asks (notte_steer(agent_id="{record.id}", command="answer", text=...) answers): {question.text}'
        case "interrupted":
            said = (
                f'interrupted ({record.reason}) after {steps}; notte_start(session_id="{record.session_id}"), then '
                f'notte_steer(agent_id="{record.id}", command="resume") goes on'
            )
        case "running" | "stopping" | "needs_input":
            said = f"{record.state}, {steps}{at}"
        case "completed" | "failed" | "stopped":
            why = f" ({record.reason})" if record.reason else ""
            said = f"{record.state}{why} after {steps}: {record.answer or ''}".rstrip(": ")
    return said if len(said) <= MAX_MESSAGE_CHARS else f"{said[: MAX_MESSAGE_CHARS - 1]}\u2026"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
