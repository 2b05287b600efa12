"""Lines of a log as text to read: one line a step, and what happened in between indented under it.

    4 11-22 14:03:07 model: click B4 "Send request" -> http://shop.test/done (200); ok 0.4 s
        11-22 14:03:09 message: Take the blue one

What a page said takes one line at most: none of its text can look like a line of the log.

Below: log, step_text. Above: logs.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from notte_mcp.agent_records import AgentEvent
from notte_mcp.observations import clean_line
from notte_mcp.records import StepRecord
from notte_mcp.resources.log import Line
from notte_mcp.step_text import effects, step_line

MAX_CHARS: Final = 1_000
"""Of a message, a thought or an action in its line; the JSON lines have it whole."""


def text_line(line: Line, *, by_agent: bool) -> str:
    """A line of the log of a session, or (`by_agent`) of an agent."""
    what = line.what
    if isinstance(what, AgentEvent):
        said = clean_line(what.text, MAX_CHARS)
        whose = "" if by_agent else f"{what.agent_id} "
        return f"    {_time(what.at)} {whose}{what.event}{f': {said}' if said else ''}"
    number = what.agent_step if by_agent else what.number
    deed = clean_line(step_line(what), MAX_CHARS)
    return f"{number} {_time(what.started_at)} {what.actor}: {deed}; {_outcome(what)}"


def _outcome(step: StepRecord) -> str:
    """`ok 0.4 s; new tab 2`, `failed 1.0 s: Nothing matches`."""
    how = {"done": "ok", "outcome_unknown": "outcome unknown"}.get(step.state, step.state)
    took = "" if step.ended_at is None else f" {step.ended_at - step.started_at:.1f} s"
    why = "" if step.state == "done" or not step.message else f": {step.message}"
    return clean_line("; ".join([f"{how}{took}{why}", *_more(step)]), MAX_CHARS)


def _more(step: StepRecord) -> Iterator[str]:
    """What else it brought about, and what deciding it used."""
    if step.receipt is not None:
        yield from effects(step.receipt)
    if step.usage is not None:
        yield f"{step.usage.tokens} tokens"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%m-%d %H:%M:%S")
