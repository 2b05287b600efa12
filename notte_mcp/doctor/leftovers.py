"""What dead servers left: run folders with their browsers, and short links in the temporary folder.

Who lives is told by the kernel's locks, as a starting server tells it; what is held is never touched.

Below: finding, state_folder. Above: examining.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from notte_mcp.doctor.finding import Finding, failure, ok, warning
from notte_mcp.errors import NotteMCPError
from notte_mcp.settings import Settings
from notte_mcp.state_folder import StateFolder


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of what is left over; `fix` ends and removes it."""
    if not (settings.state_dir / "run").is_dir():
        return
    try:
        yield _run_folders(settings.state_dir, fix=fix)
    except NotteMCPError as error:
        yield failure("leftovers", error.what, error.next_call)
    except OSError as error:
        yield failure("leftovers", f"The run folders cannot be read ({error.strerror}).")
    yield _links(settings.state_dir, fix=fix)


def _run_folders(path: Path, *, fix: bool) -> Finding:
    # Looks only: what it is called and its lock are never made.
    dead = StateFolder(path, "", FileLock(path / "run" / "doctor.lock")).dead_owners()
    if not dead:
        return ok("leftovers", "No dead server left anything.")
    if not fix:
        return warning(
            "leftovers", f"{len(dead)} servers died and left browsers or folders ({', '.join(dead[:3])}).",
            "notte-mcp doctor --fix, or the next start",
        )  # fmt: skip
    folder = StateFolder.open(path)
    try:
        swept = folder.sweep()
    finally:
        folder.close()
    return ok(
        "leftovers", "No dead server has left anything.", done=f"ended and removed what {len(swept)} servers left"
    )


def _links(path: Path, *, fix: bool) -> Finding:
    dangling = list(_dangling(path))
    if not dangling:
        return ok("links", "None leads to a folder that is gone.")
    if not fix:
        return warning(
            "links", f"{len(dangling)} lead to folders that are gone ({dangling[0]}).", "notte-mcp doctor --fix"
        )
    for link in dangling:
        link.unlink(missing_ok=True)
    return ok("links", "None leads to a folder that is gone.", done=f"removed {len(dangling)} links")


def _dangling(path: Path) -> Iterator[Path]:
    run = f"{path / 'run'}{os.sep}"
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 - where the links are
        for link in Path(base).glob("nm-*"):
            with suppress(OSError):
                if link.is_symlink() and str(link.readlink()).startswith(run) and not link.exists():
                    yield link
