"""The state folder: where everything is kept, and which servers are alive in it.

    PATH/                     0700, ours
      sessions/ profiles/     what outlives a server
      run/OWNER.lock          locked by the kernel for as long as that server lives
      run/OWNER/              what must not outlive it: temporary folders, noted processes

A server that was killed leaves its run folder with a lock that can be taken:
whoever takes it ends what still runs and removes what is left. The lock stands
beside the folder, so that the folder is never there without its lock and goes
while the lock is held. Synchronous: the App calls it in a worker thread.

Below: processes, errors. Above: app (and whoever is handed its paths).
"""

import json
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple, Self

import psutil
from filelock import FileLock, Timeout

from notte_mcp import processes
from notte_mcp.errors import StateFolderUnusable

_OWNER: Final = re.compile(r"own_[0-9a-f]{12}")
_LONGEST_TMPDIR: Final = 56
"""Bytes. Chromium puts a socket some 45 bytes deeper and aborts when its path passes 104 (macOS) or 108."""
_SAME_START_S: Final = 2.0
"""A start time is the boot time plus ticks, and the boot time moves by a second when the clock is set right."""
_KILL_PATIENCE_S: Final = 2.0


PRINCIPALS: Final = "principals"
"""Where in a state folder those of the named principals lie, each with limits of its own."""


class _Noted(NamedTuple):
    """A line of the list of processes. `created` is psutil's create_time; `name` is for people."""

    pid: int
    created: float
    name: str


class StateFolder:
    """The state folder as one server holds it. Made by `open`; `owner` is this server's name in it."""

    def __init__(self, path: Path, owner: str, lock: FileLock) -> None:
        self.path = path
        self.owner = owner
        self._lock = lock
        self._numbers = count(1)
        self._links: set[Path] = set()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make or verify the folder and take a place in it.

        Raises:
            StateFolderUnusable: it cannot be made or written, is a link, or belongs to or is open to others.
        """
        path = path.absolute()
        _verify(path)
        owner = f"own_{secrets.token_hex(6)}"
        try:
            for name in ("sessions", "profiles", "run"):
                (path / name).mkdir(mode=0o700, exist_ok=True)
            lock = _lock_file(path / "run" / f"{owner}.lock")
            lock.acquire(timeout=5)
            folder = cls(path, owner, lock)
            folder.run_dir.mkdir(mode=0o700)
            me = {"pid": os.getpid(), "create_time": psutil.Process().create_time()}
            (folder.run_dir / "owner.json").write_text(json.dumps(me), encoding="utf-8")
        except OSError as error:
            raise _unusable(path, f"it cannot be written ({error.strerror})") from error
        return folder

    @property
    def sessions_dir(self) -> Path:
        return self.path / "sessions"

    @property
    def profiles_dir(self) -> Path:
        return self.path / "profiles"

    @property
    def run_dir(self) -> Path:
        """This server's own run folder."""
        return self._run_dir(self.owner)

    # --- what runs ---------------------------------------------------------------

    def browser_tmp(self, name: str) -> Path:
        """A fresh folder to be the TMPDIR of one browser or driver; given back with `discard`.

        It stands in the run folder. Where that path is too long for Chromium's
        socket, what is given is a short link to it.
        """
        number = next(self._numbers)
        folder = self.run_dir / f"{name}-{number}"
        folder.mkdir(mode=0o700)
        if sys.platform == "win32" or len(os.fsencode(folder)) <= _LONGEST_TMPDIR:
            return folder
        for base in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 - only a link, and nobody can change it
            link = Path(base) / f"nm-{self.owner[4:]}-{number}"
            if len(os.fsencode(link)) <= _LONGEST_TMPDIR:
                _append(self.run_dir / "links", str(link))
                link.symlink_to(folder)
                self._links.add(link)
                return link
        return folder

    def discard(self, tmp: Path) -> None:
        """Remove what `browser_tmp` gave, link and all. What is gone already is no error."""
        folder = tmp.resolve()
        if not folder.is_relative_to(self.run_dir.resolve()):
            return
        if tmp.is_symlink():
            tmp.unlink(missing_ok=True)
            self._links.discard(tmp)
        shutil.rmtree(folder, ignore_errors=True)

    def note_process(self, pid: int) -> None:
        """Remember a browser or driver, so that a later server ends it should this one not be able to."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            noted = _Noted(pid, process.create_time(), process.name())
            _append(self.run_dir / "processes", json.dumps(noted))

    def note_view(self, port: int, secret: bytes) -> None:
        """Leave word of this server's live view, for who may read the folder; it goes with the server."""
        path = self.run_dir / "view.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"port": port, "secret": secret.hex()}), encoding="ascii")

    # --- who lives ---------------------------------------------------------------

    def views(self) -> list[tuple[int, bytes]]:
        """(port, secret) of each live view in this folder."""
        found: list[tuple[int, bytes]] = []
        for owner in self._owners():
            with suppress(OSError, ValueError, KeyError, TypeError):
                noted = json.loads((self._run_dir(owner) / "view.json").read_text(encoding="ascii"))
                if self.owner_alive(owner):
                    found.append((int(noted["port"]), bytes.fromhex(noted["secret"])))
        return found

    def owner_alive(self, owner: str) -> bool:
        """Whether the server of this name lives. For a moment also true of one that another server looks at."""
        if owner == self.owner:
            return True
        if not _OWNER.fullmatch(owner) or not self._lock_path(owner).exists():
            return False
        if (lock := self._try_lock(owner)) is None:
            return True
        lock.release()
        return False

    def dead_owners(self) -> list[str]:
        """The owners whose run folder is left over."""
        return [owner for owner in self._owners() if self._run_dir(owner).is_dir() and not self.owner_alive(owner)]

    def sweep(self) -> list[str]:
        """End and remove what dead servers left behind; gives the owners so treated.

        Of two servers that sweep at once each leftover has one: whoever gets its lock.
        """
        swept: list[str] = []
        for owner in self._owners():
            if owner == self.owner or (lock := self._try_lock(owner)) is None:
                continue
            try:
                if self._run_dir(owner).is_dir():
                    _clear(self._run_dir(owner), hidden=True)
                    swept.append(owner)
                self._lock_path(owner).unlink(missing_ok=True)
            finally:
                lock.release()
        return swept

    def close(self) -> None:
        """End the noted processes that still live, remove the run folder, and leave. Idempotent."""
        if not self._lock.is_locked:
            return
        _clear(self.run_dir, hidden=False)
        # They stand elsewhere, and the folder in which they are noted may have been removed.
        for link in self._links:
            link.unlink(missing_ok=True)
        self._lock_path(self.owner).unlink(missing_ok=True)
        self._lock.release()

    def _owners(self) -> list[str]:
        names = {path.name.removesuffix(".lock") for path in (self.path / "run").iterdir()}
        return sorted(name for name in names if _OWNER.fullmatch(name))

    def _run_dir(self, owner: str) -> Path:
        return self.path / "run" / owner

    def _lock_path(self, owner: str) -> Path:
        return self.path / "run" / f"{owner}.lock"

    def _try_lock(self, owner: str) -> FileLock | None:
        lock = _lock_file(self._lock_path(owner))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock


# --- the folder -------------------------------------------------------------------


def _verify(path: Path) -> None:
    try:
        if path.is_symlink():
            raise _unusable(path, "it is a symbolic link")
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        if sys.platform == "win32":
            return
        if found.st_uid != os.geteuid():
            raise _unusable(path, f"it belongs to another user (uid {found.st_uid})")
        if stat.S_IMODE(found.st_mode) & 0o077:
            _close_to_others(path)
    except FileExistsError as error:
        raise _unusable(path, "it is not a folder") from error
    except OSError as error:
        raise _unusable(path, f"it cannot be made or read ({error.strerror})") from error


def _close_to_others(path: Path) -> None:
    # Only a folder that is ours or empty: were `/tmp` named by mistake, to close it
    # to everybody else would do more harm than to refuse it.
    names = {entry.name for entry in path.iterdir()}
    if not names or {"profiles", "run", "sessions"} <= names:
        path.chmod(0o700)
    if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        raise _unusable(path, f"other users may open it (mode {mode:04o})", f"run `chmod 700 {path}`, or ")


def _unusable(path: Path, why: str, remedy: str = "") -> StateFolderUnusable:
    return StateFolderUnusable(
        f"The state folder {path} cannot be used: {why}.",
        next_call=f"{remedy}set NOTTE_MCP_STATE_DIR to a folder of your own and start the server again",
    )


def _lock_file(path: Path) -> FileLock:
    # Not per thread: worker threads come and go. Not soft: a file's mere existence
    # would outlive a killed server.
    return FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


# --- what is left over ------------------------------------------------------------


def _clear(folder: Path, *, hidden: bool) -> None:
    """End what a run folder's server started, and remove the folder with its links.

    `hidden` looks also for what was started and not noted any more: processes
    whose TMPDIR lies in the folder.
    """
    _end(_noted(folder))
    if hidden:
        _end(_living_in(folder))
    for line in _lines(folder / "links"):
        link = Path(line)
        if link.is_symlink() and link.resolve().is_relative_to(folder.resolve()):
            link.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _noted(folder: Path) -> Iterator[psutil.Process]:
    for line in _lines(folder / "processes"):
        # A line that its writer did not live to finish is passed over.
        with suppress(psutil.Error, ValueError, TypeError):
            noted = _Noted(*json.loads(line))
            process = psutil.Process(noted.pid)
            if abs(process.create_time() - noted.created) < _SAME_START_S:
                yield process


def _living_in(folder: Path) -> Iterator[psutil.Process]:
    home = folder.resolve()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            tmp = process.environ().get("TMPDIR")
            if tmp and process.pid != os.getpid() and Path(tmp).resolve().is_relative_to(home):
                yield process


def _end(roots: Iterable[psutil.Process]) -> None:
    """Kill these processes and all their descendants, and wait until they are gone."""
    processes.end([one for root in roots for one in processes.tree(root)], within_s=_KILL_PATIENCE_S)
