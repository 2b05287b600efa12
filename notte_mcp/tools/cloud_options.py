"""`session.cloud` of notte_start: how a session in the Notte cloud is asked for, by the names of Notte's contract.

All of it is checked here, so that nothing is sent that the API would refuse, and nothing is passed over. What the caller
did not set is not sent either: the cloud's own defaults hold. Source: the start fields of the contract (SDK 1.10).

Below: errors, records. Above: options.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from notte_mcp.errors import InvalidArgument

IDLE_MINUTES: Final = 3
"""When the cloud ends a session that nobody uses, unless told otherwise."""

DURATION_MINUTES: Final = 15
"""When the cloud ends a session anyway, unless told otherwise."""

MAX_IDLE_MINUTES: Final = 30
MAX_DURATION_MINUTES: Final = 24 * 60

MAX_REASONS: Final = 3

_OLD: Final = {
    "headless": "cloud browsers have no window; the live view shows them",
    "use_file_storage": "cloud sessions have their files without it",
    "timeout_minutes": "it is called idle_timeout_minutes",
}
"""Fields of older contracts, and what is to be said of them."""

Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Pixels = Annotated[int, Field(ge=500, le=10_000)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class NotteProxy(_Fields):
    """A proxy of Notte's own."""

    type: Literal["notte"]
    id: Text | None = None
    country: Text | None = None
    city: Text | None = None


class ExternalProxy(_Fields):
    """A proxy of the caller's."""

    type: Literal["external"]
    server: Text
    username: str | None = None
    password: str | None = None
    bypass: str | None = None


class TailnetProxy(_Fields):
    """A machine of the caller's Tailscale network."""

    type: Literal["tailnet"]
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = None
    exit_node: str | None = None


Proxy = Annotated[NotteProxy | ExternalProxy | TailnetProxy, Field(discriminator="type")]


class CloudProfile(_Fields):
    """A login state that the cloud keeps; written back where `persist` says so and the session is stopped."""

    id: Text
    persist: bool = False


class CloudStart(_Fields):
    """The start fields. `session_id` alone attaches to a session that is open in the cloud already."""

    session_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s/?#]+$")] | None = None
    solve_captchas: bool | None = None
    idle_timeout_minutes: Annotated[int, Field(ge=1, le=MAX_IDLE_MINUTES)] | None = None
    max_duration_minutes: Annotated[int, Field(ge=1, le=MAX_DURATION_MINUTES)] | None = None
    proxies: bool | Annotated[list[Proxy], Field(min_length=1, max_length=1)] | None = None
    browser_type: Literal["chromium", "chrome"] | None = None
    user_agent: Text | None = None
    chrome_args: list[Text] | None = None
    viewport_width: Pixels | None = None
    viewport_height: Pixels | None = None
    aspect_ratio: Literal["5:4", "16:9"] | None = None
    cdp_url: Text | None = None
    profile: CloudProfile | None = None
    screenshot_type: Literal["raw", "full", "last_action"] | None = None
    web_bot_auth: bool | None = None
    extra_http_headers: dict[str, str] | None = None
    vault_id: Text | None = None
    block_ads: bool | None = None
    advanced_stealth: bool | None = None
    demonstrate: bool | None = None
    auth_ids: Annotated[list[Text], Field(min_length=1, max_length=10)] | None = None
    wait_for_authentication: bool | None = None
    auth_retry: Annotated[int, Field(ge=0, le=2)] | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if wrong := _apart(self.model_dump(exclude_none=True)):
            raise ValueError(wrong)
        return self


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they were set, in the form that the contract has. Raises: ValueError: says what is wrong with them."""
    try:
        return CloudStart.model_validate(dict(given)).model_dump(mode="json", exclude_unset=True, exclude_none=True)
    except ValidationError as error:
        raise ValueError("; ".join(_reasons(error))) from None


def start_fields(asked: Mapping[str, Any], cloud: Mapping[str, Any]) -> dict[str, Any]:
    """The start fields of a session that was `asked` for by our own options, too: those that the cloud has go there.

    Raises:
        InvalidArgument: an option that no cloud session has, one that is set twice, or what does not go together.
    """
    for name, why in _OURS.items():
        if asked.get(name) not in (None, _OURS_DEFAULTS.get(name)):
            raise _refused(f"`{name}` is for browsers of this machine: {why}")
    both = {
        name: asked[name] for name in ("viewport_width", "viewport_height", "user_agent", "cdp_url") if name in asked
    }
    both |= {name: _whole(name, asked[name]) for name in _LIMITS if name in asked}
    if "proxy" in asked:
        both["proxies"] = [_external(asked["proxy"])]
    if "session_id" in cloud:
        # Its limits are set already; ours say how long it is kept from here.
        both = {name: value for name, value in both.items() if name not in _LIMITS}
    for name, value in both.items():
        if cloud.get(name, value) != value:
            raise _refused(f"`{name}` is given twice, with different values, in `session` and in `session.cloud`")
    try:
        return checked({**both, **cloud})
    except ValueError as error:
        raise _refused(str(error)) from error


def limits(fields: Mapping[str, Any]) -> tuple[float, float]:
    """How long the cloud keeps a session with these start fields: without a call, and in all (minutes)."""
    return fields.get("idle_timeout_minutes", IDLE_MINUTES), fields.get("max_duration_minutes", DURATION_MINUTES)


_LIMITS: Final = {"idle_timeout_minutes": MAX_IDLE_MINUTES, "max_duration_minutes": MAX_DURATION_MINUTES}

_OURS: Final = {
    "headless": "a cloud browser has no window; the live view shows it",
    "profile": 'a login state that is kept in the cloud is cloud={"profile": {"id": ..., "persist": true}}',
    "save_profile": 'cloud={"profile": {"id": ..., "persist": true}} keeps a login state in the cloud',
}
_OURS_DEFAULTS: Final[dict[str, Any]] = {"headless": True, "save_profile": False}


def _apart(given: Mapping[str, Any]) -> str:
    """Why these fields do not go together, or ""."""
    idle, longest = limits(given)
    if "session_id" in given and len(given) > 1:
        others = ", ".join(f"`{name}`" for name in given if name != "session_id")
        return f"`session_id` attaches to a session that is open already, and {others} would change nothing there"
    if idle > longest:
        return f"`idle_timeout_minutes` ({idle}) is longer than `max_duration_minutes` ({longest}, 15 unless set)"
    if len(ids := given.get("auth_ids", ())) != len(set(ids)):
        return "`auth_ids` holds one twice"
    return _sizes_apart(given) or _browsers_apart(given)


def _sizes_apart(given: Mapping[str, Any]) -> str:
    if ("viewport_width" in given) != ("viewport_height" in given):
        return "`viewport_width` and `viewport_height` go together"
    if "aspect_ratio" in given and "viewport_width" in given:
        return "`aspect_ratio` is for a session without `viewport_width` and `viewport_height`"
    return ""


def _browsers_apart(given: Mapping[str, Any]) -> str:
    if "cdp_url" not in given:
        return ""
    if given.get("proxies") is not False:
        return "`cdp_url` is another browser, which has its own proxy: `proxies` must be false"
    own = [name for name in _OF_THEIR_BROWSER if given.get(name)]
    return f"`cdp_url` is another browser, which `{own[0]}` cannot change" if own else ""


_OF_THEIR_BROWSER: Final = ("user_agent", "chrome_args", "viewport_width", "aspect_ratio", "advanced_stealth")


def _reasons(error: ValidationError) -> list[str]:
    found: list[str] = []
    for detail in error.errors(include_url=False, include_input=False)[:MAX_REASONS]:
        place = ".".join(str(part) for part in detail["loc"])
        if detail["type"] != "extra_forbidden":
            said = detail["msg"].removeprefix("Value error, ")
            found.append(f"`{place}`: {said}" if place else said)
        elif place in _OLD:
            found.append(f"`{place}` is none of its fields any more: {_OLD[place]}")
        elif "." in place:
            found.append(f"`{place}` is none of its fields")
        else:
            found.append(f"it has no field `{place}`; it takes: {', '.join(CloudStart.model_fields)}")
    return found


def _whole(name: str, minutes: float) -> int:
    """Our limit as the cloud takes it: whole minutes, so that it does not end first."""
    if (whole := math.ceil(minutes)) > _LIMITS[name]:
        raise _refused(f"`{name}` is at most {_LIMITS[name]} in the cloud")
    return whole


def _external(proxy: str) -> dict[str, Any]:
    parts = urlsplit(proxy)
    at = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    named = {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    return {"type": "external", "server": f"{parts.scheme}://{at}", **{k: v for k, v in named.items() if v}}


def _refused(what: str) -> InvalidArgument:
    return InvalidArgument(
        f"{what}.",
        done="Nothing was started or sent.",
        next_call='the same call, corrected; notte_read("notte://guide") lists the fields of session.cloud',
    )
