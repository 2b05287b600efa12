"""How an agent stands, as the contract tells it (AgentResponse, AgentStatusResponse).

Below: shapes, trajectory; agents (by the App). Above: agents, sockets, streams.
"""

import json
from typing import TYPE_CHECKING, Any, Final

from notte_mcp.agent_records import AgentRecord
from notte_mcp.api.moments import moment
from notte_mcp.api.trajectory import shaped, steps_of
from notte_mcp.records import StepRecord

if TYPE_CHECKING:
    from notte_mcp.api.calls import Contract
    from notte_mcp.app import App

END_S: Final = 4.0
"""How long the end of an agent that has said its last word is waited for."""


def head(record: AgentRecord) -> dict[str, Any]:
    """An AgentResponse."""
    return {
        "agent_id": record.id,
        "created_at": moment(record.created_at),
        "session_id": record.session_id,
        "status": "active" if record.is_live else "closed",
        "closed_at": None if record.is_live else moment(record.ended_at or record.updated_at),
        "saved": False,
    }


CONTRACT_OF: Final = "contract"
"""What is on record of who started an agent (`AgentSpec.asked`): SDKs say their version with requests, and not with the
WebSocket of its log."""


async def told(app: "App", agent_id: str, contract: "Contract") -> dict[str, Any]:
    """An agent's status, with its steps. Raises: UnknownAgent.

    One whose last word is among its steps is told as ended, or clients that stop at that word would have no answer.
    """
    record = await app.agents.record(agent_id)
    steps = await steps_of(app, agent_id)
    if record.is_live and _has_said_all(steps[-1:]):
        record = await app.agents.wait(agent_id, seconds=END_S)
    return {**ending(record), "steps": await shaped(app, agent_id, steps, contract)}


def ending(record: AgentRecord) -> dict[str, Any]:
    """An agent's status without its steps: `success` and `answer` are null while it runs, and never after."""
    said = None if record.is_live else _answer(record)
    return {
        **head(record),
        "task": record.spec.task,
        "url": record.spec.url,
        "success": None if record.is_live else bool(record.success),
        "answer": said,
    }


def _answer(record: AgentRecord) -> str:
    if record.state == "interrupted":
        return "Interrupted: the session or the server of this agent is gone. What it did stands in its steps."
    if record.result is not None:
        return json.dumps(record.result, ensure_ascii=False)
    return record.answer or f"It {record.state}{f' ({record.reason})' if record.reason else ''}, and gave no answer."


def _has_said_all(last: list[StepRecord]) -> bool:
    return bool(last) and last[-1].success and last[-1].action.get("type") in ("completion", "help")
