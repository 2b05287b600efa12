"""Where what was done is read again: the addresses in a tool's facts, and the same as links for hosts that show them.

Below: records, agent_records. Above: accounts, and the tools that answer with facts or with a failed step.
"""

from collections.abc import Mapping
from typing import Any, Final

from mcp.types import ResourceLink

from notte_mcp.agent_records import AgentRecord
from notte_mcp.records import SessionRecord
from notte_mcp.resources.content import JPEG, MP4, NDJSON

_SCRIPT: Final = "text/x-python"


def trail(record: SessionRecord | AgentRecord) -> dict[str, Any]:
    """`steps_uri` and `replay_uri` (None where nothing is filmed) of what has taken steps."""
    is_session = isinstance(record, SessionRecord)
    filmed = record.spec.record if is_session else record.spec.session.record
    base = f"notte://{'sessions' if is_session else 'agents'}/{record.id}"
    return {"steps_uri": f"{base}/steps", "replay_uri": f"{base}/replay" if filmed else None}


def links(told: Mapping[str, Any]) -> list[ResourceLink]:
    """Log, replay and script of what facts with a `trail` tell of; none without one."""
    if not (steps := told.get("steps_uri")):
        return []
    base = str(steps).removesuffix("/steps")
    found = [_link("steps", f"{steps}", NDJSON)]
    if told.get("replay_uri"):
        found.append(_link("replay", str(told["replay_uri"]), MP4))
    return [*found, _link("workflow", f"{base}/workflow/playwright", _SCRIPT)] if told.get("step_count") else found


def picture_of(session_id: str, step: int) -> ResourceLink:
    """A step's picture."""
    return _link(f"step {step}", f"notte://sessions/{session_id}/steps/{step}/screenshot", JPEG)


def _link(name: str, uri: str, mime_type: str) -> ResourceLink:
    return ResourceLink(type="resource_link", name=name, uri=uri, mime_type=mime_type)
