"""Which films go: those that are too old, and the oldest ones where all together are too large.

Never one of a live session, nor one that anybody writes or reads, in whichever server. What is swept leaves a mark, so
that who asks for it is told. Synchronous. Below: marks. Above: registry.sweeping.
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from notte_mcp.replay import marks
from notte_mcp.replay.marks import FILM, FOLDER


@dataclass(frozen=True, slots=True)
class Kept:
    """A session's film and what was made of it: whose, how many bytes, when the session ended (Unix s; None: it lives)."""

    session_id: str
    size: int
    ended_at: float | None


def total(sessions_dir: Path) -> int:
    """Bytes of all films and what was made of them."""
    return sum(size for _, size, _ in _films(sessions_dir))


def sweep(
    sessions_dir: Path, ends: Mapping[str, float | None], *, older_than: float, max_bytes: int, days: float
) -> list[str]:
    """Remove what is too old or too much; gives the sessions whose film went.

    `ends` says when a session ended (Unix s), and None of one that lives; of one that it does not name nobody knows
    more than when its film was written last. `days` is only told. Raises: OSError.
    """
    kept = [Kept(name, size, ends.get(name, at)) for name, size, at in _films(sessions_dir)]
    left, gone = sum(one.size for one in kept), list[str]()
    ended = [(one.ended_at, one) for one in kept if one.ended_at is not None]
    for at, one in sorted(ended, key=lambda pair: pair[0]):
        if at < older_than:
            why = f"it was older than {days:g} days (keep_replays_days)."
        elif left > max_bytes:
            why = f"all recordings together were larger than {max_bytes:,} bytes (max_replays_bytes)."
        else:
            break
        if _removed(sessions_dir / one.session_id, why):
            left -= one.size
            gone.append(one.session_id)
    return gone


def _films(sessions_dir: Path) -> Iterator[tuple[str, int, float]]:
    """(session, bytes, when it was written last) of every film; what goes meanwhile is passed over."""
    for entry in os.scandir(sessions_dir):
        with suppress(OSError):
            sizes = {one.name: one.stat(follow_symlinks=False) for one in os.scandir(Path(entry.path) / FOLDER)}
            if (film := sizes.get(FILM)) is not None:
                yield entry.name, sum(found.st_size for found in sizes.values()), film.st_mtime


def _removed(folder: Path, why: str) -> bool:
    """Whether the film went: it stays where somebody has it open."""
    place = folder / FOLDER
    with suppress(OSError), marks.alone(folder) as alone:
        if not alone:
            return False
        (place / FILM).unlink()
        for entry in list(os.scandir(place)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink(missing_ok=True)
        marks.note_swept(folder, at=time.time(), why=why)
        return True
    return False
