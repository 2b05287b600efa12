"""What others did in an agent's session while it waited, as its model is told of it.

Below: step_text, records. Above: agent, past.
"""

from typing import Final

from notte_mcp.records import StepRecord
from notte_mcp.step_text import step_line

_TYPED: Final = frozenset({"fill", "press_key"})


def told_of(step: StepRecord) -> str:
    """One step of a person, or of the agent's caller."""
    who = "a person" if step.actor == "human" else "the caller"
    return f"while you were waiting, {who} did: {step_line(step)}: {step.message or step.state}"


def goes_on(step: StepRecord, before: StepRecord) -> bool:
    """Whether a person types on in the field in which the step `before` it typed: that one needs no telling."""
    if step.actor != "human" or before.actor != "human":
        return False
    one, other = (found.receipt.target if found.receipt is not None else None for found in (before, step))
    typed = {before.action.get("type"), step.action.get("type")} <= _TYPED
    return typed and one is not None and other is not None and one.id is not None and one.id == other.id
