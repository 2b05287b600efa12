"""The prompts, as hosts list them, and completion of their arguments.

Below: texts, tools.surface. Above: server.
"""

from functools import cache
from typing import Annotated, Any, Final

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import Message
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, InputRequiredResult
from pydantic import Field

from notte_mcp.errors import NotteMCPError, UnknownRun
from notte_mcp.prompts.texts import author_text, debug_text, task_text
from notte_mcp.resources.reader import OpenApp
from notte_mcp.tools.run_accounts import is_open
from notte_mcp.tools.surface import Call, surface

MAX_COMPLETIONS: Final = 100

Url = Annotated[str | None, Field(description="where to begin")]


async def do_a_task(task: Annotated[str, Field(description="what is to be done")], url: Url = None) -> str:
    """Do something in a browser."""
    return task_text(task, url)


async def author_workflow(
    goal: Annotated[str, Field(description="what the workflow is to do")], url: Url = None
) -> str:
    """Make a script that runs again without a model: do it once, export, verify, save."""
    return author_text(goal, url)


async def debug_run(run_id: Annotated[str, Field(description="run_...")], ctx: Call) -> str:
    """Find out why a workflow's run failed, and mend it."""
    try:
        app = await surface(ctx).app()
        run = await app.runs.record(run_id)
        return debug_text(run, is_open=await is_open(app, run))
    except UnknownRun as error:
        raise MCPError(INVALID_PARAMS, str(error)) from error
    except NotteMCPError as error:
        raise MCPError(INTERNAL_ERROR, str(error)) from error


class _Prompt(Prompt):
    """A prompt that says which of its arguments are missing: the SDK's own words never reach the caller."""

    async def render(
        self, arguments: dict[str, Any] | None, context: Context[Any, Any]
    ) -> list[Message] | InputRequiredResult:
        required = [one.name for one in self.arguments or () if one.required]
        if missing := [name for name in required if name not in (arguments or {})]:
            what = f"The prompt {self.name} needs {', '.join(missing)}. Nothing was done; ask again with it."
            raise MCPError(INVALID_PARAMS, what)
        return await super().render(arguments, context)


@cache
def all_prompts() -> tuple[Prompt, ...]:
    """Every prompt, in the order of the usual work; the servers of a process share them."""
    titled = ((do_a_task, "Do a task"), (author_workflow, "Author a workflow"), (debug_run, "Debug a run"))
    return tuple(_Prompt.from_function(body, title=title) for body, title in titled)


async def completions(app: OpenApp, prompt: str, argument: str, typed: str) -> list[str]:
    """Values of a prompt's argument that begin with what was typed: ids of runs, what did not succeed first."""
    if (prompt, argument) != ("debug_run", "run_id"):
        return []
    runs = sorted(
        await (await app()).runs.runs(), key=lambda run: run.state == "completed" and run.verified is not False
    )
    return [run.id for run in runs if run.id.startswith(typed)][:MAX_COMPLETIONS]
