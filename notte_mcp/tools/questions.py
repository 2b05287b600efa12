"""What a task asks of its person: the agent's question, or whether an interrupted one shall go on.

Read from the agent's log alone, where each question has a number of its own, so that
a key never means two questions, whoever asks and whatever happens meanwhile.

Below: agent_records, app. Above: tasks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from mcp.types import ElicitResult

from notte_mcp.agent_records import AgentEvent, AgentRecord, EventKind

if TYPE_CHECKING:
    from notte_mcp.app import App

_OPENING: Final[Mapping[EventKind, Literal["question", "interruption"]]] = {
    "needs_input": "question",
    "interrupted": "interruption",
}
_CLOSING: Final = frozenset({"answer", "resumed", "attempt", "ended"})
_PAGE: Final = 1_000

DECLINED: Final = "(none: the person declined to answer)"
DISMISSED: Final = "(none: the person closed the question without answering)"
"""What an agent is told in place of an answer: it has to go on, or to end, without one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that is open. `key` is never used for another one of the same agent."""

    kind: Literal["question", "interruption"]
    key: str
    text: str

    def request(self) -> dict[str, Any]:
        """It as the form that a client shows."""
        properties = _CONFIRM if self.kind == "interruption" else _ANSWER
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        params = {"mode": "form", "message": self.text, "requestedSchema": schema}
        return {"method": "elicitation/create", "params": params}


async def open_question(app: "App", record: AgentRecord) -> Question | None:
    """What is asked now; None where nothing is, or where it is not on disk yet."""
    if record.state not in ("needs_input", "interrupted"):
        return None
    asked: AgentEvent | None = None
    after = 0
    while events := await app.agents.events(record.id, after=after, limit=_PAGE):
        after = events[-1].sequence
        for event in events:
            if event.event in _OPENING:
                asked = event
            elif event.event in _CLOSING:
                asked = None
    if asked is None:
        return None
    kind = _OPENING[asked.event]
    text = asked.text if kind == "question" else _lost(record, asked.text)
    return Question(kind, f"{kind}-{asked.sequence}", text)


def answer_of(response: ElicitResult) -> str:
    """What the agent is told; "" where the person accepted and gave nothing."""
    match response.action:
        case "decline":
            return DECLINED
        case "cancel":
            return DISMISSED
        case "accept":
            return _text(response.content or {})


def goes_on(response: ElicitResult) -> bool | None:
    """Whether an interrupted agent shall go on; None where the person did not decide."""
    match response.action:
        case "decline":
            return False
        case "cancel":
            return None
        case "accept":
            return str((response.content or {}).get("resume")).lower() != "false"


_ANSWER: Final = {"answer": {"type": "string", "title": "Answer"}}
_CONFIRM: Final = {"resume": {"type": "boolean", "title": "Go on", "default": True}}


def _text(content: Mapping[str, Any]) -> str:
    """The field `answer`; or the only one there is, since some clients name it as they like."""
    only = next(iter(content.values())) if len(content) == 1 else None
    value = content.get("answer", only)
    return "" if value is None else str(value).strip()


def _lost(record: AgentRecord, reason: str) -> str:
    return (
        f"This task was interrupted after {record.step_count} steps ({record.reason or reason}). Shall it go on, in a "
        "new browser with the saved logins, at the last page? No step is done again by itself. Declining ends the task."
    )
