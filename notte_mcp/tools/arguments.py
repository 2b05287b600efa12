"""Strict where silence would mislead, lenient where models slip: a call's arguments before the tool sees them.

The SDK drops an unknown argument without a word, so that a misspelt option does
nothing; here it is refused by name. `null` for an optional argument counts as not
given; JSON text for an object and "true" for true are accepted (by the SDK's and
pydantic's own rules, which the check runs).

Below: schema. Above: server, which puts it in front of all tools.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final, cast

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.mcpserver.tools import Tool
from pydantic import ValidationError

from notte_mcp.tools.boundary import refusal

MAX_REASONS: Final = 3


def strict(tools: Sequence[Tool]) -> ServerMiddleware[Any]:
    """The check of all calls of these tools."""
    by_name = {tool.name: tool for tool in tools}

    async def check(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != "tools/call" or not isinstance(ctx.params, Mapping):
            return await call_next(ctx)
        tool = by_name.get(str(ctx.params.get("name")))
        given: object = ctx.params.get("arguments") or {}
        if tool is None or not isinstance(given, Mapping):
            return await call_next(ctx)  # the SDK's own words for these are good
        arguments = {str(k): v for k, v in cast(Mapping[Any, Any], given).items() if v is not None}
        if wrong := complaint(tool, arguments):
            return refusal(wrong)
        return await call_next(replace(ctx, params={**ctx.params, "arguments": arguments}))

    return check


def complaint(tool: Tool, arguments: dict[str, Any]) -> str:
    """What is wrong with a call's arguments, as the assistant is told, or ""."""
    known: list[str] = list(tool.parameters["properties"])
    if unknown := [name for name in arguments if name not in known]:
        near = {name: get_close_matches(name, known, n=1) for name in unknown}
        said = ", ".join(f"`{n}`" + (f" (did you mean `{near[n][0]}`?)" if near[n] else "") for n in unknown)
        return (
            f"{tool.name} has no argument {said}. It takes: {', '.join(known)}. Nothing was done. "
            "Next: the same call without it."
        )
    try:
        tool.fn_metadata.validate_arguments(arguments)
    except ValidationError as error:
        return (
            f"{tool.name} was called with wrong arguments: {'; '.join(_reasons(tool, error))}. Nothing was done. "
            "Next: the same call, corrected."
        )
    return ""


def _reasons(tool: Tool, error: ValidationError) -> list[str]:
    """Pydantic's findings without its URLs and without repeating what was sent."""
    found: list[str] = []
    for detail in error.errors(include_url=False, include_input=False)[:MAX_REASONS]:
        place = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            outer = str(detail["loc"][0])
            takes = ", ".join(tool.parameters["properties"][outer]["properties"])
            found.append(f"`{outer}` has no key `{detail['loc'][-1]}`; it takes: {takes}")
        elif detail["type"] == "missing":
            found.append(f"`{place}` is missing")
        else:
            found.append(f"`{place}`: {detail['msg'].removeprefix('Value error, ')}")
    return found
