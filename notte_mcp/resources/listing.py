"""What resources there are, as hosts list them, and completion of their parameters.

Lists are fixed, the same for every connection: what changes is read, not listed.
Below: reader. Above: server.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from mcp.types import Resource, ResourceTemplate

from notte_mcp.resources.content import JSON, NDJSON
from notte_mcp.resources.reader import OpenApp
from notte_mcp.resources.script import TARGETS

RESOURCES: Final[Sequence[Resource]] = (
    Resource(
        uri="notte://sessions", name="sessions", title="Sessions", mime_type=JSON,
        description="Every session that is kept, newest first.",
    ),
    Resource(
        uri="notte://agents", name="agents", title="Agents", mime_type=JSON,
        description="Every agent that is kept, newest first.",
    ),
    Resource(
        uri="notte://workflows", name="workflows", title="Workflows", mime_type=JSON,
        description="Every workflow that is kept by name.",
    ),
    Resource(
        uri="notte://guide", name="guide", title="Guide", mime_type="text/markdown",
        description="Actions, how to read an observation, receipts, errors.",
    ),
)  # fmt: skip

TEMPLATES: Final[Sequence[ResourceTemplate]] = (
    ResourceTemplate(
        uri_template="notte://sessions/{id}", name="session", title="A session", mime_type=JSON,
        description="How a session stands.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/steps{?after}", name="steps", title="A session's step log",
        mime_type=NDJSON, description="One JSON object a line: what was asked and what was done.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/files", name="files", title="A session's files", mime_type=JSON,
        description="What it downloaded, or may upload.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/files/{name}", name="file", title="A session's file",
        description="One file.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/workflow/{target}", name="workflow", title="A session's script",
        description="Its steps as code: notte, playwright, pytest or json.",
    ),
    ResourceTemplate(
        uri_template="notte://agents/{id}", name="agent", title="An agent", mime_type=JSON,
        description="How an agent stands, its answer and what it used.",
    ),
    ResourceTemplate(
        uri_template="notte://agents/{id}/steps{?after}", name="agent steps", title="An agent's log",
        mime_type=NDJSON, description="One JSON object a line: its steps, and between them what else happened.",
    ),
    ResourceTemplate(
        uri_template="notte://agents/{id}/workflow/{target}", name="agent workflow", title="An agent's script",
        description="The steps of its last attempt as code: notte, playwright, pytest or json.",
    ),
    ResourceTemplate(
        uri_template="notte://workflows/{name}", name="kept workflow", title="A kept workflow", mime_type=JSON,
        description="Its parameters, steps, versions, and whether it was verified.",
    ),
    ResourceTemplate(
        uri_template="notte://workflows/{name}/{target}", name="kept script", title="A kept workflow's script",
        description="It as code: notte, playwright, pytest or json.",
    ),
    ResourceTemplate(
        uri_template="notte://runs/{id}", name="run", title="A run of a workflow", mime_type=JSON,
        description="How it stands, and what became of each step.",
    ),
)  # fmt: skip

MAX_COMPLETIONS: Final = 100


async def completions(app: OpenApp, template: str, parameter: str, typed: str, known: Mapping[str, str]) -> list[str]:
    """Values of a template's parameter that begin with what was typed. `known` are the other parameters so far."""
    match parameter:
        case "id" if template.startswith("notte://agents/"):
            values = [record.id for record in await (await app()).agents.agents()]
        case "id" if template.startswith("notte://runs/"):
            values = [record.id for record in await (await app()).runs.runs()]
        case "id":
            values = [record.id for record in await (await app()).registry.sessions()]
        case "target":
            values = list(TARGETS)
        case "name" if template.startswith("notte://workflows/"):
            values = [record.name for record in await (await app()).runs.workflows()]
        case "name" if session_id := known.get("id"):
            values = [name for name, _ in await (await app()).registry.files(session_id)]
        case _:
            values = []
    return [value for value in values if value.startswith(typed)][:MAX_COMPLETIONS]
