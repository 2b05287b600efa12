"""The `session` argument of notte_start: how a new session is asked for.

Checks form and bounds; an unknown key is refused. Below: records, cloud_options. Above: start.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from notte_mcp.errors import InvalidArgument
from notte_mcp.records import SessionSpec

_ADDRESS = re.compile(r"(?:https?|wss?|socks5)://[^\s]+", re.IGNORECASE)

Pixels = Annotated[int, Field(ge=100, le=4_000)]


class SessionOptions(BaseModel):
    """Options of a new session. None leaves the server's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["local", "notte"] | None = None
    cdp_url: str | None = Field(default=None, description="of a browser to drive")
    headless: bool | None = None
    viewport_width: Pixels | None = None
    viewport_height: Pixels | None = None
    user_agent: str | None = Field(default=None, min_length=1, max_length=1_000)
    proxy: str | None = Field(default=None, description="http://user:pass@host:port")
    profile: str | None = Field(default=None, max_length=100, description="a kept login state")
    save_profile: bool | None = Field(default=None, description="write it at notte_stop")
    own_browser: bool | None = Field(default=None, description="share no process")
    record: bool | None = None
    cloud: dict[str, Any] | None = Field(default=None, description="Notte's start fields (guide)")
    idle_timeout_minutes: Annotated[float, Field(gt=0, le=24 * 60)] | None = None
    max_duration_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] | None = None

    @field_validator("cdp_url", "proxy")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not _ADDRESS.fullmatch(value):
            raise ValueError("is no address such as http://host:port")
        return value

    @field_validator("cloud")
    @classmethod
    def _of_the_contract(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        from notte_mcp.tools import cloud_options  # late: a start needs none of its models

        return None if value is None else cloud_options.checked(value)

    def spec(self, defaults: SessionSpec) -> SessionSpec:
        """The session's specification: what was asked for, else the server's defaults.

        In the cloud its own limits are the default, since it ends a session by these whatever we say.

        Raises:
            InvalidArgument: an option of the other engine, or options that do not go together.
        """
        asked: dict[str, Any] = self.model_dump(exclude_none=True)
        values = {name: getattr(defaults, name) for name in SessionSpec.__slots__}
        if asked.get("engine", defaults.engine) == "notte":
            values |= _in_the_cloud(asked, values)
        elif "cloud" in asked:
            raise InvalidArgument(
                'session.cloud is for sessions in the Notte cloud, which session.engine="notte" asks for.',
                done="Nothing was started or sent.",
                next_call='the same call with "engine": "notte" in session, or without cloud',
            )
        return SessionSpec(**{**values, **asked})


def _in_the_cloud(asked: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """What a cloud session has where its caller says nothing; its start fields are put into `asked`."""
    from notte_mcp.tools import cloud_options

    fields = cloud_options.start_fields(asked, asked.get("cloud", {}))
    asked["cloud"] = fields
    told: dict[str, Any] = {"headless": True}
    if "session_id" not in fields:
        idle, longest = cloud_options.limits(fields)
        told["idle_timeout_minutes"] = min(idle, defaults["idle_timeout_minutes"])
        told["max_duration_minutes"] = min(longest, defaults["max_duration_minutes"])
        told |= {name: fields[name] for name in ("viewport_width", "viewport_height") if name in fields}
        # What was asked in the cloud's own words is asked of us, too.
        asked.update({name: float(fields[name]) for name in _LIMITS if name in fields and name not in asked})
    return told


_LIMITS = ("idle_timeout_minutes", "max_duration_minutes")
