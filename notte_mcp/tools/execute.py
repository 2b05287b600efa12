"""notte_execute: a batch of actions, what each really did, and what changed on the page.

Below: actions, registry, page_text, step_text. Above: listing.
"""

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from mcp.types import CallToolResult, ResourceLink
from pydantic import Field

from notte_mcp.action_schema import actions_schema
from notte_mcp.actions import Action
from notte_mcp.agent_records import UNCOUNTED, AgentRecord, stands
from notte_mcp.batches import parse_actions
from notte_mcp.errors import (
    InvalidArgument,
    PageNotResponding,
    StaleElement,
    UnknownElement,
    UnsupportedUrl,
    UploadRefused,
)
from notte_mcp.tools.accounts import agent_next
from notte_mcp.tools.agents import checked_task
from notte_mcp.tools.boundary import blocks, declare, hints, refusal
from notte_mcp.tools.fallback import Fallback, fall_back
from notte_mcp.tools.outcomes import Observe, account_of, left_a_mark, links, look_after, look_again
from notte_mcp.tools.pages import MaxTokens, RequestId, SessionId
from notte_mcp.tools.surface import Call, surface
from notte_mcp.tools.trail import picture_of

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.registry.batch import Batch
    from notte_mcp.registry.live import LiveSession

ACT_S: Final = 40.0
"""No action is started later than this after the call came in."""

SETTLE_S: Final = 1.0
"""How long an agent that its caller has just completed is waited for."""

# A batch is refused whole for these: nothing of it was done.
_REFUSALS: Final = (UnknownElement, StaleElement, UnsupportedUrl, UploadRefused, PageNotResponding)

OnError = Literal["stop", "continue"]


async def notte_execute(
    ctx: Call,
    *,
    actions: Any,
    session_id: SessionId = None,
    on_error: OnError = "stop",
    fallback_task: Annotated[str | None, Field(description="goal for an agent if an action fails")] = None,
    observe: Observe = "changes",
    max_tokens: MaxTokens = 2_000,
    request_id: RequestId = None,
) -> CallToolResult:
    """Do actions in order; tells what each really did, then what changed (after a navigation: the whole page). Put
    all that needs no look in between into one call: a whole form with its submit.
    To wait for something use wait_for, not wait. A handle_dialog answers a dialog and stands before the click.
    Nothing is done if an id is unknown. Passwords are kept as a name, never as their value."""
    here = surface(ctx)
    batch = parse_actions(actions)
    wanted: dict[str, Any] = {"session_id": session_id, "on_error": on_error, "observe": observe}
    if fallback_task is not None:
        wanted["fallback_task"] = checked_task(fallback_task, "fallback_task")
        if on_error == "continue":
            raise InvalidArgument(
                "With fallback_task a batch stops at its first failure, and the agent goes on from there.",
                next_call="the same call without on_error, or without fallback_task",
            )
    body = partial(_execute, ctx, batch, **wanted, max_tokens=max_tokens)
    if request_id is None:
        return await body()
    arguments = {**wanted, "actions": [action.model_dump(mode="json") for action in batch]}
    return await here.once(request_id, "notte_execute", arguments, body)


TOOLS: Final = (
    declare(
        notte_execute,
        title="Act on the page",
        hints=hints(destroys=True),
        core=True,
        parameters={"actions": actions_schema()},
    ),
)


async def _execute(
    ctx: Call,
    actions: list[Action],
    *,
    session_id: str | None,
    on_error: OnError,
    observe: Observe,
    max_tokens: int,
    fallback_task: str | None = None,
) -> CallToolResult:
    here, ends_at = surface(ctx), time.monotonic() + ACT_S
    app = await here.app()
    taken_over = None
    async with app.registry.use(await app.session_of(session_id)) as live:
        named, filmed = live.record.id, live.record.spec.record
        agent = await app.agents.agent_on(named)
        stop_at = "stop" if fallback_task is not None else on_error
        done, refused = await _do(live, actions, stop_at, ends_at, lenient=fallback_task is not None)
        lines = refused or account_of(actions, done, max_tokens, page_follows=observe != "none")
        falls_back = fallback_task is not None and (bool(refused) or _broke_off(done, agent, ends_at))
        if not falls_back:
            lines += await look_after(live, observe, done.receipts, lines, max_tokens=max_tokens, ends_at=ends_at)
    if falls_back and fallback_task is not None:
        taken_over = await _hand_over(ctx, app, named, fallback_task, done=done, lines=lines, ends_at=ends_at)
        lines.append(taken_over.line)
        lines += await look_again(app, named, lines, max_tokens=max_tokens, ends_at=ends_at)
    lines += await _of_agent(app, agent, done) if agent is not None else await _of_nobody(app, named, done)
    worked = [one for one in (agent and agent.id, taken_over and taken_over.agent_id) if one]
    await here.changed(named, agents=worked)
    did_something = any(receipt.success or left_a_mark(receipt) for receipt in done.receipts)
    if not did_something and not (taken_over is not None and taken_over.agent_id):
        return refusal("\n".join(lines))
    pictures = _failures(named, done) if filmed else []
    lines += [f"{one.name} as a picture: {one.uri}" for one in pictures]
    return blocks("\n".join(lines), *links(named, done.receipts), *pictures)


def _failures(session_id: str, done: "Batch") -> list[ResourceLink]:
    """Where the first failed step of a batch can be seen."""
    failed = [step for step, receipt in zip(done.steps, done.receipts, strict=True) if not receipt.success]
    return [picture_of(session_id, step) for step in failed[:1]]


def _broke_off(done: "Batch", agent: AgentRecord | None, ends_at: float) -> bool:
    """Whether the page did not do what the batch expected: an action failed, or led to a page that it knows no ids of.

    What ends a batch without a failure otherwise (its time, an agent's last step, a stop) is no case for a fallback.
    """
    failed = not all(receipt.success for receipt in done.receipts)
    return failed or (len(done.receipts) < done.total and agent is None and time.monotonic() < ends_at)


async def _do(
    live: "LiveSession", actions: list[Action], on_error: OnError, ends_at: float, *, lenient: bool
) -> tuple["Batch", list[str]]:
    """The batch. Where it is refused whole, that is an account of its own if `lenient`: there is a fallback."""
    from notte_mcp.registry import Batch

    try:
        return await live.execute(actions, on_error=on_error, deadline_s=ends_at - time.monotonic()), []
    except _REFUSALS as error:
        if not lenient:
            raise
        total = len(actions)
        return Batch((), (), total, error.what), [f"refused: none of {total} was begun", error.what]


async def _hand_over(
    ctx: Call, app: "App", session_id: str, task: str, *, done: "Batch", lines: list[str], ends_at: float
) -> Fallback:
    """Let an agent go on where the batch stopped: the account's first line says where, the next ones what was done."""
    count = len(done.receipts)
    if done.receipts and not done.receipts[-1].success:
        count -= 1
    receipts, failed = lines[1 : 1 + count], lines[1 + count]
    left, seconds = done.total - len(done.receipts), ends_at - time.monotonic()
    return await fall_back(ctx, app, session_id, task, receipts=receipts, failed=failed, left=left, seconds=seconds)


async def _of_nobody(app: "App", session_id: str, done: "Batch") -> list[str]:
    """What a completion comes to where no agent has the session (any more): it must not pass for an answer."""
    if not any(one.success and one.type in UNCOUNTED for one in done.receipts):
        return []
    ended = [one for one in await app.agents.agents() if one.session_id == session_id]
    last = f" Its last one, {ended[0].id}, {stands(ended[0].state)} ({ended[0].reason})." if ended else ""
    return [f"note: no agent has this session, so that was said to nobody.{last} notte_start(task=...) makes one."]


async def _of_agent(app: "App", before: AgentRecord, done: "Batch") -> list[str]:
    """What the caller's own agent has come to by these actions, where that is worth a line."""
    if before.spec.driver != "assistant":
        return []
    agent = await app.agents.record(before.id)
    if agent.state == "stopping" or any(one.success and one.type in UNCOUNTED for one in done.receipts):
        agent = await app.agents.wait(before.id, seconds=SETTLE_S)
    why = f" ({agent.reason})" if agent.reason else ""
    if agent.state != "running":
        return [f"agent {agent.id} {stands(agent.state)}{why}. Next: {agent_next(agent, last_step=agent.step_count)}"]
    return []
