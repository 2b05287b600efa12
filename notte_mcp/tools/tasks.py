"""The tasks extension (io.modelcontextprotocol/tasks): an agent as a task that its client polls by itself.

For clients of 2026-07-28 that declare it, on each request: `notte_start` with a task
answers them with a handle, whose id is the agent's, where a model or the cloud drives
the agent. An agent that the caller drives is never a task, or it would wait for itself;
every other client gets the plain tools. Nothing is kept here: all is in the records.

Below: task_wire, questions, sessions, surface. Above: server.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp.types import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ElicitResult,
    RequestParams,
)
from pydantic import ValidationError

from notte_mcp.agent_records import AgentRecord
from notte_mcp.errors import NotteMCPError, UnknownAgent, UnknownSession
from notte_mcp.logs import Log
from notte_mcp.tools.questions import Question, answer_of, goes_on, open_question
from notte_mcp.tools.sessions import reused
from notte_mcp.tools.steer import MAX_TEXT_CHARS
from notte_mcp.tools.surface import Surface
from notte_mcp.tools.task_wire import detailed, handle

if TYPE_CHECKING:
    from notte_mcp.app import App

log = Log("tools.tasks")

TASKS: Final = "io.modelcontextprotocol/tasks"
VERSIONS: Final = frozenset({"2026-07-28"})

_DONE: Final[dict[str, Any]] = {"resultType": "complete"}

Ctx = ServerRequestContext[Any, Any]


class TaskParams(RequestParams):
    """What `tasks/get` and `tasks/cancel` are asked with."""

    task_id: str


class TaskUpdateParams(TaskParams):
    """What `tasks/update` is asked with. Responses to what was never asked may be of any form."""

    input_responses: dict[str, Any]


class Tasks(Extension):
    """See the module. `keep_s`: seconds that records are kept after their last change."""

    identifier = TASKS

    def __init__(self, surface: Surface, *, keep_s: float) -> None:
        self._surface = surface
        self._keep_s = keep_s

    def methods(self) -> Sequence[MethodBinding]:
        return (
            MethodBinding("tasks/get", TaskParams, _bordered(self._get), VERSIONS),
            MethodBinding("tasks/update", TaskUpdateParams, _bordered(self._update), VERSIONS),
            MethodBinding("tasks/cancel", TaskParams, _bordered(self._cancel), VERSIONS),
        )

    async def intercept_tool_call(self, params: CallToolRequestParams, ctx: Ctx, call_next: CallNext) -> HandlerResult:
        """The call as it is, but that it does not wait; its answer becomes a handle where it began a task."""
        if params.name != "notte_start" or not _declares(ctx) or not (params.arguments or {}).get("task"):
            return await call_next(ctx)
        # The SDK runs the tool with what stands in `params`. Who polls a handle has no use for a wait before it.
        params.arguments = {**(params.arguments or {}), "wait_seconds": 0}
        answer = await call_next(ctx)
        if not isinstance(answer, CallToolResult) or answer.is_error:
            return answer
        told: Mapping[str, Any] = answer.structured_content or {}
        if told.get("driver") not in ("model", "notte") or not (agent_id := told.get("agent_id")):
            return answer
        app = await self._surface.app()
        try:
            return handle(await app.agents.record(agent_id), keep_s=self._keep_s)
        except NotteMCPError as error:
            # The store fails just now, or a repeated call's agent is swept: the answer tells all that a handle would.
            log.warning("task.no_handle", agent=agent_id, code=error.code)
            return answer

    # --- the methods ----------------------------------------------------------------

    async def _get(self, ctx: Ctx, params: TaskParams) -> dict[str, Any]:
        app, record = await self._task(params)
        return await detailed(app, record, keep_s=self._keep_s, with_forms=_shows_forms(ctx))

    async def _cancel(self, _ctx: Ctx, params: TaskParams) -> dict[str, Any]:
        """Stopped gracefully; nothing where it has ended, since hosts send this twice."""
        app, record = await self._task(params)
        if not record.has_ended:
            await app.agents.stop(record.id)
            await self._surface.changed(record.session_id, agents=(record.id,))
        return _DONE

    async def _update(self, _ctx: Ctx, params: TaskUpdateParams) -> dict[str, Any]:
        """The answer to what is asked now; what answers anything else came too late, and is let go."""
        app, record = await self._task(params)
        question = await open_question(app, record)
        if question is None or question.key not in params.input_responses:
            return _DONE
        response = _response(question, params.input_responses[question.key])
        try:
            await (_decide if question.kind == "interruption" else _answer)(app, record, response)
        except NotteMCPError as error:
            if await open_question(app, await app.agents.record(record.id)) == question:
                raise
            # Somebody else answered in between, or it ended: the protocol has late answers acknowledged.
            log.info("task.answered_late", agent=record.id, code=error.code)
        await self._surface.changed(record.session_id, agents=(record.id,))
        return _DONE

    async def _task(self, params: TaskParams) -> "tuple[App, AgentRecord]":
        """Raises: UnknownAgent: no such agent, or one that its caller drives, whose id no handle ever carried."""
        app = await self._surface.app()
        record = await app.agents.record(params.task_id)
        if record.spec.driver == "assistant":
            raise UnknownAgent(
                f"Agent {record.id} is driven by its caller, and is no task.",
                next_call=f'notte_status(id="{record.id}")',
            )
        return app, record


def _declares(ctx: Ctx) -> bool:
    """Whether this very request says that its client knows tasks."""
    declared = ctx.session.client_capabilities
    return ctx.protocol_version in VERSIONS and declared is not None and TASKS in (declared.extensions or {})


def _shows_forms(ctx: Ctx) -> bool:
    """Whether the client can be sent a form: it declares elicitation, and not by URL alone."""
    declared = ctx.session.client_capabilities
    asked = declared.elicitation if declared is not None else None
    return asked is not None and (asked.form is not None or asked.url is None)


def _response(question: Question, given: Any) -> ElicitResult:
    try:
        return ElicitResult.model_validate(given)
    except ValidationError:
        raise MCPError(
            INVALID_PARAMS, f"The response to {question.key} is not that of a form. Nothing was done."
        ) from None


async def _decide(app: "App", record: AgentRecord, response: ElicitResult) -> None:
    """An interrupted agent goes on in a new browser, or ends; it waits on while nobody decides."""
    match goes_on(response):
        case True:
            await reused(app, record.session_id, None)
            await app.agents.steer(record.id, "resume")
        case False:
            await app.agents.stop(record.id)
        case None:
            pass


async def _answer(app: "App", record: AgentRecord, response: ElicitResult) -> None:
    text = answer_of(response)
    if not text or len(text) > MAX_TEXT_CHARS:
        why = f"has {len(text)} characters, and may have {MAX_TEXT_CHARS}" if text else "is empty"
        raise MCPError(INVALID_PARAMS, f"The answer {why}. Nothing was done; the question is still open.")
    await app.agents.steer(record.id, "answer", text)


def _bordered(body: Callable[[Ctx, Any], Awaitable[dict[str, Any]]]) -> Callable[[Ctx, Any], Awaitable[HandlerResult]]:
    """`body` behind what every method checks, with our errors in the protocol's form."""

    async def method(ctx: Ctx, params: TaskParams) -> HandlerResult:
        _check_name(ctx, params)
        require_client_extension(ctx, TASKS)
        try:
            return await body(ctx, params)
        except MCPError:
            raise
        except (UnknownAgent, UnknownSession) as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        except NotteMCPError as error:
            raise MCPError(INTERNAL_ERROR, str(error)) from error
        except Exception as error:
            # The SDK would put its text on the wire.
            number = secrets.token_hex(4)
            log.exception("task.crashed", method=ctx.method, incident=number)
            said = f"notte-mcp itself failed (incident {number}; its log on stderr tells more). Next: notte_status()."
            raise MCPError(INTERNAL_ERROR, said) from error

    return method


def _check_name(ctx: Ctx, params: TaskParams) -> None:
    """Over HTTP the header by which requests are routed must name the task; the SDK checks its own methods only."""
    headers: Mapping[str, str] | None = getattr(ctx.request, "headers", None)
    if headers is not None and decode_header_value(headers.get(MCP_NAME_HEADER)) != params.task_id:
        raise MCPError(HEADER_MISMATCH, f"The {MCP_NAME_HEADER} header does not match the request body's taskId.")
