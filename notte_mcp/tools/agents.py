"""Starting an agent, and telling what became of it: what notte_start does with a task, and a fallback too.

Below: sessions, accounts, waiting, surface. Above: start, execute.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mcp.types import CallToolResult

from notte_mcp import page_text
from notte_mcp.agent_records import AgentRecord, AgentSpec, stands
from notte_mcp.agents.answers import require_schema
from notte_mcp.errors import InvalidArgument
from notte_mcp.receipts import unloaded
from notte_mcp.tools.boundary import facts, sentence
from notte_mcp.tools.options import SessionOptions
from notte_mcp.tools.sessions import first_view, reused
from notte_mcp.tools.status import told_of
from notte_mcp.tools.surface import Call, surface
from notte_mcp.tools.trail import trail
from notte_mcp.tools.waiting import wait

if TYPE_CHECKING:
    from notte_mcp.app import App


class AgentOptions(NamedTuple):
    """What notte_start says of an agent, by the names of its parameters."""

    driver: str = "auto"
    max_steps: int = 20
    timeout_seconds: float = 1_800
    retries: int = 0
    response_schema: dict[str, Any] | None = None
    model: str | None = None
    use_vision: bool = False
    max_tokens_spent: int | None = None
    max_usd: float | None = None


MAX_TASK_CHARS: Final = 20_000

_OF_MODELS: Final = ("model", "retries", "use_vision", "max_tokens_spent", "max_usd")


def checked_task(task: str, name: str = "task") -> str:
    """A task that says something. Raises: InvalidArgument, by the argument's `name`."""
    if not task.strip():
        raise InvalidArgument(f"{name} is empty.", next_call="the same call with what is to be done")
    if len(task) > MAX_TASK_CHARS:
        raise InvalidArgument(
            f"{name} has {len(task)} characters, and may have {MAX_TASK_CHARS}.", next_call="the same call with less"
        )
    return task


async def start_agent(
    ctx: Call,
    task: str,
    *,
    url: str | None,
    session_id: str | None,
    session: SessionOptions | None,
    options: AgentOptions,
    wait_seconds: float,
) -> CallToolResult:
    """An agent in the session named or in one of its own; waited for as long as was asked."""
    here, begun = surface(ctx), time.monotonic()
    app = await here.app()
    session_id = await app.session_of(session_id)
    wanted = (session or SessionOptions()).spec(here.spec)
    engine = wanted.engine if session_id is None else (await app.registry.record(session_id)).spec.engine
    driver = app.agents.choose_driver(options.driver, engine=engine, model=options.model)
    _check(options, driver)
    if options.retries and "session_id" in wanted.cloud:
        raise InvalidArgument(
            "retries begin in a new session each, and cloud.session_id is one that is open already.",
            next_call="the same call without retries",
        )
    note = ""
    if session_id is not None:
        session_id, note = await reused(app, session_id, session)
    values = {name: value for name, value in options._asdict().items() if name != "driver"}
    spec = AgentSpec(task=task, driver=driver, session=wanted, url=url, **values)
    agent = await app.agents.start(spec, session_id=session_id)
    if wait_seconds and driver != "assistant":
        agent = await waited(ctx, app, agent, wait_seconds, since=begun)
    await here.changed(agent.session_id, agents=(agent.id,))
    return await _started(app, agent, note, looks=driver == "assistant")


def _check(options: AgentOptions, driver: str) -> None:
    """What must not be found out only once a session was restored for it.

    Raises: InvalidArgument.
    """
    require_schema(options.response_schema)
    given, usual = options._asdict(), AgentOptions()._asdict()
    odd = [name for name in _OF_MODELS if given[name] != usual[name]]
    if driver == "assistant" and odd:
        raise InvalidArgument(
            f"{', '.join(odd)}: only an agent that a model drives has that; this one would be driven by you.",
            next_call='the same call without, or with driver="model"',
        )


async def waited(
    ctx: Call, app: "App", agent: AgentRecord, seconds: float, *, since: float | None = None
) -> AgentRecord:
    """The agent once it has ended or needs input, or when the time is over (`since`: when the call came in)."""
    once = partial(app.agents.wait, agent.id, until="done")
    return await wait(ctx, agent, seconds=seconds, once=lambda slice_s: once(seconds=slice_s), since=since)


async def _started(app: "App", agent: AgentRecord, note: str, *, looks: bool) -> CallToolResult:
    """What status tells of it; and the page, where the caller is to drive it."""
    told = await told_of(app, agent) | trail(agent)
    # The caller's agent has had one step yet, if any: its first page.
    failed = [step["message"] for step in told["steps"] if step.get("success") is False] if looks else []
    lost = sentence(unloaded(agent.spec.url or "", failed[0])) if failed else ""
    shows = looks and not failed and (told["url"] or note)
    seen, problem = await first_view(app, agent.session_id) if shows else ("", "")
    notes = " ".join(filter(None, (note, lost, problem)))
    values: Mapping[str, Any] = {
        "session_id": agent.session_id,
        **told,
        "observation": seen or None,
        "note": notes or None,
        "steps": told["steps"] or None,
        "next": _goto_first(told["next"]) if looks and not seen else told["next"],
    }
    return facts(values, _text(values))


def _goto_first(follow: str) -> str:
    return f'notte_execute(actions=[{{"type": "goto", "url": ...}}]); {follow}'


def _text(values: Mapping[str, Any]) -> str:
    """The same as lean text; the page stands as it does in other answers."""
    small = {k: v for k, v in values.items() if v is not None and k not in ("observation", "next", "id", "kind")}
    lines = [
        f"agent {values['id']} {stands(values['state'])}, driven by {values['driver']}",
        page_text.json_text(small),
    ]
    lines += [text for text in (values["observation"], f"next: {values['next']}") if text]
    return "\n".join(lines)
