"""AgentFallback: a batch whose actions failed is handed, as a goal, to an agent in the same session.

The agent is told what was done and what failed. With no model the caller is the
fallback: the answer says so and shows the page.

Below: agents (waiting), step_text, surface. Above: execute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from notte_mcp.agent_records import AgentRecord, AgentSpec, stands
from notte_mcp.errors import NotteMCPError
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
    """What a fallback came to, as a line of the answer. `agent_id` is the agent that took over; None: none did."""

    line: str
    agent_id: str | None = None


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
    guidance = GUIDANCE.format(done="\n".join(receipts) or "nothing", failed=failed, left=f"{left} actions")
    try:
        session = await app.registry.record(session_id)
        driver = app.agents.choose_driver("auto", engine=session.spec.engine, model=None)
        if driver == "assistant":
            return Fallback(f"fallback: no model is configured, so it is you: from the page below, {task}")
        spec = AgentSpec(task=task, driver=driver, session=session.spec, guidance=guidance, is_fallback=True)
        agent = await app.agents.start(spec, session_id=session_id)
    except NotteMCPError as error:
        # Not the error's own account: of the batch something was done.
        mend = f" ({error.next_call})" if error.next_call else ""
        said = f"fallback: no agent was started: {error.what}{mend} To go on yourself, from the page below: {task}"
        return Fallback(said)
    if seconds > 1:
        agent = await waited(ctx, app, agent, seconds)
    return Fallback(_told(agent), agent.id)


def _told(agent: AgentRecord) -> str:
    steps = f"{agent.step_count} step{'' if agent.step_count == 1 else 's'}"
    if agent.has_ended:
        why = f" ({agent.reason})" if agent.reason else ""
        answer = f": {agent.answer}" if agent.answer else ""
        return f"fallback: agent {agent.id} {agent.state}{why} after {steps}{answer}"
    asked = f", and asks: {agent.question}" if agent.question else ""
    follow = agent_next(agent, last_step=agent.step_count)
    return f"fallback: agent {agent.id} {stands(agent.state)} after {steps}{asked}. Next: {follow}"
