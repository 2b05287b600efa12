"""All checks, in their order. Each is by itself: one that fails in a way nobody expected is a finding, too.

Below: the checks. Above: commands.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from notte_mcp.doctor import browser, cloud, database, folder, keepers, leftovers, machine, models
from notte_mcp.doctor.finding import Finding, failure, ok, warning
from notte_mcp.settings import Settings, SettingsWrong, default_config_file, strangers

CHECKS: Final = (
    machine.check,
    folder.check,
    database.check,
    leftovers.check,
    keepers.check,
    browser.check,
    models.check,
    cloud.check,
)


def examine(flags: Mapping[str, Any], *, fix: bool) -> Iterator[Finding]:
    """Every finding, as soon as it is made."""
    config = default_config_file()
    try:
        settings = Settings.read(flags)
        yield ok("settings", f"They fit ({config if config.is_file() else f'no {config}'}).")
    except SettingsWrong as error:
        text = str(error)
        yield failure("settings", text[:1].upper() + text[1:], f"correct it; nothing starts like this ({config})")
        try:
            settings = Settings.read(flags, environ=dict(os.environ), config=Path(os.devnull))
        except SettingsWrong:
            return
    for name, near in strangers(os.environ):
        yield warning(
            "environment", f"{name} is set, and there is no such setting.", f"{near} may be meant" if near else ""
        )
    for check in CHECKS:
        try:
            yield from check(settings, fix=fix)
        except Exception as error:  # noqa: BLE001 - the others are looked at all the same
            name = check.__module__.rsplit(".", 1)[-1]
            yield failure(name, f"The check itself failed: {type(error).__name__}: {error}.", "report it")
