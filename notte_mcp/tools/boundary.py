"""The border between tools and the protocol: declaring a tool, its errors, its time, its log line.

A tool is an async function whose signature is its parameters and whose docstring is
what the model reads. `declare` makes it the SDK's `Tool`. At this border our own
errors become the answer that the model reads, and anything else becomes an incident
with an id whose traceback is in the log: the SDK would withhold its text too.

Below: errors, logs, schema. Above: the tools of this folder.
"""

import functools
import inspect
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import anyio
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, ContentBlock, ResourceLink, TextContent, ToolAnnotations

from notte_mcp.errors import NotteMCPError
from notte_mcp.logs import Log
from notte_mcp.page_text import json_text
from notte_mcp.tools.repeats import Outcome
from notte_mcp.tools.schema import JsonSchema, portable

log = Log("tools")

CALL_S: Final = 44.0
"""The longest that a call may take: hosts cut at 60 s, and an answer that is cut is lost."""

Body = Callable[..., Awaitable[CallToolResult]]


def declare(
    body: Body,
    *,
    title: str,
    hints: ToolAnnotations,
    output: Mapping[str, Any] | None = None,
    core: bool = False,
    parameters: Mapping[str, JsonSchema] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Tool:
    """The SDK's tool for `body`.

    `output` is the schema of structured content, where there is any. `core` tools are loaded at once by
    hosts that otherwise load tools on demand. `parameters` replaces the derived schema of some parameters,
    `meta` is told besides.
    """
    tool = Tool.from_function(
        _guarded(body),
        name=body.__name__,
        title=title,
        description=" ".join(inspect.cleandoc(body.__doc__ or "").split()),
        annotations=hints,
        meta={**({"anthropic/alwaysLoad": True} if core else {}), **(meta or {})} or None,
        structured_output=False,
    )
    schema = portable(tool.parameters)
    schema["properties"] = {**schema.get("properties", {}), **(parameters or {})}
    tool.parameters = schema
    tool.fn_metadata.output_schema = dict(output) if output is not None else None
    return tool


def hints(
    *, reads: bool = False, destroys: bool = False, repeatable: bool = False, world: bool = True
) -> ToolAnnotations:
    """A tool's annotations: what hosts decide by whether to ask their user."""
    return ToolAnnotations(
        read_only_hint=reads, destructive_hint=destroys, idempotent_hint=repeatable or reads, open_world_hint=world
    )


# --- answers --------------------------------------------------------------------


def blocks(text: str, *others: ContentBlock) -> CallToolResult:
    """An answer of content alone."""
    return CallToolResult(content=[TextContent(type="text", text=text), *others])


def facts(
    values: Mapping[str, Any], text: str | None = None, *, links: Sequence[ResourceLink] = (), **always: Any
) -> CallToolResult:
    """An answer of facts: structured, and the same as text (JSON unless `text` says it better).

    Of `values`, what is None is left out; `always` stays as it is (in its place, where `values` has it too). Both forms are complete, since some
    hosts show the model only one of them; `links` lead to what is named there.
    """
    kept = {key: value for key, value in values.items() if value is not None or key in always} | always
    content = TextContent(type="text", text=json_text(kept) if text is None else text)
    return CallToolResult(content=[content, *links], structured_content=kept)


def sentence(text: str) -> str:
    """`text` with a full stop, since our errors are read one sentence after the other."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def refusal(text: str) -> CallToolResult:
    """An answer that says why nothing was done."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


async def outcome(body: Callable[[], Awaitable[CallToolResult]], tool: str) -> Outcome:
    """What `body` comes to, for `repeats`: its answer, or the answer that tells its error. Never raises."""
    void = False
    try:
        result = await body()
        void = bool(result.is_error)
    except NotteMCPError as error:
        result, void = refusal(str(error)), error.done.startswith("Nothing")
    except Exception:  # noqa: BLE001 - the border: see the module
        result = _incident(tool)
    return Outcome(result.model_dump(mode="json", by_alias=True, exclude_none=True), void=void)


def _guarded(body: Body) -> Body:
    @functools.wraps(body)
    async def call(**arguments: Any) -> CallToolResult:
        started = time.perf_counter()
        result: CallToolResult | None = None
        try:
            with anyio.move_on_after(CALL_S):
                result = await body(**arguments)
            return result or refusal(_LATE)
        except NotteMCPError as error:
            return refusal(str(error))
        except Exception:  # noqa: BLE001 - the border: see the module
            return _incident(body.__name__)
        finally:
            _log_call(body.__name__, arguments, result, started)

    return call


_LATE: Final = (
    f"The call was given up after {CALL_S:.0f} s. What it had begun may be done; the session is kept. "
    "Next: notte_status() shows the sessions and their last steps."
)


def _incident(tool: str) -> CallToolResult:
    number = secrets.token_hex(4)
    log.exception("tool.crashed", tool=tool, incident=number)  # noqa: LOG004 - called by those who handle it
    return refusal(
        f"notte-mcp itself failed (incident {number}; its log on stderr tells more). "
        "Whether anything was done is unknown. Sessions are kept. Next: notte_status()."
    )


def _log_call(tool: str, arguments: Mapping[str, Any], result: CallToolResult | None, started: float) -> None:
    structured: dict[str, Any] = (result.structured_content if result is not None else None) or {}
    log.info(
        "tool.called",
        tool=tool,
        session=arguments.get("session_id") or arguments.get("id") or structured.get("session_id"),
        ms=round((time.perf_counter() - started) * 1000),
        ok=result is not None and not result.is_error,
    )
