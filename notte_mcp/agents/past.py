"""An agent's history as its loop wants it, read back from the store: for going on after a restart.

Below: store.base, batches, moves. Above: supervisor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from notte_mcp.agent_records import UNCOUNTED, AgentEvent, AgentRecord
from notte_mcp.agents.moves import Outcome, Remark
from notte_mcp.agents.others import told_of
from notte_mcp.batches import parse_action
from notte_mcp.errors import InvalidAction
from notte_mcp.receipts import Receipt
from notte_mcp.records import StepRecord
from notte_mcp.step_text import step_line
from notte_mcp.store.base import Store

TOLD: Final = {"message": "message from the person: ", "answer": "the person's answer: "}
"""What the model reads before a person's words."""

_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Past:
    """What an agent is to go on with.

    `lines` are of its current attempt, `heard` is all that a person said, `acted` how many of the attempt's steps
    count and `own` how many are the agent's own at all; `has_begun` says whether the attempt took any step. Numbers go on after `step_count` and `sequence`.
    """

    lines: tuple[Outcome | Remark, ...]
    heard: tuple[str, ...]
    step_count: int
    sequence: int
    acted: int
    own: int
    has_begun: bool


async def past_of(record: AgentRecord, store: Store) -> Past:
    """The steps of the agent's current attempt, and what it was told between them, in order."""
    steps = await _steps(record.id, store)
    events = await _events(record.id, store)
    now = [step for step in steps if step.session_id == record.session_id]
    told = [event for event in events if event.event in TOLD]
    lines: list[tuple[int, int, Outcome | Remark]] = [(s.agent_step or 0, 0, _outcome(s)) for s in now]
    lines += [(e.after_step, e.sequence, Remark(_said(e))) for e in told]
    return Past(
        lines=tuple(line for _, _, line in sorted(lines, key=lambda line: line[:2])),
        heard=tuple(_said(event) for event in told),
        step_count=max(record.step_count, *(step.agent_step or 0 for step in steps), 0),
        sequence=max((event.sequence for event in events), default=0),
        acted=sum(1 for step in now if _is_own(step, record) and step.action.get("type") not in UNCOUNTED),
        own=sum(1 for step in now if _is_own(step, record)),
        has_begun=bool(now),
    )


async def _steps(agent_id: str, store: Store) -> Sequence[StepRecord]:
    found: list[StepRecord] = []
    while more := await store.agent_steps(agent_id, after=(found[-1].agent_step or 0) if found else 0, limit=_AT_ONCE):
        found += more
    return found


async def _events(agent_id: str, store: Store) -> Sequence[AgentEvent]:
    found: list[AgentEvent] = []
    while more := await store.events(agent_id, after=found[-1].sequence if found else 0, limit=_AT_ONCE):
        found += more
    return found


def _said(event: AgentEvent) -> str:
    return TOLD[event.event] + event.text


def _is_own(step: StepRecord, record: AgentRecord) -> bool:
    return record.spec.driver == "assistant" or step.actor in ("model", "fallback")


def _outcome(step: StepRecord) -> Outcome | Remark:
    """A step as the loop knows it; as a remark where the caller did it, or where its action cannot be read again
    (another version wrote it)."""
    if step.actor not in ("model", "fallback"):
        return Remark(told_of(step))
    receipt = step.receipt or Receipt(
        str(step.action.get("type", "")), success=False, code=step.state, message=step.message
    )
    try:
        return Outcome(step.agent_step or 0, parse_action(_spelled(step.action)), step.action, receipt)
    except InvalidAction:
        return Remark(f"{step_line(step)}: {step.message or step.state}")


def _spelled(action: dict[str, Any]) -> dict[str, Any]:
    """The recorded action with texts where a secret's name stands."""

    def spell(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        named = cast(dict[str, Any], value)
        return f"{{{{{named['secret']}}}}}" if "secret" in named else {k: spell(v) for k, v in named.items()}

    return {name: spell(value) for name, value in action.items() if value is not None}
