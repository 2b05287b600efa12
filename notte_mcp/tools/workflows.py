"""notte_workflow_code: a session's or an agent's steps as a script to keep.

Below: workflows, surface, paging. Above: listing.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from mcp.types import CallToolResult
from pydantic import BaseModel, ConfigDict, Field

from notte_mcp.observations import HARD_MAX_TOKENS
from notte_mcp.resources.script import Target, names_agent, script
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.pages import Cursor
from notte_mcp.tools.paging import Page
from notte_mcp.tools.schema import LIST, object_schema
from notte_mcp.tools.surface import Call, surface

if TYPE_CHECKING:
    from notte_mcp.workflows import Parameter


class CodeOptions(BaseModel):
    """How a script is written; None leaves the writer's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: Literal["sync", "async"] | None = None
    sdk: Literal["1.9", "1.10"] | None = Field(default=None, description="of notte-sdk")
    keep_failed: bool | None = Field(default=None, description="as comments")


CODE_OUTPUT: Final = object_schema("id", "target", "code", optional=("next",), parameters=LIST)


async def notte_workflow_code(
    ctx: Call,
    *,
    id: Annotated[str | None, Field(description="session or agent, live or ended")] = None,  # noqa: A002 - the contract's name
    target: Target = "notte",
    options: CodeOptions | None = None,
    max_tokens: Annotated[int, Field(ge=100, le=HARD_MAX_TOKENS)] = 8_000,
    cursor: Cursor = None,
) -> CallToolResult:
    """The script of what was done in a session, or by an agent in the session of its last attempt: the steps with
    the selectors that were unique when they ran, typed values as parameters, secrets read from the environment.
    Edit this code rather than writing selectors from memory. It has not been run."""
    here = surface(ctx)
    if cursor is not None:
        return _told(here.pages.at(cursor, max_tokens, again="notte_workflow_code without a cursor"))
    app = await here.app()
    of = id if id is not None and names_agent(id) else await app.registry.resolve(id)
    code = await script(app, of, target, **(options.model_dump(exclude_none=True) if options else {}))
    about = {"id": of, "target": target, "parameters": [_parameter(one) for one in code.parameters]}
    return _told(here.pages.first(code.code, max_tokens, **about))


TOOLS: Final = (
    declare(
        notte_workflow_code,
        title="Export a session as a script",
        hints=hints(reads=True, world=False),
        output=CODE_OUTPUT,
    ),
)


def _parameter(parameter: "Parameter") -> dict[str, Any]:
    told: dict[str, Any] = {"name": parameter.name, "type": parameter.type, "secret": parameter.secret}
    if parameter.default is not None and not parameter.secret:
        told["default"] = parameter.default
    if parameter.env:
        told["env"] = parameter.env
    return told


def _told(page: Page) -> CallToolResult:
    follow = (
        f'notte_workflow_code(cursor="{page.cursor}") for the rest'
        if page.cursor
        else f"save it to a file{'' if page.about['target'] == 'json' else ' and run it'}; notte_stop when done"
    )
    values = {**page.about, "code": page.text, "cursor": page.cursor, "next": follow}
    parameters = "".join(f"\nparameter: {_said(one)}" for one in page.about["parameters"])
    return facts(values, f"{page.text}{parameters}\nnot verified\nnext: {follow}", verified=None)


def _said(parameter: dict[str, Any]) -> str:
    if parameter["secret"]:
        return f"{parameter['name']} (secret, from ${parameter.get('env', '')})"
    return f"{parameter['name']}: {parameter['type']} = {parameter.get('default')!r}"
