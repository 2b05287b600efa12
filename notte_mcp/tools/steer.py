"""notte_steer: a live agent is paused, resumed, told something, or answered.

Below: surface, accounts. Above: listing.
"""

from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from mcp.types import CallToolResult

from notte_mcp.errors import InvalidArgument
from notte_mcp.ids import is_session_id
from notte_mcp.tools.accounts import agent_next
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.pages import RequestId
from notte_mcp.tools.schema import object_schema
from notte_mcp.tools.surface import Call, Surface, surface

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_TEXT_CHARS: Final = 10_000

STEER_OUTPUT: Final = object_schema("agent_id", "state")

Command = Literal["pause", "resume", "message", "answer"]


async def notte_steer(
    ctx: Call,
    *,
    agent_id: str,
    command: Command,
    text: str | None = None,
    request_id: RequestId = None,
) -> CallToolResult:
    """Steer an agent between its steps: pause (then you may act in its session), resume (an interrupted one too,
    once its session is restored), message, answer its question."""
    here = surface(ctx)
    if text is not None and len(text) > MAX_TEXT_CHARS:
        raise InvalidArgument(
            f"text has {len(text)} characters, and may have {MAX_TEXT_CHARS}.", next_call="the same call with less"
        )
    body = partial(_steer, here, agent_id, command, text)
    if request_id is None:
        return await body()
    return await here.once(request_id, "notte_steer", {"agent_id": agent_id, "command": command, "text": text}, body)


TOOLS: Final = (
    declare(
        notte_steer,
        title="Steer a running agent",
        hints=hints(world=False),
        output=STEER_OUTPUT,
    ),
)


async def _steer(here: Surface, agent_id: str, command: Command, text: str | None) -> CallToolResult:
    app: App = await here.app()
    if is_session_id(agent_id):
        raise await _of_session(app, agent_id)
    if text and command in ("pause", "resume"):
        raise InvalidArgument(
            f"{command} takes no text: it would be lost.",
            next_call=f'notte_steer(agent_id="{agent_id}", command="message", text=...), and {command} without text',
        )
    steered = await app.agents.steer(agent_id, command, text)
    await here.changed(agents=(agent_id,))
    return facts(
        {
            "agent_id": agent_id,
            "state": steered.record.state,
            "at_step": steered.at_step,
            "next": agent_next(steered.record, last_step=steered.record.step_count),
        },
        accepted=steered.accepted,
    )


async def _of_session(app: "App", session_id: str) -> InvalidArgument:
    """A session is no agent, but may have one."""
    agent = await app.agents.agent_on(session_id)
    has = f"its agent is {agent.id}" if agent is not None else "no agent is at work in it"
    follow = f'the same call with agent_id="{agent.id}"' if agent is not None else "notte_status() lists the agents"
    return InvalidArgument(f"{session_id} is a session, and notte_steer takes an agent; {has}.", next_call=follow)
