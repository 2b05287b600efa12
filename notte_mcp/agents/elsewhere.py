"""What is told and heard of an agent that another machine runs: its task, its steps, its end, between their words and ours.

Pure. Below: answers, moves, engines.remote, registry (noting). Above: hosting, driving.
"""

from typing import Any, Final

from notte_mcp.agent_records import UNCOUNTED, AgentSpec
from notte_mcp.agents import answers
from notte_mcp.agents.moves import Finish
from notte_mcp.engines.remote import HostedStatus, HostedStep, HostedTask, RemoteSession
from notte_mcp.receipts import Receipt
from notte_mcp.registry.noting import Deed

_FAILED_IN_A_ROW: Final = 3
_LEADS: Final = frozenset({"goto", "goto_new_tab"})
_UNTOLD: Final = "the cloud does not tell how it went"


def task_of(spec: AgentSpec) -> HostedTask:
    """What the cloud is asked to do. What a fallback is told besides is a part of its task there."""
    return HostedTask(
        task=f"{spec.task}\n\n{spec.guidance}" if spec.guidance else spec.task,
        url=spec.url,
        max_steps=spec.max_steps,
        use_vision=spec.use_vision,
        model=spec.model,
        response_schema=spec.response_schema,
    )


def deed_of(step: HostedStep, now: float) -> Deed:
    """A step as it is put on record; one without times was done `now` (Unix seconds)."""
    kind = str(step.action.get("type") or "unknown")
    ended = step.ended_at or now
    leads = kind in _LEADS and step.success is True
    code = {True: "", False: "action_failed", None: "outcome_unknown"}[step.success]
    receipt = Receipt(
        kind,
        success=step.success is True,
        message=step.message or ("" if step.success else _UNTOLD),
        code=code,
        target=step.target,
        url_before="" if leads else step.url,
        url_after=step.url if leads else "",
        navigated=leads,
        acted_at=ended,
    )
    return Deed(step.action, receipt, step.success, step.started_at or ended, ended, step.url)


def finish_of(status: HostedStatus, spec: AgentSpec) -> Finish:
    """How it ended, where nobody here ended it: the cloud says yes or no, and its last steps say why."""
    answer = status.answer or ""
    if status.success:
        return _completed(answer, spec.response_schema)
    tail = status.steps[-_FAILED_IN_A_ROW:]
    if tail and _type(tail[-1]) == "help":
        return Finish("failed", "needs_help", answer)
    if not has_said_all(status) and sum(_type(step) not in UNCOUNTED for step in status.steps) >= spec.max_steps:
        return Finish("stopped", "max_steps", answer or f"Stopped: max_steps ({spec.max_steps}) is reached.")
    if len(tail) == _FAILED_IN_A_ROW and not any(step.success for step in tail):
        return Finish("failed", "three_failures", answer)
    if status.success is None:
        return Finish("stopped", "cloud", answer or "It was stopped in the cloud, and not from here.")
    return Finish("failed", "gave_up", answer)


def has_said_all(status: HostedStatus) -> bool:
    """Whether its last step was its last word: a completion, or a call for help."""
    return bool(status.steps) and _type(status.steps[-1]) in UNCOUNTED


def _type(step: HostedStep) -> str:
    return str(step.action.get("type"))


def gone_there(session: RemoteSession) -> Finish:
    """The end of an agent whose session has ended in the cloud."""
    why = f"Its session has ended in the cloud ({session.close_reason or session.state})."
    return Finish("stopped", "session_stopped", why)


def _completed(answer: str, schema: dict[str, Any] | None) -> Finish:
    if schema is None:
        return Finish("completed", "", answer, success=True)
    if wrong := answers.check(answer, schema):
        return Finish("failed", "answer_refused", f"{wrong}. Its answer: {answer}")
    return Finish("completed", "", answer, success=True, result=answers.parse(answer))
