"""The state folder: whose it is, who may open it, what is in it, and how much room there is.

Below: finding, room, state_folder, registry.sweeping, store. Above: examining.
"""

import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio

from notte_mcp.doctor.finding import Finding, counted, failure, ok, warning
from notte_mcp.errors import NotteMCPError
from notte_mcp.room import Room, measure, told
from notte_mcp.settings import Settings
from notte_mcp.state_folder import PRINCIPALS, StateFolder

_OTHERS: Final = 0o077
_OURS: Final = frozenset({"profiles", "run", "sessions"})
_DAY_S: Final = 86_400

# What browsers of live servers make and unmake all the time; nobody comes there but through folders that are looked at.
_PASSED_OVER: Final = frozenset({"run", "cache"})


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of the folder; `fix` makes it and closes it to others, and sweeps where it holds too much."""
    path = settings.state_dir
    if not os.path.lexists(path):
        yield _absent(path, fix=fix)
        return
    found = list(_unusable(path))
    yield from found
    if found:
        return
    yield _mode(path, fix=fix)
    yield _inside(path, fix=fix)
    yield _writable(path)
    yield _room(settings, fix=fix)


def _absent(path: Path, *, fix: bool) -> Finding:
    if not fix:
        parent = next(one for one in path.parents if os.path.lexists(one))
        try:
            # Tried, since permissions do not tell of file systems that take nothing.
            tempfile.TemporaryDirectory(prefix=".notte-mcp-doctor-", dir=parent).cleanup()
        except OSError as error:
            why = f"{path} is not there and cannot be made: nothing can be made in {parent} ({error.strerror})."
            return failure("state folder", why, "set NOTTE_MCP_STATE_DIR to a folder of your own")
        return ok("state folder", f"{path} is not there yet; the first start makes it.")
    try:
        StateFolder.open(path).close()
    except NotteMCPError as error:
        return failure("state folder", error.what, error.next_call)
    return ok("state folder", f"{path} is there, and yours alone.", done=f"made {path} (0700)")


def _unusable(path: Path) -> Iterator[Finding]:
    elsewhere = "set NOTTE_MCP_STATE_DIR to a folder of your own"
    if path.is_symlink():
        yield failure("state folder", f"{path} is a symbolic link.", elsewhere)
    elif not path.is_dir():
        yield failure("state folder", f"{path} is not a folder.", elsewhere)
    elif sys.platform != "win32" and (uid := path.stat().st_uid) != os.geteuid():
        yield failure("state folder", f"{path} belongs to another user (uid {uid}).", elsewhere)


def _mode(path: Path, *, fix: bool) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if sys.platform == "win32" or not mode & _OTHERS:
        return ok("state folder", f"{path} is yours alone.")
    names = {entry.name for entry in path.iterdir()}
    # As a start judges it: a folder that something else lives in is not ours to close.
    if names and not names >= _OURS:
        return failure(
            "state folder", f"Other users may open {path} (mode {mode:04o}), and it is not known to be this program's.",
            f"chmod 700 {path}, or set NOTTE_MCP_STATE_DIR to a folder of your own",
        )  # fmt: skip
    if not fix:
        return failure("state folder", f"Other users may open {path} (mode {mode:04o}).", f"chmod 700 {path}")
    path.chmod(0o700)
    return ok("state folder", f"{path} is yours alone.", done=f"closed it to other users (0700, it was {mode:04o})")


def _inside(path: Path, *, fix: bool) -> Finding:
    if sys.platform == "win32":
        return ok("files inside", "Their permissions are Windows' own.")
    open_ones = list(_open_to_others(path))
    if not open_ones:
        return ok("files inside", "Nobody else may open what is in it.")
    if not fix:
        first = ", ".join(str(one.relative_to(path)) for one in open_ones[:3])
        return warning(
            "files inside", f"{len(open_ones)} in it may be opened by others: {first}.", f"chmod -R go= {path}"
        )
    for one in open_ones:
        with suppress(OSError):
            one.chmod(stat.S_IMODE(one.stat().st_mode) & ~_OTHERS)
    return ok("files inside", "Nobody else may open what is in it.", done=f"closed {len(open_ones)} of them to others")


def _open_to_others(folder: Path, *, top: bool = True) -> Iterator[Path]:
    with suppress(OSError):
        for entry in os.scandir(folder):
            with suppress(OSError):
                if not entry.is_symlink() and entry.stat(follow_symlinks=False).st_mode & _OTHERS:
                    yield Path(entry.path)
                if not entry.is_dir(follow_symlinks=False) or (top and entry.name in _PASSED_OVER):
                    continue
                if top and entry.name == PRINCIPALS:
                    for theirs in Path(entry.path).iterdir():
                        yield from _of_principal(theirs)
                else:
                    yield from _open_to_others(Path(entry.path), top=False)


def _of_principal(folder: Path) -> Iterator[Path]:
    if not folder.is_symlink() and folder.lstat().st_mode & _OTHERS:
        yield folder
    if folder.is_dir() and not folder.is_symlink():
        yield from _open_to_others(folder)


def _writable(path: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"x" * 4_096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return failure("writing", f"{path} cannot be written ({error.strerror}).", "make room, or make it writable")
    return ok("writing", "It can be written.")


def _room(settings: Settings, *, fix: bool) -> Finding:
    room = Room(settings.state_dir, max_bytes=settings.max_state_bytes, min_free=settings.min_free_bytes)
    use = measure(settings.state_dir)
    done = ""
    if room.of(use) and fix:
        done = _swept(settings)
        use = measure(settings.state_dir)
    if short := room.of(use):
        return failure("room", short, "make room on its disk, or set keep_days lower and run this again", done=done)
    return ok("room", f"It holds {told(use.total)}, and {told(use.free)} are free.", done=done)


def _swept(settings: Settings) -> str:
    """Remove what is older than keep_days, and films that are too old or too much; gives what was done."""
    older_than = time.time() - settings.keep_days * _DAY_S
    try:
        gone, films = anyio.run(_sweep, settings)
    except NotteMCPError as error:
        return f"old records could not be swept: {error.what}"
    except OSError as error:
        return f"old recordings could not be swept ({error.strerror})"
    aside = [
        p for p in settings.state_dir.glob(f"{settings.database.name}.corrupt-*") if p.stat().st_mtime < older_than
    ]
    for path in aside:
        path.unlink(missing_ok=True)
    removed = [f"removed {counted(len(gone), 'session')} older than {settings.keep_days:g} days"]
    removed += [counted(len(films), "recording")] if films else []
    removed += [counted(len(aside), "damaged database")] if aside else []
    return " and ".join(removed)


async def _sweep(settings: Settings) -> tuple[list[str], list[str]]:
    """The sessions that went, and those whose film did."""
    from notte_mcp.registry.sweeping import Keep, Sweep
    from notte_mcp.store.sql import SqlStore

    keep = Keep(settings.keep_days, settings.keep_replays_days, settings.max_replays_bytes)
    sweep = Sweep(settings.state_dir / "sessions", keep)
    store = await SqlStore.open(settings.database)
    try:
        return await sweep.records(store), await sweep.films(store)
    finally:
        await store.close()
