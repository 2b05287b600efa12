"""What is known of a film besides its frames: where recording paused or ended, that it was swept, who reads it.

The note of a pause is made room for while there is room, since the usual reason for it is a full disk. A film that
is written or read is locked by the kernel (shared), so that a sweep of another server finds it out and a killed
process leaves no lock.

Below: nothing. Above: film, reel, retention, replays.
"""

import errno
import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

if sys.platform != "win32":
    import fcntl

FOLDER: Final = "replay"
"""In a session's folder: what was recorded, and what was made of it."""

FILM: Final = "film.bin"

SWEPT: Final = "swept.json"
"""What is left of a film that was swept: when, and why."""

_PAUSE: Final = "pause.json"
_ROOM: Final = 1_024
"""Bytes that the note may take."""
_WHY: Final = 140
"""Characters of its reason: fewer than fit whatever they are."""


@dataclass(frozen=True, slots=True)
class Pause:
    """From when to when (Unix seconds; None: it has not gone on) nothing was recorded, and why."""

    since: float
    why: str
    until: float | None = None

    def __str__(self) -> str:
        to = "on" if self.until is None else f"to {_told(self.until)}"
        return f"Nothing was recorded from {_told(self.since)} {to}: {self.why}"


def ended(folder: Path) -> str:
    """Why the film of a session's folder ends early, or has a gap; "" where it does not."""
    return "" if (pause := pause_of(folder)) is None else str(pause)


def swept(folder: Path) -> str:
    """When and why the film of a session's folder was swept, as a sentence; "" where it was not."""
    if (folder / FOLDER / FILM).exists() or (found := _read(folder / FOLDER / SWEPT)) is None:
        return ""
    try:
        return f"Its recording was removed on {_told(float(found['at']))}: {found['why']}"
    except (KeyError, TypeError, ValueError):
        return "Its recording was removed."


def pause_of(folder: Path) -> Pause | None:
    """The last pause of a film; None where there was none."""
    if (found := _read(folder / FOLDER / _PAUSE)) is None:
        return None
    try:
        until = found["until"]
        return Pause(float(found["since"]), str(found["why"]), None if until is None else float(until))
    except (KeyError, TypeError, ValueError):
        return None


def note_pause(folder: Path, pause: Pause) -> None:
    """Write it over the last one. Takes no room. Raises: OSError."""
    text = json.dumps(asdict(replace(pause, why=pause.why[:_WHY]))).encode()
    with (folder / FOLDER / _PAUSE).open("r+b") as file:
        file.write(text.ljust(_ROOM))


def prepare(folder: Path) -> None:
    """Make room for the note of a pause; what is there stays. Raises: OSError."""
    with suppress(FileExistsError), os.fdopen(_made(folder / FOLDER / _PAUSE), "wb") as file:
        file.write(b" " * _ROOM)


def note_swept(folder: Path, *, at: float, why: str) -> None:
    """Leave word that the film was removed. Raises: OSError."""
    place = folder / FOLDER / SWEPT
    place.unlink(missing_ok=True)
    with os.fdopen(_made(place), "w", encoding="utf-8") as file:
        json.dump({"at": at, "why": why}, file)


@contextmanager
def reading(folder: Path) -> Generator[None]:
    """While the block runs, nobody sweeps the film of this session's folder. Fine where there is none."""
    descriptor = None
    with suppress(OSError):
        descriptor = os.open(folder / FOLDER / FILM, os.O_RDONLY)
        share(descriptor)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def share(descriptor: int) -> None:
    """Hold an open film with whoever else does, until it is closed. Raises: OSError: it is being swept, or was."""
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if not os.fstat(descriptor).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "the film was removed")


@contextmanager
def alone(folder: Path) -> Generator[bool]:
    """Whether nobody else writes or reads the film; while the block runs nobody begins to. Raises: OSError."""
    if sys.platform == "win32":
        yield True  # what is open cannot be removed there
        return
    descriptor = os.open(folder / FOLDER / FILM, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _made(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return cast(dict[str, Any], found) if isinstance(found, dict) else None


def _told(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return "a time that nobody knows"
