"""The settings that come with a connection, and how they go together with the keeper's own.

What a new session is, which model, which keys: a connection's own (`default_spec`, `endpoints`). What
belongs to the process (which browser, how many sessions) is the keeper's; a connection that asks for
something else there is refused in words, since to pass it over would be to do what it did not ask for.

Below: settings, caller, engines.notte.access. Above: connection, serve.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from notte_mcp.caller import Caller
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.keeper.link import named
from notte_mcp.settings import Settings

OF_PROCESS: Final = (
    "state_dir",
    "browser",
    "no_sandbox",
    "max_sessions",
    "max_tabs",
    "max_steps_per_session",
    "max_download_bytes",
    "max_session_bytes",
    "max_session_files",
    "max_upload_bytes",
    "max_page_mb",
    "max_browser_mb",
    "max_state_bytes",
    "min_free_bytes",
    "max_replay_bytes",
    "max_replay_minutes",
    "max_replays_bytes",
    "keep_replays_days",
    "viewer",
    "viewer_port",
    "keep_days",
    "upload_dirs",
    "max_agents",
    "keeper_idle_minutes",
)
"""Settings of the keeper as a whole. (`log_level` is its own too, and nobody is refused for it.)"""

ALLOWING: Final = frozenset({"no_sandbox", "upload_dirs"})
"""Those of them that allow something: who did not ask for it does not get it either."""


def settings_given(values: dict[str, str]) -> Settings:
    """The settings of a connection, from its greeting. Raises: SettingsWrong."""
    config = Path(values.get("config", ""))
    return Settings.read(
        as_settings(named(values, "flag.")),
        environ=named(values, "env."),
        config=config,
        folder=Path(values.get("folder", os.sep)),
    )


def caller_given(values: dict[str, str]) -> Caller:
    """Whose calls the connection's are."""
    return Caller(named(values, "env."), Path(values.get("folder", os.sep)))


def cloud_given(settings: Settings) -> CloudAccess:
    """On whose account the connection uses the Notte cloud."""
    key = settings.notte_api_key
    return CloudAccess(key.get_secret_value() if key is not None else None, settings.notte_api_url)


def as_settings(flags: Mapping[str, str]) -> dict[str, str | bool]:
    """Flags in the form that settings take."""
    return {
        name: value == "true" if name in ("no_sandbox", "headless") else value
        for name, value in flags.items()
        if name != "in_process"
    }


def mismatch(asked: Settings, kept: Settings) -> str:
    """What a connection wants of the process that the keeper is not, as words; "" when all is well."""
    wanted = [name for name in OF_PROCESS if name in ALLOWING or name in asked.model_fields_set]
    differ = [name for name in wanted if getattr(asked, name) != getattr(kept, name)]
    return ", ".join(f"{name} = {_told(kept, name)} (not {_told(asked, name)})" for name in differ)


def _told(settings: Settings, name: str) -> str:
    value: object = getattr(settings, name)
    return ":".join(map(str, settings.upload_dirs)) or "none" if name == "upload_dirs" else str(value)
