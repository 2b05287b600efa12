"""What dead servers left: run folders with their browsers, and short links in the temporary folder.

Who lives is told by the kernel's locks, as a starting server tells it; what is held is never touched.

Below: finding, state_folder. Above: examining.
"""

import json
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from filelock import FileLock

from notte_mcp.doctor.finding import Finding, counted, failure, ok, warning
from notte_mcp.errors import NotteMCPError
from notte_mcp.settings import Settings
from notte_mcp.state_folder import PRINCIPALS, StateFolder

_KINDS: Final = {"notte_mcp.keeper": "the keeper", "serve": "notte-mcp serve"}


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of what is left over, of every principal; `fix` ends and removes it."""
    found = [path for path in folders(settings.state_dir) if (path / "run").is_dir()]
    if not found:
        return
    try:
        yield _run_folders(found, fix=fix)
        yield from _alive(found)
    except NotteMCPError as error:
        yield failure("leftovers", error.what, error.next_call)
    except OSError as error:
        yield failure("leftovers", f"The run folders cannot be read ({error.strerror}).")
    yield _links(found, fix=fix)


def folders(state_dir: Path) -> Iterator[Path]:
    """The state folder, and those of named principals in it."""
    yield state_dir
    with suppress(OSError):
        yield from sorted(path for path in (state_dir / PRINCIPALS).iterdir() if not path.is_symlink())


def looking(path: Path) -> StateFolder:
    """A state folder to be looked at: its name as an owner and its lock are never made."""
    return StateFolder(path, "", FileLock(path / "run" / "doctor.lock"))


def _run_folders(folders: Sequence[Path], *, fix: bool) -> Finding:
    dead = [(path, owner) for path in folders for owner in looking(path).dead_owners()]
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


def _alive(folders: Sequence[Path]) -> Iterator[Finding]:
    """The servers that live; one of `serve` is in the folder of each principal that it serves."""
    pids: dict[int, None] = {}
    for path in folders:
        state = looking(path)
        for noted in sorted((path / "run").glob("own_*/owner.json")):
            with suppress(OSError, ValueError, KeyError, TypeError):
                if state.owner_alive(noted.parent.name):
                    pids[int(json.loads(noted.read_text(encoding="utf-8"))["pid"])] = None
    if pids:
        yield ok("servers", f"{counted(len(pids), 'server')} at work: {', '.join(map(_told, pids))}.")


def _told(pid: int) -> str:
    words: Collection[str] = ()
    with suppress(psutil.Error):
        words = psutil.Process(pid).cmdline()
    what = next((what for word, what in _KINDS.items() if word in words), "notte-mcp in one process")
    return f"{what} (process {pid})"


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
