"""Numbered views of a session: what was shown, how much of it fits, what is different since an earlier one.

Below: naming, seeing, observations. Above: session.
"""

import itertools
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from notte_mcp.engines.base import ObserveRequest
from notte_mcp.engines.notte.naming import Book, Known, Met
from notte_mcp.engines.notte.seeing import Line, Sight
from notte_mcp.errors import UnknownView
from notte_mcp.observations import Changes, Node, Observation, Tab, Viewport, clean_line, estimate_tokens

CURSOR_SECONDS: Final = 15 * 60
_MOST_VIEWS: Final = 40


@dataclass(frozen=True, slots=True)
class Item:
    """A node, and the element that gets an id when it is shown."""

    node: Node
    known: Known | None


@dataclass(frozen=True, slots=True)
class View:
    """All that one look found, whether it was shown or not."""

    document: str
    url: str
    title: str
    items: tuple[Item, ...]
    note: str = ""
    headings: tuple[str, ...] = ()
    viewport: Viewport | None = None


@dataclass(frozen=True, slots=True)
class _Cursor:
    view: int
    rest: tuple[Item, ...]
    of: View
    expires: float


@dataclass(slots=True)
class Views:
    """The views of a session that are still known."""

    book: Book
    _views: OrderedDict[int, View] = field(default_factory=OrderedDict[int, View])
    _cursors: dict[str, _Cursor] = field(default_factory=dict[str, "_Cursor"])
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def add(self, number: int, sight: Sight, met: Met) -> View:
        """Keep a look as a view."""
        items = tuple(_items(met))
        view = View(
            met.document, clean_line(sight.url, 2_000), sight.title, items, _beyond(sight), met.headings, sight.viewport
        )
        self._views[number] = view
        while len(self._views) > _MOST_VIEWS:
            self._views.popitem(last=False)
        return view

    def show(self, view: View, request: ObserveRequest, tabs: tuple[Tab, ...]) -> Observation:
        """What a request wants of a view."""
        seen = Observation(
            view.url,
            view.title,
            tabs,
            request.mode,
            request.view,
            note=view.note,
            headings=view.headings,
            viewport=view.viewport,
        )
        if request.mode == "changes" and request.since is not None:
            then = self._views.get(request.since)
            if then is not None and then.document == view.document:
                changes = self._changes(request.since, then, view, request.max_tokens)
                return replace(seen, changes=changes, whole=False)
            if then is None:
                unknown = f"view {request.since} is no longer known; this is the whole page"
                seen = replace(seen, note="; ".join(filter(None, (unknown, view.note))))
        return self._fitting(seen, view, _wanted(view.items, request), request.max_tokens)

    def more(self, request: ObserveRequest, tabs: tuple[Tab, ...], document: str) -> Observation:
        """What follows a cursor.

        Raises:
            UnknownView: it is none, or its page was left, or it is too old.
        """
        self._forget()
        cursor = self._cursors.get(request.cursor or "")
        if cursor is None or cursor.of.document != document:
            raise UnknownView(
                f"The cursor {request.cursor} has expired: its view is gone (cursors live 15 minutes and end with their "
                "page).",
                next_call="notte_observe without a cursor",
            )
        view = cursor.of
        seen = Observation(view.url, view.title, tabs, request.mode, cursor.view)
        return self._fitting(seen, view, cursor.rest, request.max_tokens)

    def _fitting(self, seen: Observation, view: View, items: Sequence[Item], max_tokens: int) -> Observation:
        end = _fit(items, max_tokens)
        nodes, rest = self._shown(items[:end]), tuple(items[end:])
        cursor = None
        if rest:
            self._forget()
            cursor = f"c{next(self._numbers)}"
            self._cursors[cursor] = _Cursor(seen.view, rest, view, time.monotonic() + CURSOR_SECONDS)
        return replace(seen, nodes=nodes, omitted=len(rest), cursor=cursor)

    def _forget(self) -> None:
        """Let go of the cursors that have expired, and of the views that they hold."""
        now = time.monotonic()
        self._cursors = {name: cursor for name, cursor in self._cursors.items() if cursor.expires > now}

    def _shown(self, items: Sequence[Item]) -> tuple[Node, ...]:
        return tuple(replace(i.node, id=self.book.show(i.known)) if i.known is not None else i.node for i in items)

    def _changes(self, since: int, then: View, now: View, max_tokens: int) -> Changes:
        before = {item.node.key: item for item in then.items}
        after = {item.node.key: item for item in now.items}
        appeared = [item for key, item in after.items() if key not in before]
        changed = [item for key, item in after.items() if key in before and before[key].node != item.node]
        gone = [item for key, item in before.items() if key not in after]
        both = [*appeared, *changed]
        end = _fit(both, max_tokens)
        return Changes(
            since, self._shown(appeared[:end]), self._shown(changed[: max(0, end - len(appeared))]),
            tuple(replace(item.node, id=item.known.id if item.known else None) for item in gone),
            more=len(both) - end,
        )  # fmt: skip


def _items(met: Met) -> "list[Item]":
    """Nodes in reading order; a key that nothing but a text has is its words and how often they came before."""
    items: list[Item] = []
    counts: dict[tuple[str, str, str], int] = {}
    depth = 0
    for line, known in met.lines:
        if known is not None:
            key = f"{known.document}:{known.place[1]}"
        else:
            same = (line.kind, line.role, line.name)
            counts[same] = counts.get(same, 0) + 1
            key = f"{met.document}:{line.kind}:{line.role}:{line.name}:{counts[same]}"
        depth = 1 if line.kind == "group" else depth
        items.append(Item(_node(line, known, key, 0 if line.kind == "group" else depth), known))
    return items


def _node(line: Line, known: Known | None, key: str, depth: int) -> Node:
    role, name, states = line.role, line.name, line.states
    if known is not None:
        role, name, states = known.role, known.name, (*known.states, *line.states)
    return Node(
        key, line.kind, role, name, depth=depth, value=None if known is not None and known.secret else line.value,
        states=states, options=line.options, option_count=len(line.options),
    )  # fmt: skip


def _wanted(items: Sequence[Item], request: ObserveRequest) -> list[Item]:
    if request.find:
        words = request.find.lower()
        return [item for item in items if item.node.kind != "group" and words in _read(item.node).lower()]
    if request.mode != "actions":
        return [item for place, item in enumerate(items) if not _is_label(items, place)]
    return [item for item in items if item.node.kind != "text"]


def _is_label(items: Sequence[Item], place: int) -> bool:
    """Whether a text says nothing but the name of the element beside it."""
    node = items[place].node
    beside = [items[at].node for at in (place - 1, place + 1) if 0 <= at < len(items)]
    return node.kind == "text" and any(other.kind == "element" and other.name == node.name for other in beside)


def _read(node: Node) -> str:
    return " ".join((node.name, node.value or "", *node.options))


def _fit(items: Sequence[Item], max_tokens: int) -> int:
    """How many of them fit, but one at least."""
    spent = 0
    for count, item in enumerate(items):
        node = item.node
        spent += (
            estimate_tokens(f'{node.role} "{node.name}" {node.value or ""} {" ".join((*node.states, *node.options))}')
            + 3
        )
        if spent > max_tokens and count:
            return count
    return len(items)


def _beyond(sight: Sight) -> str:
    """What the cloud does not tell of: the part of the page that is out of the viewport."""
    parts = [f"{px} px {where}" for px, where in ((sight.above, "above"), (sight.below, "below")) if px > 0]
    if not parts:
        return ""
    return (
        f"the page goes on {' and '.join(parts)} the viewport; what has no id there may get one once it is scrolled to"
    )
