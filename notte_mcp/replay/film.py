"""A session's film on the disk: its frames one after the other in one file that only grows.

Each frame is a head of fixed length and its JPEG, so that the file says by itself what is in it, and a server
that was killed in the middle of one leaves all those before it. A session that is restored goes on in its file.

Synchronous: who writes and reads does so in a thread; who reads for long does it within `marks.reading`, so that
nobody sweeps the film meanwhile. Below: frames, marks. Above: reel, pictures, video, player.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from notte_mcp.frames import Frame
from notte_mcp.replay import marks
from notte_mcp.replay.marks import FILM, FOLDER

__all__ = ["FILM", "FOLDER", "FilmWriter", "Shot", "jpeg", "shots"]

_MAGIC: Final = b"nmf1"
_HEAD: Final = struct.Struct(">4sdIHHHH")
"""Magic, Unix seconds, bytes of the JPEG, its width and height (px), the viewport's (CSS px)."""


@dataclass(frozen=True, slots=True)
class Shot:
    """Where a frame stands in the film, and all but its picture (see `frames.Frame`). `offset` and `size` in bytes."""

    at: float
    offset: int
    size: int
    width: int
    height: int
    viewport: tuple[int, int]


class FilmWriter:
    """Appends frames. Made by `open`; one at a time for a session. `size` in bytes, `count` in frames."""

    def __init__(self, file: BinaryIO, size: int, count: int) -> None:
        self._file = file
        self.size = size
        self.count = count

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Go on with the film of a session's folder, or begin it; a frame that was cut short is removed.

        Raises: OSError.
        """
        place = folder / FOLDER
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = shots(folder)
        end = known[-1].offset + known[-1].size if known else 0
        descriptor = os.open(place / FILM, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        file = os.fdopen(descriptor, "wb", buffering=0)
        try:
            marks.share(descriptor)
            file.truncate(end)
            file.seek(end)
            marks.prepare(folder)
        except OSError:
            file.close()
            raise
        return cls(file, end, len(known))

    def append(self, frame: Frame) -> None:
        """Raises: OSError: the disk does not take it; the film ends with the frame before."""
        head = _HEAD.pack(_MAGIC, frame.at, len(frame.jpeg), frame.width, frame.height, *frame.viewport)
        written, whole = 0, head + frame.jpeg
        try:
            while written < len(whole):
                written += self._file.write(whole[written:]) or 0
        except OSError:
            self._file.truncate(self.size)
            self._file.seek(self.size)
            raise
        self.size += len(whole)
        self.count += 1

    def close(self) -> None:
        """Never raises."""
        try:
            self._file.close()
        except OSError:
            return


def shots(folder: Path) -> list[Shot]:
    """What the film of a session's folder holds, in order; none where nothing was recorded. Raises: OSError."""
    try:
        with (folder / FOLDER / FILM).open("rb") as file:
            return list(_shots(file, os.fstat(file.fileno()).st_size))
    except FileNotFoundError:
        return []


def jpeg(folder: Path, shot: Shot) -> bytes:
    """The picture of a shot. Raises: OSError."""
    with (folder / FOLDER / FILM).open("rb") as file:
        file.seek(shot.offset)
        return file.read(shot.size)


def _shots(file: BinaryIO, size: int) -> Iterator[Shot]:
    at = 0
    while at + _HEAD.size <= size:
        file.seek(at)
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        magic, when, length, width, height, across, down = _HEAD.unpack(head)
        start = at + _HEAD.size
        if magic != _MAGIC or start + length > size:
            return  # what follows was not written whole
        yield Shot(when, start, length, width, height, (across, down))
        at = start + length
