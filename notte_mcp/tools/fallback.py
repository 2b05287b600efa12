"""AgentFallback: a batch whose actions failed is handed, as a goal, to an agent in the same session.

The agent is told what was done and what failed. With no model the caller is the
fallback: the answer says so and shows the page.

Below: agents (waiting), step_text, surface. Above: execute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.errors import ModelMissing, NotteMCPError
from notte_mcp.tools.accounts import agent_next
from notte_mcp.tools.agents import waited
from notte_mcp.tools.surface import Call

if TYPE_CHECKING:
    from notte_mcp.app import App

GUIDANCE: Final = """\
You take over in the middle: a fixed list of actions was being done in this browser, and one of them failed.
Reach the goal from the page as it is now. Do only what is still needed, in as few steps as you can; what is marked as \
done is done, so do not do it again. Do not leave the site unless the goal asks for it. If the goal is unclear, or cannot \
be reached from here, complete with success=false and say why.
What was done:
{done}
What failed: {failed}
Not begun: {left}"""


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a fallback came to: `lines` for the answer; `invoked` says whether an agent took over."""

    lines: tuple[str, ...]
    invoked: bool
    success: bool = False


async def fall_back(
    ctx: Call,
    app: "App",
    session_id: str,
    task: str,
    *,
    receipts: Sequence[str],
    failed: str,
    left: int,
    seconds: float,
) -> Fallback:
    """Start an agent for `task` where a batch stopped, and wait for it as long as the call may take.

    `receipts` are the lines of what was done, `failed` says what was not, `left` counts what was not begun.
    """
    try:
        app.agents.choose_driver("model", engine="local", model=None)
    except ModelMissing:
        said = f"fallback: no model is configured, so it is you: from the page below, {task}"
        return Fallback((said,), invoked=False)
    guidance = GUIDANCE.format(done="\n".join(receipts) or "nothing", failed=failed, left=f"{left} actions")
    session = await app.registry.record(session_id)
    spec = AgentSpec(task=task, driver="model", session=session.spec, guidance=guidance, is_fallback=True)
    try:
        agent = await app.agents.start(spec, session_id=session_id)
    except NotteMCPError as error:
        return Fallback((f"fallback: no agent could be started: {error}",), invoked=False)
    if seconds > 1:
        agent = await waited(ctx, app, agent, seconds)
    return _told(agent)


def _told(agent: AgentRecord) -> Fallback:
    steps = f"{agent.step_count} steps"
    if agent.has_ended:
        why = f" ({agent.reason})" if agent.reason else ""
        line = f"fallback: agent {agent.id} {agent.state}{why} after {steps}: {agent.answer or ''}".rstrip(": ")
        return Fallback((line,), invoked=True, success=bool(agent.success))
    asked = f", and asks: {agent.question}" if agent.question else ""
    line = f"fallback: agent {agent.id} is {agent.state} after {steps}{asked}. Next: {agent_next(agent, last_step=agent.step_count)}"
    return Fallback((line,), invoked=True, success=True)
