"""Lines of a log as JSON values, one object a line.

Page text stands in them as it is, in strings: who shows it makes it harmless. Times are UTC in ISO 8601.

Below: log, records_json. Above: logs.
"""

from dataclasses import asdict
from typing import Any, Final

from notte_mcp.agent_records import AgentEvent
from notte_mcp.receipts import Receipt, Target
from notte_mcp.records import StepRecord, Usage, receipt_to_json
from notte_mcp.resources.log import Line
from notte_mcp.resources.records_json import UNSETTLED, time_text

_LIFTED: Final = ("url_before", "url_after")
"""Of a receipt: told as the line's own."""


def session_line(line: Line, *, filmed: bool) -> dict[str, Any]:
    """A line of a session's log; with the agent, and the agent's own number, where an agent had the session."""
    what = line.what
    if isinstance(what, AgentEvent):
        return _event(what, line, {"agent_id": what.agent_id})
    of_agent = {"agent_id": what.agent_id, "agent_step": what.agent_step} if what.agent_id is not None else {}
    picture = _picture(f"sessions/{what.session_id}/steps/{what.number}") if filmed else {}
    return {"number": what.number, **of_agent, **_step(what), **picture}


def agent_line(line: Line, *, filmed: bool) -> dict[str, Any]:
    """A line of an agent's log, by the agent's own numbers."""
    what = line.what
    if isinstance(what, AgentEvent):
        return _event(what, line, {})
    picture = _picture(f"agents/{what.agent_id}/steps/{what.agent_step}") if filmed else {}
    place = {"session_id": what.session_id, "session_step": what.number}
    return {"number": what.agent_step, **place, **_step(what), **picture}


def _event(event: AgentEvent, line: Line, whose: dict[str, Any]) -> dict[str, Any]:
    told = {"text": event.text, "at": time_text(event.at), "cursor": str(line.place)}
    return {"event": event.event, "after_step": line.place.step, **whose, **told}


def _picture(of: str) -> dict[str, Any]:
    return {"screenshot": f"notte://{of}/screenshot"}


def _step(step: StepRecord) -> dict[str, Any]:
    receipt = step.receipt
    told = None if receipt is None else receipt_to_json(receipt)
    if told is not None:
        for lifted in _LIFTED:
            told.pop(lifted, None)
    return {
        "actor": step.actor,
        "action": step.action,
        "element": _element(receipt),
        "receipt": told,
        "success": None if step.state in UNSETTLED else step.success,
        "message": step.message,
        "url": step.url,
        "url_before": (receipt.url_before or None) if receipt is not None else None,
        "url_after": (receipt.url_after or None) if receipt is not None else None,
        "started_at": time_text(step.started_at),
        "ended_at": time_text(step.ended_at),
        "seconds": None if step.ended_at is None else round(step.ended_at - step.started_at, 3),
        **({} if step.usage is None else {"usage": _usage(step.usage)}),
    }


def _element(receipt: Receipt | None) -> str | None:
    """What was acted on, as a person calls it: `button "Send request"`."""
    target: Target | None = receipt.target if receipt is not None else None
    if target is None:
        return None
    return f'{target.role} "{target.name}"' if target.name else target.role or target.id


def _usage(usage: Usage) -> dict[str, Any]:
    """Tokens and money of the calls; their time is not the step's."""
    told = {name: value for name, value in asdict(usage).items() if value is not None and name != "seconds"}
    return {**told, "tokens": usage.tokens}
