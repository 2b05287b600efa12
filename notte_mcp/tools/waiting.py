"""Waiting for a session, an agent or a run, so that whoever waits sees that something is alive.

In slices of a second, with progress after each; a slice that ends early has its answer.
Below: surface, accounts. Above: status, start, execute, workflows, running.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, Field

from notte_mcp.agent_records import AgentRecord
from notte_mcp.records import SessionRecord
from notte_mcp.tools.surface import Call
from notte_mcp.workflow_records import RunRecord

MAX_WAIT_S: Final = 45
"""The longest wait that may be asked for: hosts cut a call at 60 s."""

LONGEST_S: Final = 42.0
"""What a call may have taken when its wait ends: the rest is for the answer itself."""

SLICE_S: Final = 1.0
"""How often progress is told while waiting."""

Until = Literal["step", "input", "done"]
T = TypeVar("T", SessionRecord, AgentRecord, RunRecord)


def _bounded(seconds: float) -> float:
    if not 0 <= seconds <= MAX_WAIT_S:
        raise ValueError(
            f"a call waits {MAX_WAIT_S} s at most, since hosts cut it at 60; notte_status goes on waiting, "
            "and nothing ends because nobody waits for it"
        )
    return seconds


WaitSeconds = Annotated[float, AfterValidator(_bounded), Field(description=f"<= {MAX_WAIT_S}")]


async def wait(
    ctx: Call, record: T, *, seconds: float, once: Callable[[float], Awaitable[T]], since: float | None = None
) -> T:
    """How it stands when `once` (a wait of at most as many seconds) came back early, or the time is over.

    `since` is when the call came in, where it did something else before (monotonic seconds).
    """
    begun = time.monotonic()
    end = min(begun + seconds, (begun if since is None else since) + LONGEST_S)
    while (left := end - time.monotonic()) > 0:
        slice_s, slice_begun = min(SLICE_S, left), time.monotonic()
        record = await once(slice_s)
        waited = time.monotonic()
        await ctx.report_progress(round(waited - begun, 1), seconds, said(record))
        if waited - slice_begun < slice_s * 0.9:
            break
    return record


def said(record: SessionRecord | AgentRecord | RunRecord) -> str:
    """How far it is, in one line."""
    match record:
        case SessionRecord():
            where = record.url
        case AgentRecord():
            where = record.question or record.answer or ""
        case RunRecord():
            # Behind the one that it stopped at stand those that were not run.
            where = next((step.what for step in reversed(record.steps) if step.state != "not_run"), "")
    return f"{record.state}, {record.step_count} steps{f', {where[:200]}' if where else ''}"
