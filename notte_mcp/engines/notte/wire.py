"""The Notte contract's spelling and our values: how a session starts, how it stands, what an action came to.

Plain values in and out; nothing is sent from here. Actions are spelled by `spelling`, cookies by `cookies`. Only what a
caller set is spelled out, what is unknown is passed over, and what is missing is taken for its default. Facts: the
contract of SDK 1.10 (start fields, SessionResponse, ApiExecutionResponse).

Below: actions, records, remote, cloud_errors. Above: session, cloud, hosted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from notte_mcp.engines.notte.answers import without_tokens
from notte_mcp.engines.remote import RemoteSession
from notte_mcp.records import SessionSpec

ATTACH: Final = "session_id"
"""The key of `SessionSpec.cloud` that names a session to attach to."""

LIVE: Final = frozenset({"active", "authenticating"})
"""States of a session in which it can be worked with, or soon can."""

# --- starting -----------------------------------------------------------------

MAX_IDLE_MINUTES: Final = 30
MAX_MINUTES: Final = 1440
"""What the contract takes of both limits."""


def start_body(spec: SessionSpec) -> dict[str, Any]:
    """The body of `sessions/start`: `spec.cloud`, and what else of the specification no session has unless it was asked
    for. Its sizes and limits are those of this machine's sessions, which the cloud's have only where `cloud` says so.

    A profile goes by its name there (`notte-profile-…`); one of this machine is no field of theirs.
    """
    body: dict[str, Any] = {}
    if spec.user_agent is not None:
        body["user_agent"] = spec.user_agent
    if spec.headers:
        body["extra_http_headers"] = spec.headers
    if spec.proxy is not None:
        body["proxies"] = [external_proxy(spec.proxy)]
    if spec.cdp_url is not None:
        # It has a proxy of its own, and theirs are on unless told otherwise.
        body |= {"cdp_url": spec.cdp_url, "proxies": False}
    if is_cloud_profile(spec.profile):
        body["profile"] = {"id": spec.profile} | ({"persist": True} if spec.save_profile else {})
    return body | {name: value for name, value in spec.cloud.items() if name != ATTACH}


def is_cloud_profile(name: str | None) -> bool:
    """Whether a profile's name is one of theirs."""
    return name is not None and name.startswith("notte-profile-")


def external_proxy(url: str) -> dict[str, Any]:
    """A proxy's URL as their proxy of one's own."""
    parts = urlsplit(url)
    server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    named = {"username": parts.username, "password": parts.password}
    return {"type": "external", "server": server} | {k: unquote(v) for k, v in named.items() if v is not None}


# --- the session --------------------------------------------------------------

_FACTS: Final = (
    "created_at", "closed_at", "last_accessed_at", "duration", "idle_timeout_minutes", "max_duration_minutes",
    "error", "proxies", "browser_type", "network_request_bytes", "network_response_bytes", "user_agent",
    "viewport_width", "viewport_height", "solve_captchas", "web_bot_auth",
)  # fmt: skip
"""What is told of a session besides. Not its `cdp_url`: whoever has that has the browser."""


def session_of(body: Mapping[str, Any], remote_id: str = "") -> RemoteSession:
    """A SessionResponse as ours."""
    state = text(body, "status") or "unknown"
    facts = {name: body[name] for name in _FACTS if body.get(name) is not None}
    if isinstance(error := facts.get("error"), str):
        facts["error"] = without_tokens(error)
    return RemoteSession(
        remote_id=text(body, "session_id") or remote_id,
        is_live=state in LIVE,
        state=state,
        close_reason=text(body, "close_reason"),
        viewer_url=public_url(text(body, "viewer_url")),
        facts=facts,
    )


def public_url(url: str) -> str | None:
    """An address that may be shown: with no query, fragment or user in it, where a token would stand."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    secretive = parts.query or parts.fragment or "@" in parts.netloc or "token" in parts.path.lower()
    return url if parts.scheme in {"http", "https"} and parts.hostname and not secretive else None


def text(body: Mapping[str, Any], name: str) -> str:
    """A field that is a text; empty where it is missing or none."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    if not isinstance(value, list):
        return []
    return [cast(dict[str, Any], one) for one in cast(list[Any], value) if isinstance(one, dict)]


def object_of(value: Any) -> dict[str, Any]:
    """The object; empty where it is none."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


# --- what was done ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Executed:
    """An ApiExecutionResponse. `error_type` is the class of theirs that it failed with; `executed` is false where a
    captcha stood before the action, so that it is to be sent again (None: it does not say)."""

    success: bool
    message: str
    error_type: str = ""
    markdown: str = ""
    structured: dict[str, Any] | None = None
    captcha: dict[str, Any] | None = None
    executed: bool | None = None
    action: dict[str, Any] = field(default_factory=dict[str, Any])


def executed(body: Mapping[str, Any]) -> Executed:
    """The result of one action; one that does not say whether it succeeded did not."""
    detail, found = object_of(body.get("exception_detail")), object_of(body.get("data"))
    success = body.get("success") is True
    words = (text(body, "message"), text(detail, "agent_message"), text(body, "exception"))
    done = body.get("action_executed")
    return Executed(
        success=success,
        message=next((word for word in words if word), "" if success else "It failed, and the cloud does not say why."),
        error_type=text(detail, "error_type"),
        markdown=text(found, "markdown"),
        structured=object_of(found.get("structured")) or None,
        captcha=object_of(body.get("captcha")) or None,
        executed=done if isinstance(done, bool) else None,
        action=object_of(body.get("action")),
    )
