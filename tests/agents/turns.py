"""What the tests of the loop say again and again: pages, outcomes, answers."""

import json
from collections.abc import Sequence
from typing import Any

from notte_mcp.agents.loop import Loop, Task
from notte_mcp.agents.moves import Act, AskModel, Finish, Move, Outcome, Page
from notte_mcp.batches import parse_action
from notte_mcp.receipts import Receipt, Target

CLICK = {"type": "click", "id": "B4"}
DONE = {"type": "completion", "success": True, "answer": "It is sent."}


def page(signature: str = "s", text: str = "Shop  http://shop.test/\nB4 button “Send”\nview 1") -> Page:
    return Page("http://shop.test/", text, signature)


def done(number: int, fields: dict[str, Any], *, written: dict[str, Any] | None = None, **receipt: Any) -> Outcome:
    """An action and its receipt, a successful one unless told otherwise."""
    action = parse_action(fields)
    target = Target(fields["id"], "button", "Send") if "id" in fields else None
    values: dict[str, Any] = {"success": True, "target": target} | receipt
    return Outcome(number, action, written or fields, Receipt(action.type, **values))


def failed(
    number: int, fields: dict[str, Any], message: str = "it is covered", code: str = "not_actionable"
) -> Outcome:
    return done(number, fields, success=False, message=message, code=code, target=None)


def reply(*actions: dict[str, Any], thought: str = "") -> str:
    return json.dumps({"thought": thought, "actions": list(actions)})


def started(max_steps: int = 20, **task: Any) -> Loop:
    """A loop that has been shown its first page."""
    loop = Loop(Task("Send the form.", max_steps, **task))
    loop.begin(page("first"))
    return loop


def turn(loop: Loop, outcomes: Sequence[Outcome], then: Page, **acted: Any) -> Move:
    """The model asks for what was done, and it is done."""
    asked = [outcome.action.model_dump(mode="json", exclude_defaults=True) for outcome in outcomes]
    kinds = [{"type": outcome.action.type} for outcome in outcomes]
    move = loop.replied(reply(*(kind | fields for kind, fields in zip(kinds, asked, strict=True))))
    assert isinstance(move, Act), move
    return loop.acted(outcomes, then, **acted)


def asked(move: Move) -> AskModel:
    assert isinstance(move, AskModel), move
    return move


def finished(move: Move) -> Finish:
    assert isinstance(move, Finish), move
    return move


def last_text(move: Move) -> str:
    """The last message of a question: the page, and what we say of it."""
    return asked(move).request.messages[-1].text


def whole_text(move: Move) -> str:
    """All that a question sends, but the system prompt."""
    return "\n".join(message.text for message in asked(move).request.messages)
