"""The encoding process: draws a storyboard scene by scene and writes it as an MP4. Brings Pillow and PyAV.

`python -m notte_mcp.replay.video OUT` reads the board as one line of JSON on its stdin and ends with whoever holds the
other end of it. One line of JSON on stdout says what came of it: `{"encoder": ...}`, or `{"wrong": ..., "full": ...}`
with exit code 1. Only a picture that differs from the one before it is encoded; each one that a step begins with can be
jumped to.

Below: drawing, bar. Above: encoding, which starts it.
"""

import errno
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
from av.error import FFmpegError
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter
from PIL import Image

from notte_mcp.replay import bar, drawing
from notte_mcp.replay.bar import Told
from notte_mcp.replay.pictures import Pointed

ENCODERS: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    (
        "libx264",
        # Pages stand still or are others altogether: a finer search for what moves takes a quarter more, for 3 % less.
        {"preset": "veryfast", "x264-params": "subme=1:me=dia", "crf": "27", "bf": "0", "g": "9000", "forced-idr": "1"},
    ),
    ("libopenh264", {"b": "600k", "g": "9000"}),
    ("libvpx-vp9", {"crf": "38", "b": "0", "cpu-used": "7", "deadline": "realtime", "row-mt": "1", "g": "9000"}),
    ("libsvtav1", {"crf": "42", "preset": "11", "g": "9000"}),
    ("libaom-av1", {"crf": "42", "b": "0", "cpu-used": "9", "usage": "realtime", "g": "9000"}),
)
"""What browsers play, in the order in which it is tried."""

_TICKS: Final = 1_000
_LAST_TICKS: Final = 40
"""Milliseconds before the end at which the last picture comes once more: players take the end from it."""

_GROUND: Final = (38, 40, 48)
_NICE: Final = 10
_MAX_MEMORY: Final = 4 * 2**30


def main() -> int:
    """Gives the exit code."""
    board = json.loads(sys.stdin.buffer.readline())
    _bounded()
    try:
        encoder = encode(board, sys.argv[1])
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits is to know it
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        print(json.dumps({"wrong": f"{type(error).__name__}: {error}"[:500], "full": full}), flush=True)  # noqa: T201
        return 1
    print(json.dumps({"encoder": encoder}), flush=True)  # noqa: T201 - the answer
    return 0


def encode(board: Mapping[str, Any], out: str) -> str:
    """Write the MP4; gives the encoder's name. Raises: OSError and what PyAV raises; ValueError: no encoder."""
    across, down = board["size"]
    container: Any
    with av.open(out, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = _stream(container, across, down + bar.HEIGHT)
        name = stream.codec_context.name
        converter = VideoReformatter()
        for image, at, is_key in _pictures(board):
            frame = _frame(converter, image)
            frame.pts, frame.time_base = at, Fraction(1, _TICKS)
            frame.pict_type = PictureType.I if is_key else PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return name


def _stream(container: Any, width: int, height: int) -> Any:
    """A stream of the first encoder that is there and starts."""
    for name, options in ENCODERS:
        if name not in av.codecs_available:
            continue
        trial: Any = av.CodecContext.create(name, "w")
        trial.width, trial.height, trial.pix_fmt = width, height, "yuv420p"
        trial.time_base = Fraction(1, _TICKS)
        trial.options = dict(options)
        try:
            trial.open()
        except (OSError, ValueError, FFmpegError):
            continue
        stream: Any = container.add_stream(name, rate=25, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream
    raise ValueError("this PyAV has no encoder that browsers play")


def _frame(converter: Any, image: Image.Image) -> Any:
    """The picture as encoders take it."""
    # By way of the layout that Pillow holds it in, and one converter without threads of its own: PyAV's own way makes
    # a new one, with its threads, for each picture, which took longer than to convert it.
    frame: Any = VideoFrame(image.width, image.height, "rgba")
    frame.planes[0].update(image.tobytes("raw", "RGBX"))
    return converter.reformat(
        frame, format="yuv420p", src_color_range="JPEG", dst_color_range="MPEG", dst_colorspace="ITU601", threads=1
    )


def _pictures(board: Mapping[str, Any]) -> Iterator[tuple[Image.Image, int, bool]]:
    """Each picture that is not like the one before it, when it is shown (ms), and whether it is to be jumped to."""
    scenes = board["scenes"]
    whole = sum(scene["ms"] for scene in scenes)
    with ExitStack() as opened:
        films = [opened.enter_context(_film(Path(path))) for path in board["films"]]
        easel = _Easel(board, films)
        at = 0
        image = None
        for number, scene in enumerate(scenes):
            image = easel.drawn(scene, at / whole)
            yield image, at, bool(scene["key"]) or number == 0
            at += scene["ms"]
        if image is not None and scenes[-1]["ms"] > _LAST_TICKS:
            yield image, at - _LAST_TICKS, False


class _Easel:
    """Draws scenes; a frame that is damaged leaves the one before it."""

    def __init__(self, board: Mapping[str, Any], films: list[BinaryIO]) -> None:
        self._films = films
        self._captions = board["captions"]
        self._size: tuple[int, int] = tuple(board["size"])
        self._shot: tuple[int, int] | None = None
        self._page = Image.new("RGB", self._size, _GROUND)
        self._image = Image.new("RGB", (self._size[0], self._size[1] + bar.HEIGHT), _GROUND)

    def drawn(self, scene: Mapping[str, Any], part: float) -> Image.Image:
        """The page with its mark, and the bar below; the same picture each time, drawn anew."""
        across, down = self._size
        image = self._image
        page = self._of_film(scene)
        if page.size != self._size:
            image.paste(_GROUND, (0, 0, across, down))
        if scene["pointed"] is not None:
            page = page.copy()
            drawing.mark(page, Pointed(**scene["pointed"]))
        image.paste(page, ((across - page.width) // 2, (down - page.height) // 2))
        told = self._told(scene)
        image.paste(bar.drawn(told, across), (0, down))
        bar.progress(image, down, part, told.tone)
        return image

    def _of_film(self, scene: Mapping[str, Any]) -> Image.Image:
        place = (scene["part"], scene["offset"])
        if place != self._shot:
            self._shot = place
            film = self._films[int(scene["part"])]
            film.seek(scene["offset"])
            if (page := drawing.opened(film.read(scene["bytes"]), tuple(scene["shot"]))) is not None:
                page.thumbnail(self._size)
                self._page = page
        return self._page

    def _told(self, scene: Mapping[str, Any]) -> Told:
        if scene["step"] is None:
            return Told("", "", "", "", "done", scene["clock"], scene["note"])
        known = dict(self._captions[scene["part"]][scene["step"]])
        known["number"] = str(known["number"])
        return Told(**known, clock=scene["clock"], note=scene["note"])


def _film(path: Path) -> BinaryIO:
    """The film; empty where a part has none."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        return BytesIO()


def _bounded() -> None:
    """Behind everything else that runs here, within bounds, and gone with who asked for it."""
    if sys.platform != "win32":
        import resource

        os.nice(_NICE)
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with_caller, daemon=True).start()


def _end_with_caller() -> None:
    # Not by way of sys.stdin: its lock would be held when the process ends by itself.
    while os.read(0, 1):
        continue
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main())
