"""What dead servers left: run folders with their browsers, and short links in the temporary folder.

Who lives is told by the kernel's locks, as a starting server tells it; what is held is never touched.

Below: finding, state_folder. Above: examining.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from notte_mcp.doctor.finding import Finding, counted, failure, ok, warning
from notte_mcp.errors import NotteMCPError
from notte_mcp.settings import Settings
from notte_mcp.state_folder import PRINCIPALS, StateFolder


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of what is left over, of every principal; `fix` ends and removes it."""
    folders = [path for path in _folders(settings.state_dir) if (path / "run").is_dir()]
    if not folders:
        return
    try:
        yield _run_folders(folders, fix=fix)
    except NotteMCPError as error:
        yield failure("leftovers", error.what, error.next_call)
    except OSError as error:
        yield failure("leftovers", f"The run folders cannot be read ({error.strerror}).")
    yield _links(folders, fix=fix)


def _folders(state_dir: Path) -> Iterator[Path]:
    """The state folder, and those of named principals in it."""
    yield state_dir
    with suppress(OSError):
        yield from sorted(path for path in (state_dir / PRINCIPALS).iterdir() if not path.is_symlink())


def _run_folders(folders: Sequence[Path], *, fix: bool) -> Finding:
    # Looks only: what it is called and its lock are never made.
    dead = [
        (path, owner)
        for path in folders
        for owner in StateFolder(path, "", FileLock(path / "run" / "doctor.lock")).dead_owners()
    ]
    if not dead:
        return ok("leftovers", "No dead server left anything.")
    if not fix:
        owners = ", ".join(owner for _, owner in dead[:3])
        return warning(
            "leftovers", f"{counted(len(dead), 'server')} died and left browsers or folders ({owners}).",
            "notte-mcp doctor --fix, or the next start",
        )  # fmt: skip
    swept = sum(len(_swept(path)) for path in dict.fromkeys(path for path, _ in dead))
    return ok(
        "leftovers",
        "No dead server has left anything.",
        done=f"ended and removed what {counted(swept, 'server')} left",
    )


def _swept(path: Path) -> list[str]:
    folder = StateFolder.open(path)
    try:
        return folder.sweep()
    finally:
        folder.close()


def _links(folders: Sequence[Path], *, fix: bool) -> Finding:
    dangling = list(_dangling(folders))
    if not dangling:
        return ok("links", "None leads to a folder that is gone.")
    if not fix:
        return warning(
            "links",
            f"{counted(len(dangling), 'link')} to folders that are gone ({dangling[0]}).",
            "notte-mcp doctor --fix",
        )
    for link in dangling:
        link.unlink(missing_ok=True)
    return ok("links", "None leads to a folder that is gone.", done=f"removed {counted(len(dangling), 'link')}")


def _dangling(folders: Sequence[Path]) -> Iterator[Path]:
    runs = tuple(f"{path / 'run'}{os.sep}" for path in folders)
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 - where the links are
        for link in Path(base).glob("nm-*"):
            with suppress(OSError):
                if link.is_symlink() and str(link.readlink()).startswith(runs) and not link.exists():
                    yield link
