"""Room on the disk: what the state folder holds, what is free on its disk, and whether more may be kept.

Looked at in a thread, at most every few seconds, by whoever is about to keep something
large: a new session, a download. Nobody waits long for it: a disk that does not answer is
told by what was known last. Steps are recorded whatever is found here, since a session that
is live is worth more than the room its log takes.

Below: errors, state_folder. Above: app (which hands it to the registry and the engine), doctor.
"""

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from notte_mcp.errors import LimitReached
from notte_mcp.state_folder import PRINCIPALS

FRESH_S: Final = 5.0
"""How long what was found holds; a second after a shortage, so that room is noticed."""

SHORT_S: Final = 1.0

PATIENCE_S: Final = 0.5
"""How long a caller waits for a look; it goes on without him."""

_NAMED: Final = 3
_WORTH: Final = 100_000
"""Bytes below which a holder is not worth its name."""

_MANY: Final = frozenset({"sessions", "profiles", "run"})
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True)
class Use:
    """What is where, in bytes on the disk: of the whole folder, free beside it, and by who holds it (largest first)."""

    total: int
    free: int
    holders: tuple[tuple[str, int], ...]

    @property
    def largest(self) -> str:
        """The largest holders, by their names in the state folder."""
        return (
            ", ".join(f"{name} ({told(size)})" for name, size in self.holders[:_NAMED] if size >= _WORTH)
            or "nothing of note"
        )


def told(size: int) -> str:
    """Bytes as a person says them: `912 kB`, `1.2 GB`."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1_000:.0f} kB"


def measure(folder: Path) -> Use:
    """What a state folder holds now, without those of principals in it. Synchronous; links are not followed.

    Raises OSError where it cannot be read.
    """
    sizes: Counter[str] = Counter()
    for entry in os.scandir(folder):
        if entry.name in _MANY and entry.is_dir(follow_symlinks=False):
            for one in os.scandir(entry):
                sizes[f"{entry.name}/{one.name}"] = sum(_sizes(one))
        elif entry.name != PRINCIPALS:
            sizes[entry.name] = sum(_sizes(entry))
    return Use(sizes.total(), shutil.disk_usage(folder).free, tuple(sizes.most_common()))


def _sizes(entry: os.DirEntry[str]) -> Iterator[int]:
    # What goes while it is looked at counts for nothing.
    with suppress(OSError):
        if entry.is_dir(follow_symlinks=False):
            for one in os.scandir(entry):
                yield from _sizes(one)
        else:
            found = entry.stat(follow_symlinks=False)
            # Blocks, since browsers keep files that are mostly holes.
            yield found.st_size if sys.platform == "win32" else found.st_blocks * _BLOCK


class Room:
    """The limits of one state folder, in bytes."""

    def __init__(self, folder: Path, *, max_bytes: int, min_free: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._min_free = min_free
        self._short = ""
        self._fresh_until = 0.0
        self._looking = False

    async def shortage(self) -> str:
        """Why nothing more is to be kept, as a sentence; "" where there is room, or nobody knows."""
        if not self._looking and time.monotonic() >= self._fresh_until:
            self._looking = True
            with anyio.move_on_after(PATIENCE_S):
                await anyio.to_thread.run_sync(self._look, abandon_on_cancel=True)
        return self._short

    async def require(self) -> None:
        """Raises LimitReached where there is none."""
        if short := await self.shortage():
            raise LimitReached(
                short,
                kept="Live sessions go on, and their steps are recorded.",
                next_call="have `notte-mcp doctor --fix` run on the server's machine, or room made there, "
                "then the same call",
            )

    def of(self, use: Use) -> str:
        """The shortage that this use is, or ""."""
        if use.total > self._max_bytes:
            return (
                f"The state folder {self._folder} holds {told(use.total)}, and may hold {told(self._max_bytes)} "
                f"(max_state_bytes); the largest in it: {use.largest}."
            )
        if use.free < self._min_free:
            return (
                f"The disk of the state folder {self._folder} has {told(use.free)} left, and {told(self._min_free)} are "
                f"to stay free (min_free_bytes); the largest in the folder: {use.largest}."
            )
        return ""

    def _look(self) -> None:
        try:
            with suppress(OSError):
                self._short = self.of(measure(self._folder))
        finally:
            self._fresh_until = time.monotonic() + (SHORT_S if self._short else FRESH_S)
            self._looking = False
