"""Profiles: login states by name, each held by one session at a time.

A profile is a storage state in Playwright's form (cookies, and local storage by
origin). It is as good as the passwords behind it: mode 0600, and no value of it
in any error. Synchronous: the registry calls it in a worker thread.

Below: errors. Above: registry, app.
"""

import json
import os
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from filelock import FileLock, Timeout

from notte_mcp.errors import InvalidArgument, ProfileLocked, StateFolderUnusable

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ProfileTold:
    """A profile in a list: its name, what a person calls it ("" where nobody said), when it was written (Unix seconds)."""

    name: str
    label: str
    at: float


class ProfileLock:
    """A profile while a session holds it. The kernel releases it when the process dies."""

    def __init__(self, lock: FileLock, holder_file: Path) -> None:
        self._lock = lock
        self._holder_file = holder_file

    def release(self) -> None:
        """Let it go. Idempotent."""
        if self._lock.is_locked:
            with suppress(OSError):
                self._holder_file.unlink(missing_ok=True)
            self._lock.release()


class ProfileStore:
    """The profiles in one folder, which is made when it is first written to.

    Raises (every method): InvalidArgument for a name that is none,
    StateFolderUnusable where the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> dict[str, Any] | None:
        """The state kept under a name; None where there is none yet."""
        path = self._path(name, "json")
        with self._usable():
            try:
                text = path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            state: object = json.loads(text)
        except ValueError:
            state = None
        if not isinstance(state, dict):
            raise InvalidArgument(
                f"The profile `{name}` cannot be read: {path} is no storage state.",
                kept="The file is as it was.",
                next_call="leave `profile` out or name another one; to begin it anew, delete that file",
            )
        return cast(dict[str, Any], state)

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Keep a state under a name. A crash leaves the old one or the new one, whole."""
        path = self._path(name, "json")
        text = json.dumps(state)
        with self._usable():
            self._make_folder()
            # `mkstemp` makes it 0600; the dot keeps it apart from every profile.
            file, fresh = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=self._folder)
            try:
                with os.fdopen(file, "w", encoding="utf-8") as writer:
                    writer.write(text)
                    writer.flush()
                    os.fsync(writer.fileno())
                Path(fresh).replace(path)
            except BaseException:
                Path(fresh).unlink(missing_ok=True)
                raise

    def names(self) -> list[ProfileTold]:
        """The profiles that there are, by name."""
        with self._usable():
            found = [path for path in self._folder.glob("*.json") if _NAME.fullmatch(path.stem)]
            return sorted(
                (ProfileTold(path.stem, self._label(path.stem), path.stat().st_mtime) for path in found),
                key=lambda one: one.name,
            )

    def call(self, name: str, label: str) -> None:
        """Keep what a person calls it, beside it."""
        path = self._path(name, "label")
        with self._usable():
            self._make_folder()
            path.touch(mode=0o600)
            path.write_text(label, encoding="utf-8", errors="replace")

    def drop(self, name: str, holder: str) -> bool:
        """Remove a profile; False where there was none.

        Raises:
            ProfileLocked: a session holds it.
        """
        held = self.lock(name, holder)
        try:
            with self._usable():
                path = self._path(name, "json")
                was_there = path.exists()
                for suffix in ("json", "label"):
                    self._path(name, suffix).unlink(missing_ok=True)
                return was_there
        finally:
            held.release()

    def _label(self, name: str) -> str:
        try:
            return self._path(name, "label").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def lock(self, name: str, holder: str) -> ProfileLock:
        """Hold a profile for a session; `holder` is the session's id.

        Raises:
            ProfileLocked: another session holds it, in this server or another one.
        """
        path, holder_file = self._path(name, "lock"), self._path(name, "holder")
        with self._usable():
            self._make_folder()
            # Not per thread: what one worker thread takes, another one gives back.
            lock = FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise _locked(name, holder_file) from None
            held = ProfileLock(lock, holder_file)
            try:
                holder_file.touch(mode=0o600)
                holder_file.write_text(f"session {holder} of process {os.getpid()}", encoding="utf-8")
            except BaseException:
                held.release()
                raise
        return held

    def _path(self, name: str, suffix: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InvalidArgument(
                f"{name!r} is no name for a profile: 1 to 64 letters, digits, dots, dashes and underscores, "
                "and no dot in front.",
                next_call="the same call with another `profile`",
            )
        return self._folder / f"{name}.{suffix}"

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def _usable(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise StateFolderUnusable(
                f"The folder of profiles {self._folder} cannot be used ({error.strerror}).",
                next_call="set NOTTE_MCP_STATE_DIR to a folder of your own and start the server again",
            ) from error


def _locked(name: str, holder_file: Path) -> ProfileLocked:
    try:
        holder = holder_file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        holder = ""
    return ProfileLocked(
        f"The profile `{name}` is held by {holder or 'another session'}.",
        kept="The profile is as it was.",
        next_call="notte_stop of that session, or another `profile`",
    )
