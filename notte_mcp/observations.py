"""What a page shows, as values: nodes in reading order, tabs, and what changed.

An engine makes these, `page_text` turns them into text. Everything a page
said has passed `clean()` once, here: control, ANSI, bidi and tag characters
never go further. Numbers say how much is not shown, so that a reader always
knows what an answer leaves out.

Below: errors, ids. Above: engines, registry, tools.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

Mode = Literal["actions", "page", "changes"]
NodeKind = Literal["element", "group", "text"]

MAX_NAME_CHARS: Final = 120
"""Characters of a name or a text line as shown; longer ones are cut in the middle."""

DEFAULT_MAX_TOKENS: Final = 2_000
HARD_MAX_TOKENS: Final = 20_000

# C0 and C1 controls (tab and newline become spaces first), soft hyphen, Arabic letter
# mark, zero-width and bidi controls, line and paragraph separators, interlinear marks,
# the byte order mark, lone surrogates, variation selectors used for smuggling and the
# tag block. Zero-width joiner (U+200D) and the emoji selector (U+FE0F) stay: emoji and
# several scripts need them.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0e\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
# CSI, OSC and single-character escape sequences: removed whole, before the ESC alone is.
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]")


def clean(text: str) -> str:
    """`text` from a page without anything invisible that could mislead a reader.

    Removes ANSI sequences, control, bidi, zero-width and tag characters; line
    structure is kept (newline and tab stay).
    """
    if text.isascii() and text.isprintable():
        return text
    return _FORBIDDEN.sub("", _ANSI.sub("", text))


def clean_line(text: str, limit: int = MAX_NAME_CHARS) -> str:
    """`text` cleaned, on one line, cut in the middle to `limit` characters."""
    return cut_middle(" ".join(clean(text).split()), limit)


def cut_middle(text: str, limit: int) -> str:
    """`text` with its middle replaced by an ellipsis where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = math.ceil((limit - 1) * 2 / 3)
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def estimate_tokens(text: str) -> int:
    """How many tokens `text` costs, within about a fifth (o200k_base is the yardstick).

    Words of a Latin script cost a token per seven letters, digits one per
    three, a run of punctuation one per two, anything else one each. A
    tokenizer proper would be exact for one vendor and cost 100 ms to import.
    """
    return len(_PIECES.findall(text))


_PIECES: Final = re.compile(r"[A-Za-z]{1,7}|[0-9]{1,3}|[!-/:-@\[-`{-~]{1,2}|\n|[^\s]")
"""One match a token. (Without groups: these would be given as tuples, for four times as long.)"""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. `index` counts from 0 in opening order and shifts when a tab closes (as Notte's)."""

    index: int
    url: str
    title: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Viewport:
    """What of a page the tab shows: how far it is scrolled, the size of what is seen, and that of all of it (CSS px)."""

    scroll_x: int
    scroll_y: int
    width: int
    height: int
    total_width: int
    total_height: int


@dataclass(frozen=True, slots=True)
class Node:
    """One line of an observation.

    `key` names the node within its session for as long as it lives (the
    engine's own; never shown). `id` is what actions use; groups, texts and
    disabled elements have none. `row` is the key of the list item, table row
    or card that the node stands in.
    """

    key: str
    kind: NodeKind
    role: str
    name: str = ""
    id: str | None = None
    depth: int = 0
    value: str | None = None
    states: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    option_count: int = 0
    hint: str = ""
    row: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between two views of one document.

    `appeared` and `changed` are in reading order; `gone` holds the last known
    form of what went away. `since` is the view compared with.
    """

    since: int
    appeared: tuple[Node, ...] = ()
    changed: tuple[Node, ...] = ()
    gone: tuple[Node, ...] = ()
    more: int = 0

    @property
    def empty(self) -> bool:
        return not (self.appeared or self.changed or self.gone or self.more)


@dataclass(frozen=True, slots=True)
class Observation:
    """A view of the current tab.

    Exactly one of `nodes` (whole page, `find`, or a cursor's continuation) and
    `changes` carries the content. `omitted` counts the lines that did not fit (a row that was not walked yet is one);
    `cursor` continues with them. `note` is a line that the reader must know
    (the compared view is unknown, the page crashed, a frame did not answer). `headings` are the page's first
    headings, the highest first, whether they are shown or not. `viewport` is None where the engine did not measure it.
    """

    url: str
    title: str
    tabs: tuple[Tab, ...]
    mode: Mode
    view: int = 0
    nodes: tuple[Node, ...] = ()
    changes: Changes | None = None
    omitted: int = 0
    cursor: str | None = None
    note: str = ""
    whole: bool = True
    events: tuple[str, ...] = field(default=())
    headings: tuple[str, ...] = ()
    viewport: Viewport | None = None


MAX_LANDMARKS: Final = 5
_LANDMARK_CHARS: Final = 80
_PROMINENCE: Final = {"heading": 0, "status": 1, "alert": 1, "dialog": 1, "alertdialog": 1, "text": 2}
"""Roles of lines that may stand out, by how much they do."""


def landmarks(observation: Observation) -> tuple[str, ...]:
    """The texts that stand out in a view, so that one who comes back knows the page by them.

    Headings, then names of dialogs and messages, then plain texts, in reading order. Nothing that was cut, no
    field's value, at most `MAX_LANDMARKS` of at most 80 characters.
    """
    return _first((*observation.headings, *_standing_out(observation.nodes)))


def landmarks_after(known: Iterable[str], observation: Observation) -> tuple[str, ...]:
    """The landmarks of a view of changes: what appeared or now says something else (a status line), the headings, and of
    those `known` before what did not go."""
    changes = observation.changes
    if changes is None:
        return landmarks(observation)
    gone = {node.name for node in changes.gone}
    changed = _standing_out(changes.changed)
    # What a text said before it changed is not told, so what was known may be that; so too where not all is told.
    stayed = () if changes.more or changed else (text for text in known if text not in gone)
    fresh = _standing_out((*changes.appeared, *changes.changed))
    return _first((*fresh, *observation.headings, *stayed))


def _standing_out(nodes: Iterable[Node]) -> list[str]:
    found = [node for node in nodes if node.role in _PROMINENCE]
    return [node.name for node in sorted(found, key=lambda node: _PROMINENCE[node.role])]


def _first(texts: Iterable[str]) -> tuple[str, ...]:
    fit = dict.fromkeys(text for text in texts if 0 < len(text) <= _LANDMARK_CHARS and "…" not in text)
    return tuple(fit)[:MAX_LANDMARKS]
