"""The MCP app: a host that shows apps (`io.modelcontextprotocol/ui`) opens the live view beside `notte_start`.

What the app needs is offered to those clients alone: a model elsewhere neither reads nor pays for it. The page is one
HTML text that stands on nothing outside, fed through `notte_frame`; it decides and approves nothing.

Source: MCP Apps, protocol version 2026-01-26. Below: app_frames, viewer.app_page. Above: server.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID, client_supports_apps
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension
from mcp.server.mcpserver.tools import Tool
from mcp.types import ListResourcesResult, ListToolsResult, Resource

from notte_mcp.tools.app_frames import FRAME, VIEW_URI
from notte_mcp.viewer.app_page import app_page

OPENS: Final = "notte_start"
"""The tool whose answer a host shows the app with."""

APP_TOOLS: Final[Sequence[Tool]] = (FRAME,)
"""Tools for the app alone."""

UI: Final = {"resourceUri": VIEW_URI}

_NAMES: Final = frozenset(tool.name for tool in APP_TOOLS)


class AppView(Extension):
    """See the module."""

    identifier = EXTENSION_ID


def app_resource() -> Resource:
    """The page, as it is listed."""
    resource = Resource(
        uri=VIEW_URI, name="viewer", title="Session viewer", mime_type=APP_MIME_TYPE,
        description="What a session shows, live, for hosts that show apps.",
    )  # fmt: skip
    return resource.model_copy(update={"meta": _META})


def app_text(uri: str) -> tuple[str, str, Mapping[str, Any]] | None:
    """(the page, its MIME type, its `_meta`) where this is its address."""
    return (app_page(), APP_MIME_TYPE, _META) if uri == VIEW_URI else None


_META: Final[dict[str, Any]] = {"ui": {"csp": {}, "prefersBorder": True}}
"""No outside address at all: some hosts ignore what is asked for beyond that."""


async def for_apps(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Of the lists, everyone is given what they can use."""
    answer = await call_next(ctx)
    if answer is None:  # what asks for a list without an id gets none
        return answer
    if ctx.method == "resources/list" and client_supports_apps(ctx):
        kept = ListResourcesResult.model_validate(answer)
        return kept.model_copy(update={"resources": [*kept.resources, app_resource()]})
    if ctx.method != "tools/list":
        return answer
    listed = ListToolsResult.model_validate(answer)
    if client_supports_apps(ctx):
        tools = [_with_view(tool) if tool.name == OPENS else tool for tool in listed.tools]
    else:
        tools = [tool for tool in listed.tools if tool.name not in _NAMES]
    return listed.model_copy(update={"tools": tools})


def _with_view(tool: Any) -> Any:
    # The flat key is what hosts of before the extension's first release read.
    meta = {**cast("dict[str, Any]", tool.meta or {}), "ui": UI, "ui/resourceUri": VIEW_URI}
    return tool.model_copy(update={"meta": meta})
