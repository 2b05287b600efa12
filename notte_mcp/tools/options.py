"""The `session` argument of notte_start: how a new session is asked for.

Checks form and bounds; an unknown key is refused. Below: records. Above: start.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from notte_mcp.records import SessionSpec

_ADDRESS = re.compile(r"(?:https?|wss?|socks5)://[^\s]+", re.IGNORECASE)

Pixels = Annotated[int, Field(ge=100, le=4_000)]


class SessionOptions(BaseModel):
    """Options of a new session. None leaves the server's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["local", "notte"] | None = None
    cdp_url: str | None = Field(default=None, description="drive the browser at this CDP address")
    headless: bool | None = None
    viewport_width: Pixels | None = None
    viewport_height: Pixels | None = None
    user_agent: str | None = Field(default=None, min_length=1, max_length=1_000)
    proxy: str | None = Field(default=None, description="http://user:pass@host:port")
    profile: str | None = Field(default=None, max_length=100, description="name of a kept login state")
    save_profile: bool | None = Field(default=None, description="write it at notte_stop")
    own_browser: bool | None = Field(default=None, description="share no process with other sessions")
    record: bool | None = None
    idle_timeout_minutes: Annotated[float, Field(gt=0, le=24 * 60)] | None = None
    max_duration_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] | None = None

    @field_validator("cdp_url", "proxy")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not _ADDRESS.fullmatch(value):
            raise ValueError("is no address such as http://host:port")
        return value

    def spec(self, defaults: SessionSpec) -> SessionSpec:
        """The session's specification: what was asked for, else the server's defaults."""
        asked: dict[str, Any] = self.model_dump(exclude_none=True)
        return SessionSpec(**{**{name: getattr(defaults, name) for name in SessionSpec.__slots__}, **asked})
