"""notte_start: a session, or with a task an agent.

Below: sessions, agents, options, surface. Above: listing.
"""

from functools import partial
from typing import Annotated, Any, Final, Literal

from mcp.types import CallToolResult
from pydantic import Field

from notte_mcp.errors import InvalidArgument
from notte_mcp.tools.agents import AgentOptions, checked_task, start_agent
from notte_mcp.tools.boundary import declare, hints
from notte_mcp.tools.options import SessionOptions
from notte_mcp.tools.pages import RequestId
from notte_mcp.tools.schema import object_schema
from notte_mcp.tools.sessions import start_session
from notte_mcp.tools.surface import Call, surface
from notte_mcp.tools.waiting import WaitSeconds

START_OUTPUT: Final = object_schema("session_id", "state", optional=("agent_id",))


async def notte_start(
    ctx: Call,
    *,
    task: str | None = None,
    url: Annotated[str | None, Field(description="page to open, observed in the answer")] = None,
    session_id: Annotated[str | None, Field(description="to reuse or restore")] = None,
    driver: Literal["auto", "assistant", "model", "notte"] = "auto",
    max_steps: Annotated[int, Field(ge=1, le=1_000)] = 20,
    timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 1_800,
    retries: Annotated[int, Field(ge=0, le=10)] = 0,
    response_schema: Annotated[dict[str, Any] | None, Field(description="of the answer")] = None,
    model: Annotated[str | None, Field(description="anthropic:claude-sonnet-5")] = None,
    use_vision: bool = False,
    max_tokens_spent: Annotated[int | None, Field(ge=1)] = None,
    max_usd: Annotated[float | None, Field(gt=0)] = None,
    wait_seconds: WaitSeconds = 0,
    session: Annotated[SessionOptions | None, Field(description="of a new session")] = None,
    request_id: RequestId = None,
) -> CallToolResult:
    """Start a browser session and open a page. It outlives calls; it ends after 15 minutes without one, after 240 at
    most (cloud: 3, 15), or by notte_stop. With session_id: open url there, or restore an interrupted session (new
    browser, saved logins, last url; no action is repeated; a cloud one goes on as it is). With a task: an agent does
    it by the configured model (see notte_status, notte_steer); without a model you drive it with notte_execute, up to
    a completion action."""
    here = surface(ctx)
    options = AgentOptions(
        driver, max_steps, timeout_seconds, retries, response_schema, model, use_vision, max_tokens_spent, max_usd
    )
    if task is None:
        _no_agent(options, wait_seconds)
        body = partial(start_session, here, url, session_id, session)
    else:
        body = partial(
            start_agent,
            ctx,
            checked_task(task),
            url=url,
            session_id=session_id,
            session=session,
            options=options,
            wait_seconds=wait_seconds,
        )
    if request_id is None:
        return await body()
    arguments = {
        "url": url,
        "session_id": session_id,
        "session": session.model_dump(exclude_none=True) if session else None,
    }
    if task is not None:
        arguments |= {"task": task, **options._asdict()}
    return await here.once(request_id, "notte_start", arguments, body)


TOOLS: Final = (
    declare(
        notte_start,
        title="Start a browser session or an agent",
        hints=hints(),
        output=START_OUTPUT,
        core=True,
        parameters={"response_schema": {"type": "object", "description": "of the answer"}},
    ),
)


def _no_agent(options: AgentOptions, wait_seconds: float) -> None:
    """Without a task, what only an agent has must not be passed over in silence."""
    given = [name for name, value in options._asdict().items() if value != AgentOptions()._asdict()[name]]
    if given or wait_seconds:
        raise InvalidArgument(
            f"Only an agent has {', '.join(given or ['wait_seconds'])}, and no task was given.",
            next_call="the same call with task=..., or without them for a session",
        )
