"""The player: what happened, as one HTML file that asks nothing of anybody else.

Film, timeline and log stand in the page itself; its policy lets it load nothing, and run and style with nothing but
our own script and sheet, named by their hashes. What pages and models said stands in a data block and becomes text
nodes only. The clock is the film's: idle stretches are as short as the film makes them.

Pure but for reading the files beside it and the pictures it is given. Below: shown, entries, fitting. Above: replays.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

from notte_mcp.observations import clean_line
from notte_mcp.records import StepRecord
from notte_mcp.replay import fitting
from notte_mcp.replay.encoding import HOW_TO_INSTALL
from notte_mcp.replay.entries import entries, heading_of
from notte_mcp.replay.shown import Film

SCRIPTS: Final = ("dom.js", "log_lines.js", "films.js", "timeline.js", "details.js", "player.js")
STYLES: Final = ("tokens.css", "log_lines.css", "player.css")

RESOURCE_BYTES: Final = 5_500_000
"""What a host takes in one message."""

MISSING_VIDEO: Final = (
    "There is no video in this file, since PyAV is not installed where it was made; these are its pictures. "
    f"For videos: {HOW_TO_INSTALL}."
)

_NOTES: Final = 2_000
"""Characters that are kept free for what is said of the film, and its title."""

_CHUNK: Final = 3 * 2**18
"""Bytes encoded at a time; a multiple of three, so that the pieces join."""


def page(
    *,
    heading: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    steps: Sequence[StepRecord],
    film: Film,
    live: bool = False,
    as_of: float = 0.0,
    notes: Sequence[str] = (),
    max_bytes: int | None = None,
) -> Iterator[str]:
    """The page, piece by piece.

    `heading` is a session or an agent as its resource tells it, `lines` its log as its resource has it (steps and, of
    an agent, what was said between them), `steps` the same steps as records. `live` says that it still went on at
    `as_of` (Unix seconds). `notes` are sentences above the film: why recording ended early, that there is no video
    (`MISSING_VIDEO`). With `max_bytes` what is shown is made less until the file is no larger, and the page says so.

    Raises: OSError: a picture or the video cannot be read.
    """
    told: dict[str, Any] = {
        "heading": heading_of(heading, lines, live=live, as_of=as_of),
        "entries": entries(lines, steps, film.marks),
        "seconds": round(film.seconds, 3),
    }
    room = None if max_bytes is None else max_bytes - len(_json(told)) - sum(map(len, _frame())) - _NOTES
    load = fitting.fit(film, room)
    told["notes"] = [*notes, *load.notes]
    told["video"] = "video/mp4" if load.video is not None else None
    told["pictures"] = [[round(still.at, 3), still.marked, still.box] for still in load.stills]
    before, after = _frame()
    yield Template(before).substitute(title=escape(clean_line(str(told["heading"]["title"]))))
    yield f'<script type="application/json" id="told">{_json(told)}</script>\n'
    for number, still in enumerate(load.stills):
        yield f'<script type="text/plain" id="picture-{number}">{base64.b64encode(still.read()).decode()}</script>\n'
    if load.video is not None:
        yield '<script type="text/plain" id="video-bytes">'
        yield from _encoded(load.video)
        yield "</script>\n"
    yield after


def _encoded(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield base64.b64encode(chunk).decode()


def _json(value: Any) -> str:
    """JSON that ends no script element and starts no comment in it, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _frame() -> tuple[str, str]:
    """The page before its data (with `$title` left open), and after."""
    here = files("notte_mcp.replay")
    style = "\n".join(here.joinpath(name).read_text(encoding="utf-8") for name in STYLES)
    script = "\n".join(here.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    script = f'(() => {{\n"use strict";\n{script}\n}})();'
    policy = (
        "default-src 'none'; img-src data:; media-src blob:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    whole = Template(here.joinpath("player.html").read_text(encoding="utf-8")).safe_substitute(policy=policy)
    before, after = whole.split("<!-- what is told -->\n")
    # A `$` of the sheet is none of the template's.
    return before.replace("$style", style.replace("$", "$$")), after.replace("$script", script)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
