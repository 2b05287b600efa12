"""What resources there are, as hosts list them, and completion of their parameters.

Lists are fixed, the same for every connection: what changes is read, not listed.
Below: reader. Above: server.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from mcp.types import Resource, ResourceTemplate

from notte_mcp.resources.content import HTML, JPEG, JSON, MP4, NDJSON
from notte_mcp.resources.elsewhere import THEIRS
from notte_mcp.resources.reader import OpenApp
from notte_mcp.resources.script import TARGETS, names_agent

if TYPE_CHECKING:
    from notte_mcp.app import App

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


def _recorded(kind: str, name: str, whose: str) -> tuple[ResourceTemplate, ...]:
    """The log and what was filmed, which sessions and agents have alike."""
    base = f"notte://{kind}/{{id}}"
    return (
        ResourceTemplate(
            uri_template=f"{base}/steps{{?after,format}}", name=f"{name} steps", title=f"{whose} log", mime_type=NDJSON,
            description=(
                "One JSON object a line: each step, what was asked and done, and between them what else happened. "
                "after=12 or 12.3 (a line's number or cursor) goes on behind it; format=text reads better."
            ),
        ),
        ResourceTemplate(
            uri_template=f"{base}/steps/{{n}}/screenshot", name=f"{name} screenshot", title=f"{whose} step as a picture",
            mime_type=JPEG, description="What step n looked like, the element acted on marked.",
        ),
        ResourceTemplate(
            uri_template=f"{base}/replay{{?part}}", name=f"{name} replay", title=f"{whose} replay", mime_type=MP4,
            description="The video. More than 5.5 MB come in parts, part=1 and so on: one after the other they are it.",
        ),
        ResourceTemplate(
            uri_template=f"{base}/replay.html{{?part}}", name=f"{name} player", title=f"{whose} replay with its log",
            mime_type=HTML, description="A page to be opened in a browser: film, timeline, steps.",
        ),
    )  # fmt: skip


TEMPLATES: Final[Sequence[ResourceTemplate]] = (
    ResourceTemplate(
        uri_template="notte://sessions/{id}", name="session", title="A session", mime_type=JSON,
        description="How a session stands.",
    ),
    *_recorded("sessions", "session", "A session's"),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/files", name="files", title="A session's files", mime_type=JSON,
        description="What it downloaded, or may upload.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/files/{name}", name="file", title="A session's file",
        description="One file.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/cookies", name="cookies", title="A session's cookies", mime_type=JSON,
        description="Their names, domains and ends, and no values.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/network", name="network", title="A cloud session's network log",
        mime_type=JSON, description="As the cloud gives it.",
    ),
    ResourceTemplate(
        uri_template="notte://sessions/{id}/workflow/{target}", name="workflow", title="A session's script",
        description="Its steps as code: notte, playwright, pytest or json; notte.cloud is the cloud's own.",
    ),
    ResourceTemplate(
        uri_template="notte://agents/{id}", name="agent", title="An agent", mime_type=JSON,
        description="How an agent stands, its answer and what it used.",
    ),
    *_recorded("agents", "agent", "An agent's"),
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

_LAST_STEPS: Final = 100


async def completions(app: OpenApp, template: str, parameter: str, typed: str, known: Mapping[str, str]) -> list[str]:
    """Values of a template's parameter that begin with what was typed. `known` are the other parameters so far."""
    match parameter:
        case "target":
            values: Sequence[str] = TARGETS if template.startswith("notte://workflows/") else (*TARGETS, THEIRS)
        case "format":
            values = ("json", "text")
        case "part":
            values = ("1",)  # how many there are is told by the first one
        case "id":
            values = await _ids(await app(), template)
        case "n" | "after" if of := known.get("id"):
            values = await _numbers(await app(), of)
        case "name" if template.startswith("notte://workflows/"):
            values = [record.name for record in await (await app()).runs.workflows()]
        case "name" if session_id := known.get("id"):
            values = [name for name, _ in await (await app()).registry.files(session_id)]
        case _:
            values = ()
    return [value for value in values if value.startswith(typed)][:MAX_COMPLETIONS]


async def _ids(app: "App", template: str) -> list[str]:
    if template.startswith("notte://agents/"):
        return [record.id for record in await app.agents.agents()]
    if template.startswith("notte://runs/"):
        return [record.id for record in await app.runs.runs()]
    return [record.id for record in await app.registry.sessions()]


async def _numbers(app: "App", of: str) -> list[str]:
    """The last step numbers of a session or an agent, the newest first."""
    record = await (app.agents.record(of) if names_agent(of) else app.registry.record(of))
    return [str(number) for number in range(record.step_count, max(0, record.step_count - _LAST_STEPS), -1)]
