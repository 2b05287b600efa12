"""The machine: Python, what ends browsers with their server, open files, shared memory, a display.

Below: finding. Above: examining.
"""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from notte_mcp import __version__
from notte_mcp.doctor.finding import Finding, ok, warning
from notte_mcp.room import told
from notte_mcp.settings import Settings

FILES: Final = 1_024
"""Open files that sixteen sessions get along with."""

SHARED: Final = 256_000_000
"""Bytes of /dev/shm that some tabs with pictures get along with (Docker gives 64 MB)."""

_SHM: Final = Path("/dev/shm")  # noqa: S108 - looked at, never written to


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of the machine; nothing of it is changed."""
    del fix
    version = platform.python_version()
    yield ok("python", f"notte-mcp {__version__} on Python {version}, {platform.platform(terse=True)}.")
    yield from _files()
    yield from _shared_memory()
    yield from _death()
    yield from _display(settings)


def _files() -> Iterator[Finding]:
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FILES:
        yield warning("open files", f"A process may open {soft} files; many sessions need more.", f"ulimit -n {hard}")
    else:
        yield ok("open files", f"A process may open {soft if soft >= 0 else 'any number of'} files.")


def _shared_memory() -> Iterator[Finding]:
    if not _SHM.is_dir():
        return
    total = shutil.disk_usage(_SHM).total
    if total < SHARED:
        yield warning(
            "shared memory", f"{_SHM} has {told(total)}; pages with large pictures may crash.",
            "start the container with --shm-size=1g",
        )  # fmt: skip
    else:
        yield ok("shared memory", f"{_SHM} has {told(total)}.")


def _death() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    if shutil.which("setpriv") is None:
        yield warning(
            "setpriv", "There is no setpriv, so a browser that is stopped (SIGSTOP) may outlive a killed server until "
            "the next one starts.", "install util-linux",
        )  # fmt: skip
    else:
        yield ok("setpriv", "Browsers die with their server, however it dies.")


def _display(settings: Settings) -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    if found := os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY"):
        yield ok("display", f"Windows can be shown on {found}.")
    elif settings.headless:
        yield ok("display", "There is none, and none is needed while browsers have no window (--headful needs one).")
    else:
        yield warning("display", "There is none, and --headful needs one.", "leave out --headful, or use xvfb-run")
