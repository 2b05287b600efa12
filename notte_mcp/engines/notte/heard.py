"""What an agent's live log says, one frame at a time: an element of a step, a judge's remark, the end, or nothing.

Below: remote. Above: streaming.
"""

import json
from dataclasses import dataclass
from typing import Any, Final, cast

from notte_mcp.engines.remote import HostedRemark

_OF_STEPS: Final = frozenset({"type", "value", "action", "state"})


@dataclass(frozen=True, slots=True)
class Element:
    """Something of a step, as it came."""

    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """The agent is over. `status` is what the log says of it (empty: nothing)."""

    status: dict[str, Any]


Frame = Element | HostedRemark | End


def frame_of(message: str | bytes) -> Frame | None:
    """What a frame says; None for one that is no JSON, no object, or nothing that we know."""
    try:
        value = cast(object, json.loads(message))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    said = cast(dict[str, Any], value)
    match said:
        case {"validation": remark}:
            return HostedRemark(str(remark))
        case {"status": "agent_stop"}:
            status = said.get("agent")
            return End(cast(dict[str, Any], status) if isinstance(status, dict) else {})
        case {"status": str(status), "agent_id": str()} if status != "active":
            return End(said)  # as older servers end
        case _:
            return Element(said) if said.keys() & _OF_STEPS else None
