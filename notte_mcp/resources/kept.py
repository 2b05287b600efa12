"""What stands below `notte://workflows` and `notte://runs`: what is saved, its scripts, and what became of runs.

Below: runs, content, records_json, script. Above: reader.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from notte_mcp.resources.content import JSON, Content, as_json, as_list, unknown
from notte_mcp.resources.records_json import listed_run_json, run_json, version_json, workflow_json
from notte_mcp.resources.script import TARGETS, code_of, kept
from notte_mcp.workflow_records import WorkflowRecord

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_LISTED: Final = 1_000
"""Workflows or runs in a list; older ones are read by their names or ids."""

MAX_VERSIONS: Final = 20
"""Versions that are told of one name; older ones are read as `name@version`."""


async def of_workflows(app: "App", uri: str, path: Sequence[str]) -> Content:
    """What stands at `notte://workflows/...`.

    Raises:
        UnknownWorkflow, UnknownResource; InvalidArgument: it was kept by a newer version.
    """
    match path:
        case []:
            records = await app.runs.workflows(limit=MAX_LISTED)
            return as_list(uri, "workflows", [version_json(record) for record in records])
        case [name] if name:
            record = await app.runs.workflow(name)
            return as_json(uri, name, workflow_json(record, kept(record).workflow, await _versions(app, record)))
        case [name, target] if target in TARGETS:
            code = code_of(kept(await app.runs.workflow(name)), target)
            return Content(uri, f"{name} {target}", JSON if target == "json" else "text/x-python", code.code)
        case _:
            raise unknown(uri)


async def of_runs(app: "App", uri: str, path: Sequence[str]) -> Content:
    """What stands at `notte://runs/...`. Raises: UnknownRun, UnknownResource."""
    match path:
        case []:
            return as_list(uri, "runs", [listed_run_json(run) for run in await app.runs.runs(limit=MAX_LISTED)])
        case [run_id] if run_id:
            run = await app.runs.record(run_id)
            return as_json(uri, run.id, run_json(run))
        case _:
            raise unknown(uri)


async def _versions(app: "App", record: WorkflowRecord) -> list[WorkflowRecord]:
    """The versions of its name, newest first."""
    newest = await app.runs.workflow(record.name)
    numbers = range(newest.version, max(0, newest.version - MAX_VERSIONS), -1)
    return [newest, *[await app.runs.workflow(f"{record.name}@{number}") for number in numbers[1:]]]
