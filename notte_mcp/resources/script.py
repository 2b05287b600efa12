"""A session's or an agent's steps as a script: the one place where the surface asks for code.

Below: registry, agents, workflows. Above: resources.agents, tools.workflows.
"""

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from notte_mcp.ids import AGENT_PREFIX

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.records import SessionSpec, StepRecord
    from notte_mcp.workflows import Code

Target = Literal["notte", "playwright", "json"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)

MAX_STEPS: Final = 10_000
"""Steps that a script is written from; a session that lives for hours stays below."""


def names_agent(text: str) -> bool:
    """Whether an id is meant for an agent, be there one or not."""
    return text.startswith(AGENT_PREFIX)


async def script(
    app: "App",
    of: str,
    target: Target,
    **options: Any,
) -> "Code":
    """The script of what was done in a session, or by an agent in the session of its last attempt.

    An attempt begins in a fresh session, so that the last one's steps are a whole way to the answer; what the
    caller did there while it was paused is among them. `options` are those of `write_code` (style, sdk,
    keep_failed).

    Raises:
        UnknownSession, UnknownAgent; InvalidArgument: there is nothing to write, or no such form.
    """
    from notte_mcp.workflows import write_code  # late: no other call needs the writers

    steps, spec = await (_of_agent(app, of) if names_agent(of) else _of_session(app, of))
    return write_code(steps, spec, target=target, **options)


async def _of_session(app: "App", session_id: str) -> "tuple[list[StepRecord], SessionSpec]":
    record = await app.registry.record(session_id)
    return await app.registry.steps(session_id, limit=MAX_STEPS), record.spec


async def _of_agent(app: "App", agent_id: str) -> "tuple[list[StepRecord], SessionSpec]":
    agent = await app.agents.record(agent_id)
    session = await app.registry.record(agent.session_id)
    steps = await app.agents.steps(agent_id, limit=MAX_STEPS)
    return [step for step in steps if step.session_id == session.id], session.spec
