"""What facts tell of a session in the cloud besides: its id there, the limits that hold there, its viewer, its script.

Below: records, engines.remote, resources.elsewhere. Above: sessions, workflows, accounts.
"""

from typing import TYPE_CHECKING, Any

from notte_mcp.agent_records import AgentRecord
from notte_mcp.records import SessionRecord
from notte_mcp.resources.elsewhere import code_uri

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.engines.remote import RemoteSession


async def cloud_facts(app: "App", record: SessionRecord) -> dict[str, Any] | None:
    """What the cloud says of a session that has just begun or is gone on with; None for one of this machine."""
    if not record.remote_id:
        return None
    stands = await app.registry.stands(record.id)
    told: dict[str, Any] = {"session_id": record.remote_id}
    if stands is None:
        return told | {"answered": False}
    names = ("idle_timeout_minutes", "max_duration_minutes")
    told |= {name: stands.facts[name] for name in names if stands.facts.get(name) is not None}
    told |= {"viewer_url": stands.viewer_url} if stands.viewer_url else {}
    return told


def cloud_line(told: dict[str, Any] | None) -> str:
    """The same in a line, or ""."""
    if told is None:
        return ""
    line = f"cloud session {told['session_id']}"
    if not told.get("answered", True):
        return f"{line}; the cloud does not answer now, so whether it is still there is not known"
    if "idle_timeout_minutes" in told and "max_duration_minutes" in told:
        idle, longest = told["idle_timeout_minutes"], told["max_duration_minutes"]
        line += f"; the cloud ends it {idle} min after the last call, and {longest} min after its start at the latest"
    return f"{line}; its viewer: {told['viewer_url']}" if "viewer_url" in told else line


def gone_on_with(stands: "RemoteSession | None") -> str:
    """What is said of a cloud session that a server came back to."""
    since = f", open there since {stands.facts['created_at']}" if stands and stands.facts.get("created_at") else ""
    return f"gone on with in the same cloud session{since}: nothing was loaded or done again."


async def engine_code(app: "App", of: str) -> str | None:
    """The address of the script that the cloud made by itself of a session or an agent there; None where there is none."""
    from notte_mcp.resources.script import names_agent

    record: SessionRecord | AgentRecord = await (app.agents.record(of) if names_agent(of) else app.registry.record(of))
    return code_uri(record) if record.remote_id else None
