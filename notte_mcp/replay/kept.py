"""What was made of films and is kept beside them: by what it was made from, so that it is made anew once that has grown.

A note beside each file says what it was made of; the file appears under its name whole. Synchronous.

Below: parts, marks. Above: replays.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from notte_mcp.replay.marks import FILM, FOLDER
from notte_mcp.replay.parts import Mark, Part, Video

FORM: Final = 1
"""The form of what is made. One that is told otherwise, drawn otherwise or timed otherwise is another form."""


def key(parts: Sequence[Part]) -> str:
    """What a replay of these parts is made from, as a short word."""
    told: list[Any] = [FORM]
    for part in parts:
        last = part.steps[-1] if part.steps else None
        told.append((
            str(part.folder), film_size(part.folder), part.since, part.until, part.by_agent, len(part.steps),
            None if last is None else (last.number, last.state, last.ended_at),
        ))  # fmt: skip
    return word(told)


def word(told: Any) -> str:
    """A short word for JSON values: equal ones have the same."""
    return hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()[:24]


def film_size(folder: Path) -> int:
    """Bytes of a session's film; 0 where there is none."""
    try:
        return (folder / FOLDER / FILM).stat().st_size
    except OSError:
        return 0


def place(parts: Sequence[Part], name: str) -> Path | None:
    """Where what is made of them lies: beside the last film; None where there is none."""
    if not name.replace("_", "").replace("-", "").replace(".", "").isalnum() or name.startswith("."):
        raise ValueError(f"{name!r} is no name of a file")
    filmed = [part.folder for part in parts if film_size(part.folder)]
    return filmed[-1] / FOLDER / name if filmed else None


def known(path: Path, made_from: str) -> Mapping[str, Any] | None:
    """The note of a file, where it is there and was made from this."""
    with suppress(OSError, ValueError, AttributeError):
        note: Any = json.loads(_note(path).read_text("utf-8"))
        if note.get("key") == made_from and path.stat().st_size == note.get("size"):
            return note
    return None


def keep(path: Path, made_from: str, **more: Any) -> Mapping[str, Any]:
    """Leave the note of a file that was just made. Raises: OSError."""
    note = {"key": made_from, "size": path.stat().st_size, **more}
    write(_note(path), [json.dumps(note)])
    return note


def write(path: Path, pieces: Iterable[str]) -> None:
    """A text file, whole or not at all. Raises: OSError."""
    making = path.with_name(f".{path.name}.{uuid4().hex[:8]}.making")
    try:
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(pieces)
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)


def video_note(video_marks: Sequence[Mark], ms: int) -> dict[str, Any]:
    """What is noted of a video besides."""
    return {"seconds": ms / 1_000, "marks": [asdict(mark) for mark in video_marks]}


def video(path: Path, note: Mapping[str, Any]) -> Video:
    """The video that a note is of."""
    marks: list[Any] = note["marks"]
    made = [replace(Mark(**mark), box=mark["box"] and tuple(mark["box"])) for mark in marks]
    return Video(path, note["size"], note["seconds"], made)


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")
