"""Observations as lean text: what a model reads of a page.

One line per node, rows of a list or table on one line each, and what repeats
from row to row left out. Nothing is judged here: what comes first and what does
not fit was decided by whoever made the observation; this module says how much is
missing and which call shows it.

Below: observations. Above: tools, resources, agents. Receipts: `step_text`.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from notte_mcp.observations import Changes, Node, Observation, Tab, cut_middle

MAX_OPTIONS: Final = 8
"""Options of a select that are listed; more are counted, `find` shows them."""

MAX_OPTION_CHARS: Final = 80
"""Characters of all options together; more are counted too."""

MAX_URL_CHARS: Final = 200
"""Characters of a URL as shown."""

MAX_OTHER_TABS: Final = 6
"""Other tabs that a header names."""

LIKE_ABOVE: Final = "  (where role or name is left out: as in the row above)"

# What a bare value may be, so that it needs no quotes: `= North`, `= 12.50`, `= 2026-11-22`.
_BARE: Final = re.compile(r"[\w.,:/@%+-]+")

# A page's own text must not pass for a line of ours (an element, a change, the footer).
_LIKE_OURS: Final = re.compile(r"(?:[-+~]\s|@?[BLIFMO]\d+\b|view\s+\d|(?:note|dialog|event):|\d+ more )")


def quoted(text: str) -> str:
    """`text` in double quotes, its own ones escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"') if '"' in text else text
    return f'"{escaped}"'


def value_text(text: str) -> str:
    """A field's value: bare where it is one plain word, else in quotes."""
    return text if _BARE.fullmatch(text) else quoted(text)


def url_text(url: str) -> str:
    """A URL, cut in the middle where it is very long."""
    return cut_middle(url, MAX_URL_CHARS)


def node_line(node: Node, *, all_options: bool = False) -> str:
    """One node without indent: `I4 combobox "District" = North (North | South)`.

    `all_options` lists every option that the node carries (an answer to `find`).
    """
    if node.kind == "text":
        return _plain(node.name)
    return " ".join((*_head(node, role=node.role, name=node.name), *_tail(node, all_options=all_options)))


def page(observation: Observation, *, with_header: bool = True, all_options: bool = False) -> str:
    """A whole view: header, nodes, what did not fit, and the view's number."""
    lines = [*([header(observation)] if with_header else []), *_notes(observation)]
    lines += _node_lines(observation.nodes, all_options=all_options)
    return "\n".join([*lines, *_footer(observation)])


def changes(observation: Observation, *, with_header: bool, told: Collection[str] = ()) -> str:
    """What changed since an earlier view: `+` appeared, `~` changed, `-` gone.

    `told` are ids whose change the reader knows already (a receipt read it back).
    """
    found = observation.changes or Changes(since=0)
    unknown = [node for node in found.changed if node.id not in told]
    lines = [header(observation)] if with_header else []
    lines += _notes(observation)
    lines += _marked("+", found.appeared)
    lines += _marked("~", unknown)
    lines += _marked("-", found.gone)
    if found.more:
        lines.append(f"{found.more} more changes; notte_observe() shows the page")
    if found.empty:
        lines.append("no change")
    elif not (unknown or found.appeared or found.gone or found.more):
        lines.append("no other change")
    return "\n".join([*lines, *_footer(observation)])


def view(
    observation: Observation, *, with_header: bool = True, all_options: bool = False, told: Collection[str] = ()
) -> str:
    """An observation of either kind. `with_header` and `told` matter to changes only: a page is shown whole."""
    if observation.changes is not None:
        return changes(observation, with_header=with_header, told=told)
    return page(observation, all_options=all_options)


def header(observation: Observation) -> str:
    """Title and URL, and the tabs where there are several, with the indexes that `switch_tab` takes."""
    title = f"{observation.title}  " if observation.title else ""
    return f"{title}{url_text(observation.url)}{_tabs(observation.tabs)}"


def _tabs(tabs: Sequence[Tab]) -> str:
    if len(tabs) < 2:  # noqa: PLR2004 - one tab needs no word
        return ""
    here = next((tab.index for tab in tabs if tab.current), 0)
    others = [tab for tab in tabs if tab.index != here]
    named = ", ".join(f"{tab.index} {quoted(cut_middle(tab.title or tab.url, 40))}" for tab in others[:MAX_OTHER_TABS])
    more = f" and {len(others) - MAX_OTHER_TABS} more" if len(others) > MAX_OTHER_TABS else ""
    return f"  tab {here} of {len(tabs)} (others: {named}{more})"


def _notes(observation: Observation) -> list[str]:
    lines = [f"event: {event}" for event in observation.events]
    if observation.note:
        lines.append(f"note: {observation.note}")
    return lines


def _footer(observation: Observation) -> list[str]:
    lines: list[str] = []
    if observation.omitted:
        way = f"cursor {observation.cursor}, or find=..." if observation.cursor else "find=..."
        lines.append(f"{observation.omitted} more below: {way}")
    if observation.view:
        lines.append(f"view {observation.view}")
    return lines


# --- nodes --------------------------------------------------------------------


def _node_lines(nodes: Sequence[Node], *, all_options: bool) -> Iterator[str]:
    """Every node on its line, but a row's nodes on one, shortened where it is like the row before."""
    model: list[Node] | None = None
    told = False
    for is_row, row in _rows(nodes):
        if not is_row:
            model = None
            yield "  " * row[0].depth + node_line(row[0], all_options=all_options)
        elif model is not None and _shape(model) == _shape(row):
            yield _row_line(row, model, all_options=all_options) + ("" if told else LIKE_ABOVE)
            told = True
        else:
            model = row
            yield _row_line(row, None, all_options=all_options)


def _rows(nodes: Iterable[Node]) -> Iterator[tuple[bool, list[Node]]]:
    for key, group in groupby(nodes, key=lambda node: node.row):
        if key is None:
            yield from ((False, [node]) for node in group)
        else:
            yield True, list(group)


def _shape(row: Sequence[Node]) -> list[tuple[str, str, bool]]:
    return [(node.kind, node.role, node.id is not None) for node in row]


def _row_line(row: Sequence[Node], model: Sequence[Node] | None, *, all_options: bool) -> str:
    indent = "  " * min(node.depth for node in row)
    if model is None:
        parts = [node_line(node, all_options=all_options) for node in row]
    else:
        parts = [_short(node, like, all_options=all_options) for node, like in zip(row, model, strict=True)]
    return f"{indent}- {' · '.join(parts)}"


def _short(node: Node, like: Node, *, all_options: bool) -> str:
    """A node of a row without its role, and without its name where that is the model row's."""
    if node.kind == "text":
        return _plain(node.name)
    name = "" if node.name == like.name and node.id is not None else node.name
    return " ".join((*_head(node, role="", name=name), *_tail(node, all_options=all_options)))


def _head(node: Node, *, role: str, name: str) -> Iterator[str]:
    if node.id is not None:
        yield node.id
    if role:
        yield role
    if name:
        yield quoted(name)
    if not node.name and node.hint:
        yield f"[{node.hint}]"


def _tail(node: Node, *, all_options: bool) -> Iterator[str]:
    if node.value is not None:
        yield f"= {value_text(node.value)}"
    yield from node.states
    if node.options or node.option_count:
        yield f"({_options(node, all_options=all_options)})"


def _options(node: Node, *, all_options: bool) -> str:
    count = max(node.option_count, len(node.options))
    listed = " | ".join(node.options)
    whole = len(node.options) == count
    if whole and (all_options or (count <= MAX_OPTIONS and len(listed) <= MAX_OPTION_CHARS)):
        return listed
    if all_options and node.options:
        return f"{listed} | {count - len(node.options)} more"
    return f"{count} options"


def _plain(text: str) -> str:
    return f"“{text}”" if _LIKE_OURS.match(text) else text


def _marked(mark: str, nodes: Sequence[Node]) -> Iterator[str]:
    """Changed nodes, each line led by its mark; indents say nothing where the lines between are missing."""
    for _, row in _rows(nodes):
        yield f"{mark} {' · '.join(node_line(node) for node in row)}"


def json_text(value: object) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
