"""A storyboard: a timeline with all its words, as the JSON that the encoding process takes.

It names films and places in them, never what stands around them, so that the process that decodes pictures of pages
knows nothing else. Below: timeline, captions, parts, bar (its height). Above: encoding, replays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from notte_mcp.frames import MAX_HEIGHT, MAX_WIDTH
from notte_mcp.replay import film
from notte_mcp.replay.captions import Caption, caption
from notte_mcp.replay.film import Shot
from notte_mcp.replay.marks import FILM, FOLDER
from notte_mcp.replay.parts import Part
from notte_mcp.replay.timeline import Reel, Scene, Timeline

LEAST_WIDTH: Final = 640
"""Px: narrower pages stand in the middle, so that the words below have room."""

KEYS: Final = 40
"""Pictures that can be jumped to without those before them; each costs many times as much as another."""

Board = Mapping[str, Any]


def reels(parts: Sequence[Part]) -> list[Reel]:
    """The parts with their films' shots. Blocks. Raises: OSError."""
    return [Reel(film.shots(part.folder), part.steps, part.since, part.until) for part in parts]


def board(parts: Sequence[Part], reels: Sequence[Reel], timeline: Timeline) -> Board:
    """What the encoding process is to draw."""
    told = [[asdict(caption(step, part.number(step))) for step in part.steps] for part in parts]
    begun = timeline.scenes[0].clock if timeline.scenes else 0.0
    every = -(-len(timeline.marks) // KEYS) if timeline.marks else 1
    count = 0
    scenes: list[dict[str, Any]] = []
    for scene in timeline.scenes:
        count += scene.begins
        scenes.append(_scene(scene, reels[scene.part].shots[scene.shot], begun, scene.begins and count % every == 0))
    return {
        "films": [str(part.folder / FOLDER / FILM) for part in parts],
        "size": size([reels[scene.part].shots[scene.shot] for scene in timeline.scenes]),
        "captions": told,
        "scenes": scenes,
    }


def size(shots: Sequence[Shot]) -> tuple[int, int]:
    """Width and height (px, even) of a picture that all of them fit into."""
    across = min(max((shot.width for shot in shots), default=0), MAX_WIDTH)
    down = min(max((shot.height for shot in shots), default=0), MAX_HEIGHT)
    return (max(across, LEAST_WIDTH) + 1) // 2 * 2, (max(down, 2) + 1) // 2 * 2


def elapsed(seconds: float) -> str:
    """`0:42`, `1:02:42`."""
    whole = max(int(seconds), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _scene(scene: Scene, shot: Shot, begun: float, key: bool) -> dict[str, Any]:  # noqa: FBT001 - one of a row of values
    return {
        "part": scene.part,
        "offset": shot.offset,
        "bytes": shot.size,
        "shot": (shot.width, shot.height),
        "ms": scene.ms,
        "step": scene.step,
        "key": key,
        "pointed": None if scene.pointed is None else asdict(scene.pointed),
        "clock": elapsed(scene.clock - begun),
        "note": scene.note,
    }


__all__ = ["Board", "Caption", "board", "elapsed", "reels", "size"]
