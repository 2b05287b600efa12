"""A session as the contract tells it (SessionResponse).

Below: trajectory, calls, moments; records. Above: sessions.
"""

import math
import time
from typing import Any, Final

from notte_mcp.api.calls import ApiCall
from notte_mcp.api.moments import moment
from notte_mcp.api.trajectory import trajectory
from notte_mcp.records import LIVE_STATES, SessionRecord

_CLOSE_REASONS: Final = {
    "user": "manual", "idle_timeout": "idle_timeout", "max_duration": "max_duration", "error": "error",
    "crash": "error", "restart": "error",
}  # fmt: skip

_ERRORS: Final = {
    "crash": "The browser went away.",
    "restart": "The process that had the browser has ended.",
}


async def session_json(call: ApiCall, record: SessionRecord, *, steps: bool = True) -> dict[str, Any]:
    """It as an answer's JSON, with its trajectory where that is wanted."""
    spec, is_live = record.spec, record.state in LIVE_STATES
    over = None if is_live else record.updated_at
    echoed = {name: spec.cloud[name] for name in _ECHOED if name in spec.cloud}
    return {
        "session_id": record.id,
        "idle_timeout_minutes": math.ceil(spec.idle_timeout_minutes),
        "timeout_minutes": math.ceil(spec.idle_timeout_minutes),
        "max_duration_minutes": math.ceil(spec.max_duration_minutes),
        "created_at": moment(record.created_at),
        "last_accessed_at": moment(record.updated_at),
        "closed_at": moment(over),
        "duration": f"PT{max(0.0, (over or time.time()) - record.created_at):.3f}S",
        "status": "active" if is_live else "closed",
        "close_reason": None if is_live else _CLOSE_REASONS.get(record.reason, "unknown"),
        "error": None if is_live else _ERRORS.get(record.reason),
        "steps": await trajectory(call.app, record.id) if steps else [],
        "proxies": spec.proxy is not None,
        "network_request_bytes": 0,
        "network_response_bytes": 0,
        "user_agent": spec.user_agent,
        "viewport_width": spec.viewport_width,
        "viewport_height": spec.viewport_height,
        "cdp_url": None,
        "viewer_url": call.app.view_url(record.id),
        "system_hidden": False,
        "headless": spec.headless,
        **_DEFAULTS,
        **echoed,
    }


_DEFAULTS: Final[dict[str, Any]] = {
    "browser_type": "chromium", "solve_captchas": False, "web_bot_auth": False, "auth_ids": [],
}  # fmt: skip
_ECHOED: Final = tuple(_DEFAULTS)
