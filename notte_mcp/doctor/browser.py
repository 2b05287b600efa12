"""The browser: found, its version, its sandbox, and whether it renders a page for real.

The page is rendered by the engine that sessions use, in a folder of its own that is gone
afterwards; no state folder and no server is touched.

Below: finding, installing, engines.local. Above: examining.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

import anyio

from notte_mcp.doctor import installing
from notte_mcp.doctor.finding import Finding, failure, ok, warning
from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.local.launch import find_chromium
from notte_mcp.errors import BrowserMissing, NotteMCPError
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings

RENDER_S: Final = 45.0
"""How long the whole start may take; a first one on a cold disk is slow."""

_JPEG: Final = b"\xff\xd8"
_CHROMIUM: Final = re.compile("chrom|headless.?shell|edge|brave|opera|vivaldi", re.IGNORECASE)
"""In what browsers made of it call themselves."""

_SANDBOX: Final = "sandbox"


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of the browser; `fix` installs one where none starts and none is named."""
    path, done = _meant(settings), ""
    if path is None and settings.browser is None and fix and installing.install():
        path = _meant(settings)
        done = f"installed {path}"
    if path is None and settings.browser is not None:
        yield failure(
            "browser",
            f"NOTTE_MCP_BROWSER names {settings.browser}, which is no program.",
            "correct or unset NOTTE_MCP_BROWSER",
        )
        return
    if path is None:
        yield failure("browser", "No Chromium was found.", "notte-mcp doctor --fix installs one")
        return
    version = installing.version(str(path))
    if version is None:
        other = installing.find()
        mend = f"set NOTTE_MCP_BROWSER={other}" if other else "playwright install-deps chromium"
        yield failure("browser", f"The server would use {path}, which does not start.", mend)
        return
    version = version.splitlines()[0]
    if _CHROMIUM.search(version):
        yield ok("browser", f"{version} at {path}.", done=done)
    else:
        yield warning(
            "browser", f"{path} says `{version[:100]}`, which does not look like a Chromium.",
            "correct or unset NOTTE_MCP_BROWSER", done=done,
        )  # fmt: skip
    yield from _sandbox(settings)
    yield _rendering(settings, path)


def _meant(settings: Settings) -> Path | None:
    """The browser that the server would use."""
    own = None if settings.browser else installing.playwrights_own()
    try:
        return find_chromium(settings.browser, Path(own) if own else None)
    except BrowserMissing:
        return None


def _sandbox(settings: Settings) -> Iterator[Finding]:
    if settings.no_sandbox:
        yield warning(
            _SANDBOX, "Chromium runs without its sandbox (NOTTE_MCP_NO_SANDBOX): a page that breaks out of it has your "
            "rights.", "run as a user who is not root, and unset NOTTE_MCP_NO_SANDBOX",
        )  # fmt: skip
    elif hasattr(os, "geteuid") and os.geteuid() == 0:
        yield failure(
            _SANDBOX, "This user is root, and Chromium's sandbox does not work for root.",
            "run as another user; or set NOTTE_MCP_NO_SANDBOX=1 where running without one is acceptable",
        )  # fmt: skip
    elif hint := _namespaces():
        yield warning(_SANDBOX, *hint)
    else:
        yield ok(_SANDBOX, "Nothing that is known keeps Chromium from its sandbox.")


def _namespaces() -> tuple[str, str] | None:
    """Why this kernel may give a user no namespaces, and what mends it."""
    if sys.platform != "linux":
        return None
    # Name, the value that forbids, and the sysctl.
    for name, forbids in (("kernel/apparmor_restrict_unprivileged_userns", "1"), ("kernel/unprivileged_userns_clone", "0"),
                          ("user/max_user_namespaces", "0")):  # fmt: skip
        with suppress(OSError):
            if Path("/proc/sys", name).read_text(encoding="ascii").strip() == forbids:
                key = name.replace("/", ".")
                return f"{key} is {forbids}: only a set-uid or profiled Chromium has its sandbox.", (
                    "install your system's chromium with chromium-sandbox, or give the browser an AppArmor profile"
                )
    return None


def _rendering(settings: Settings, path: Path) -> Finding:
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="notte-mcp-doctor-", ignore_cleanup_errors=True) as folder:
            picture = anyio.run(_picture, settings, path, Path(folder))
    except NotteMCPError as error:
        return failure("rendering", f"It does not start: {error.what}", error.next_call)
    except TimeoutError:
        return failure("rendering", f"It rendered no page within {RENDER_S:.0f} s.", f"start {path} by hand to see why")
    if not picture.startswith(_JPEG):
        return failure("rendering", "It gave no picture of a page.", f"start {path} by hand to see why")
    took_ms = (time.monotonic() - begun) * 1_000
    return ok("rendering", f"Without a window it starts, renders a page and ends in {took_ms:.0f} ms.")


async def _picture(settings: Settings, path: Path, folder: Path) -> bytes:
    from notte_mcp.engines.local.engine import LocalEngine

    numbers = count(1)

    def tmp_for(_name: str) -> Path:
        made = folder / str(next(numbers))
        made.mkdir(mode=0o700)
        return made

    engine = LocalEngine(
        executable=path, no_sandbox=settings.no_sandbox, tmp_for=tmp_for, note_process=lambda _pid: None
    )
    try:
        with anyio.fail_after(RENDER_S):
            session = await engine.open(OpenRequest("ses_doctor", SessionSpec(), folder / "session"))
            return await session.screenshot(marks=False)
    finally:
        await engine.close(deadline_s=3)
