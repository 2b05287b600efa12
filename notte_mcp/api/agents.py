"""Agents of the API: start, list, get, stop, and the code of what they did.

They are the agents of this house, driven by the configured model whatever model was asked for, which is put on
record and not heeded. Nobody answers an agent of the API, so that one that asks for help ends.

Below: standing, trajectory, calls, faults, paging, codes; agents (by the App). Above: routes.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from notte_mcp.agent_records import AgentSpec
from notte_mcp.api import codes, faults
from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.paging import page_of
from notte_mcp.api.standing import CONTRACT_OF, head, told
from notte_mcp.api.trajectory import steps_from
from notte_mcp.errors import ModelMissing
from notte_mcp.records import LIVE_STATES, StepRecord
from notte_mcp.step_text import step_line

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_LISTED: Final = 10_000
"""Agents that are looked through for a page of them."""

MAX_TOLD_STEPS: Final = 100
"""Earlier steps that an agent is told of, the last ones."""

GUIDANCE: Final = """\
You go on in a browser in which this was done before, in this order; do not do again what is marked as done:
{done}"""

NO_MODEL: Final = (
    "No model is configured, so this API cannot run agents: set NOTTE_MCP_MODEL (anthropic:..., openai:..., google:..., "
    "or scripted:/path/to/plan.json) with that provider's key in the environment, and start `notte-mcp api` again. "
    "`reasoning_model` is recorded, and the configured model runs. No agent was started."
)
NO_VAULTS: Final = (
    "{name} is not served: vaults and personas live in the Notte cloud. Leave it out, and sign in with your own script's "
    "`session.execute` before the agent starts. No agent was started."
)


class AgentStart(BaseModel):
    """The body of a start: ApiAgentStartRequest."""

    model_config = ConfigDict(frozen=True)

    task: Annotated[str, Field(min_length=1)]
    session_id: Annotated[str, Field(min_length=1)]
    url: str | None = None
    response_format: dict[str, Any] | None = None
    session_offset: Annotated[int | None, Field(ge=0)] = None
    reasoning_model: str | None = None
    use_vision: bool = True
    max_steps: Annotated[int, Field(ge=1, le=150)] = 20
    vault_id: str | None = None
    persona_id: str | None = None
    notifier_config: dict[str, Any] | None = None


# --- endpoints --------------------------------------------------------------------


async def start(call: ApiCall) -> Response:
    """An agent, at once on its way."""
    asked = await call.body(AgentStart)
    for name in ("vault_id", "persona_id"):
        if getattr(asked, name) is not None:
            raise ApiFault(422, NO_VAULTS.format(name=name))
    record = await call.app.registry.record(asked.session_id)
    if record.state not in LIVE_STATES:
        why = f" ({record.reason})" if record.reason else ""
        raise ApiFault(
            400, f"Session {record.id} is closed{why}. No agent was started; start a new session first.",
            error="SessionClosed",
        )  # fmt: skip
    try:
        call.app.agents.choose_driver("model", engine=record.spec.engine, model=None)
    except ModelMissing as error:
        detail = NO_MODEL if call.app.models.default is None else f"{error.what} No agent was started."
        raise ApiFault(422, detail, error="ModelMissing") from error
    spec = AgentSpec(
        asked.task,
        "model",
        record.spec,
        url=asked.url or None,
        max_steps=asked.max_steps,
        response_schema=asked.response_format,
        use_vision=asked.use_vision,
        guidance=await _guidance(call.app, asked),
        is_fallback=asked.session_offset is not None,
        unattended=True,
        asked={**_not_heeded(asked), CONTRACT_OF: call.contract},
    )
    return answer(head(await call.app.agents.start(spec, session_id=record.id)))


async def listed(call: ApiCall) -> Response:
    """Agents, newest first, the live ones unless others are asked for too."""
    records = await call.app.agents.agents(limit=MAX_LISTED)
    if call.flag("only_active", default=True):
        records = [record for record in records if record.is_live]
    if call.flag("only_saved", default=False):
        records = []
    items, place = page_of(call, records)
    return answer({"items": [head(record) for record in items], **place})


async def status(call: ApiCall) -> Response:
    """An agent as it stands."""
    return answer(await told(call.app, call.path("agent_id"), call.contract))


async def stop(call: ApiCall) -> Response:
    """End it, once its action in flight is over; its session stays. Idempotent.

    Of one that was closed before, by a server's death too, nothing changes: who was told its answer is told no other.
    """
    agent_id, session_id = call.path("agent_id"), call.required("session_id")
    record = await call.app.agents.record(agent_id)
    if record.session_id != session_id:
        given = f"Agent {agent_id} is in session {record.session_id}, not in {session_id}. It was not stopped."
        raise faults.wrong("query", "session_id", "value_error", given, session_id)
    if record.is_live:
        await call.app.agents.stop(agent_id)
    return answer(await told(call.app, agent_id, call.contract))


async def code(call: ApiCall) -> Response:
    """What it did as a script of the contract's, and as actions."""
    call.flag("infer_response_format", default=False)
    return answer(await codes.code_of(call, call.path("agent_id"), as_workflow=call.flag("as_workflow")))


ROUTES: Final[tuple[ApiRoute, ...]] = (
    ApiRoute("POST", "/agents/start", start),
    ApiRoute("GET", "/agents", listed),
    ApiRoute("GET", "/agents/{agent_id}", status),
    ApiRoute("DELETE", "/agents/{agent_id}/stop", stop),
    ApiRoute("GET", "/agents/{agent_id}/workflow/code", code),
)


def _not_heeded(asked: AgentStart) -> dict[str, Any]:
    """As it goes on record: of what may hold a token, only that it was given."""
    named = {"reasoning_model": asked.reasoning_model, "notifier_config": True if asked.notifier_config else None}
    return {name: value for name, value in named.items() if value is not None}


# --- what came before ------------------------------------------------------------


async def _guidance(app: "App", asked: AgentStart) -> str:
    """What the agent is told of the steps from `session_offset` on."""
    if asked.session_offset is None:
        return ""
    steps = await steps_from(app, asked.session_id, asked.session_offset)
    lines = [f"{'done' if step.success else 'failed'}: {_line(step)}" for step in steps[-MAX_TOLD_STEPS:]]
    return GUIDANCE.format(done="\n".join(lines)) if lines else ""


def _line(step: StepRecord) -> str:
    return step_line(step) + ("" if step.success else f" ({step.message})")
