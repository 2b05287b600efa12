"""What the loop is told and what it answers: plain values between deciding (`loop`) and doing (`runner`).

Below: actions, receipts, models.base. Above: loop, runner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from notte_mcp.actions import Action
from notte_mcp.models.base import ChatRequest
from notte_mcp.receipts import Receipt

# --- what the loop is told ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """The page as the model is shown it now: `text` within the token budget, `image` a JPEG where vision is on.

    `signature` is equal for two looks at an unchanged page.
    """

    url: str
    text: str
    signature: str
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One action that was done (or refused, or cut), and the agent's number for that step.

    `written` is the action as it is on record (secrets by name), `receipt` has passed the redactor.
    """

    number: int
    action: Action
    written: dict[str, Any]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of history that is no step: a person's message, an answer, what the caller did while it was paused."""

    text: str


Past = Sequence[Outcome | Remark]
"""What was done and said before."""


# --- what the loop answers ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskModel:
    """Ask the model this. `repairs` counts how often the last answer was sent back (0: it is a new turn)."""

    request: ChatRequest
    repairs: int = 0
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """Do these, in order, stopping at the first failure."""

    actions: tuple[Action, ...]
    thought: str = ""


@dataclass(frozen=True, slots=True)
class NeedInput:
    """Ask the person this, and wait for the answer."""

    question: str


@dataclass(frozen=True, slots=True)
class Finish:
    """It is over, or (`interrupted`) could go on elsewhere. `result` is the parsed answer where a schema was given."""

    state: Literal["completed", "failed", "stopped", "interrupted"]
    reason: str
    answer: str = ""
    success: bool = False
    result: Any = None


Move = AskModel | Act | NeedInput | Finish
