"""notte_run_workflow: a kept workflow done again, with no model, at the browser's speed.

Below: run_accounts, waiting, resources.script, runs. Above: listing.
"""

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from mcp.types import CallToolResult
from pydantic import Field

from notte_mcp.errors import InvalidArgument
from notte_mcp.resources.script import Made, made_of, versioned
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.pages import RequestId
from notte_mcp.tools.run_accounts import is_open, report_lines, run_account
from notte_mcp.tools.schema import object_schema
from notte_mcp.tools.surface import Call, surface
from notte_mcp.tools.waiting import WaitSeconds, wait
from notte_mcp.workflow_records import RunRecord

if TYPE_CHECKING:
    from notte_mcp.app import App

RUN_OUTPUT: Final = object_schema("run_id", "state")


async def notte_run_workflow(
    ctx: Call,
    *,
    name: Annotated[str | None, Field(description="orders, orders@2")] = None,
    id: Annotated[str | None, Field(description="or: session, agent, run")] = None,  # noqa: A002 - contract
    parameters: Annotated[dict[str, Any] | None, Field(description="others as recorded")] = None,
    heal: bool = False,
    wait_seconds: WaitSeconds = 45,
    request_id: RequestId = None,
) -> CallToolResult:
    """Run a saved workflow in a fresh session, without a model. An element that is not found is tried by its other
    recorded locators (healed). heal=true gives a failed step to an agent and offers its fix as a new version."""
    here, given = surface(ctx), parameters or {}
    of = await _named(await here.app(), name, id)
    body = partial(_run, ctx, of, given, heal=heal, wait_seconds=wait_seconds)
    if request_id is None:
        return await body()
    return await here.once(request_id, "notte_run_workflow", {"of": of, "parameters": given, "heal": heal}, body)


TOOLS: Final = (
    declare(
        notte_run_workflow,
        title="Run a saved workflow",
        hints=hints(destroys=True),
        output=RUN_OUTPUT,
        parameters={"parameters": {"type": "object", "description": "others as recorded"}},
    ),
)


async def _run(ctx: Call, of: str, given: Mapping[str, Any], *, heal: bool, wait_seconds: float) -> CallToolResult:
    from notte_mcp.runs import RunRequest

    here, begun = surface(ctx), time.monotonic()
    app = await here.app()
    made: Made = await made_of(app, of)
    request = RunRequest(made.workflow, made.source, parameters=given, heal=heal, saved=made.saved)
    run = await app.runs.start(request)
    if wait_seconds:
        once = partial(app.runs.wait, run.id, until="done")
        run = await wait(ctx, run, seconds=wait_seconds, once=lambda slice_s: once(seconds=slice_s), since=begun)
    await here.changed(*filter(None, [run.session_id]), runs=(run.id,))
    return _answer(run, made, is_open=await is_open(app, run))


def _answer(run: RunRecord, made: Made, *, is_open: bool) -> CallToolResult:
    account = run_account(run, is_open=is_open)
    values: dict[str, Any] = {
        "run_id": run.id,
        "workflow": made.saved.name if made.saved is not None else made.source,
        "version": made.saved.version if made.saved is not None else None,
        **{name: value for name, value in account.items() if name not in ("id", "kind", "workflow")},
        "healed": account["healed"] or [],
    }
    return facts(values, "\n".join(_lines(run, made, values, is_open=is_open)))


def _lines(run: RunRecord, made: Made, values: Mapping[str, Any], *, is_open: bool) -> list[str]:
    lines = [f"run {run.id} of {made.label}: {run.state}", *report_lines(run)]
    if run.session_id is not None:
        lines.append(f"session: {run.session_id}{', still open at the page it stopped at' if is_open else ''}")
    if run.agent_id is not None:
        lines.append(f"agent: {run.agent_id}")
    if run.result is not None:
        lines.append(f"result: {json.dumps(run.result, ensure_ascii=False)}")
    return [*lines, f"next: {values['next']}"]


async def _named(app: "App", name: str | None, id: str | None) -> str:  # noqa: A002 - the contract's name
    """What is to be run. Raises: InvalidArgument, with what is saved."""
    if (name is None) == (id is None):
        saved = ", ".join(versioned(one) for one in await app.runs.workflows(limit=20)) or "none yet"
        what = "Give name or id, not both." if name is not None else "Say what to run, by name or id."
        raise InvalidArgument(
            f"{what} Saved: {saved}.",
            next_call='notte_run_workflow(name=...); notte_workflow_code(save_as="...") saves one',
        )
    return name or id or ""
