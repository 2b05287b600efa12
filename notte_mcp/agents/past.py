"""An agent's history as its loop wants it, read back from the store: for going on after a restart.

Below: store.base, batches, moves. Above: supervisor.
"""

from typing import Any, cast

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.agents.moves import Outcome, Remark
from notte_mcp.batches import parse_action
from notte_mcp.errors import InvalidAction
from notte_mcp.receipts import Receipt
from notte_mcp.records import StepRecord
from notte_mcp.step_text import step_line
from notte_mcp.store.base import Store

_TOLD = {"message": "message from the person: ", "answer": "the person's answer: "}


async def past_of(record: AgentRecord, store: Store) -> list[Outcome | Remark]:
    """The steps of the agent's current attempt, and what it was told between them, in order."""
    steps = [s for s in await store.agent_steps(record.id) if s.session_id == record.session_id]
    events = [e for e in await store.events(record.id) if e.event in _TOLD]
    lines: list[tuple[int, int, Outcome | Remark]] = [(s.agent_step or 0, 0, _outcome(s)) for s in steps]
    lines += [(e.after_step, e.sequence, _remark(e)) for e in events]
    return [line for _, _, line in sorted(lines, key=lambda line: line[:2])]


def _remark(event: AgentEvent) -> Remark:
    return Remark(_TOLD[event.event] + event.text)


def _outcome(step: StepRecord) -> Outcome | Remark:
    """A step as the loop knows it; as a remark where its action cannot be read again (another version wrote it)."""
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
