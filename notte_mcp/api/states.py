"""What elements hold now (ElementState), and one hash of it all: it changes where the page offers something else.

Pure. Below: naming, engines.described. Above: observing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from notte_mcp.api.naming import Named
from notte_mcp.engines.described import Held
from notte_mcp.observations import Node

MAX_VALUE: Final = 200
"""Characters of a value; of a longer one a digest is told besides."""


def states(elements: Sequence[Named]) -> dict[str, dict[str, Any]]:
    """By id, of those that have any."""
    found = {line.id: state_of(line) for line in elements if line.id is not None}
    return {name: state for name, state in found.items() if state}


def state_of(line: Named) -> dict[str, Any]:
    """What an element holds, as the contract spells it; empty where that is nothing."""
    held = line.spelt.held if line.spelt is not None else None
    return _told(held if held is not None else _from_node(line.node))


def _from_node(node: Node) -> Held:
    """What a line of an observation says of it, where the engine told no more."""
    said = set(node.states)
    checkable = node.role in ("checkbox", "radio", "switch")
    filled = "filled" in said if node.role == "password" else None
    return Held(
        value=None if filled is not None else node.value,
        length=len(node.value or ""),
        filled=filled,
        checked="checked" in said if checkable or "checked" in said else None,
        mixed=True if "mixed" in said else None,
        expanded=True if "expanded" in said else False if "collapsed" in said else None,
        selected=True if "selected" in said else None,
        pressed=True if "pressed" in said else None,
    )


def _told(held: Held) -> dict[str, Any]:
    state: dict[str, Any] = {}
    if held.value is not None:
        state["value"] = held.value[:MAX_VALUE]
        if held.length > MAX_VALUE:
            whole = f"{held.length}:{held.value}"
            state["valueTruncated"] = True
            state["valueDigest"] = hashlib.blake2b(whole.encode("utf-8", "replace"), digest_size=12).hexdigest()
    if held.choices is not None:
        state["options"] = [
            {"value": one.value, "label": one.label, "selected": one.selected, "disabled": one.disabled}
            for one in held.choices
        ]
        state["optionsTruncated"] = held.choice_count > len(held.choices)
        state["multiple"] = held.multiple
    flags = {"filled": held.filled, "checked": held.checked, "mixed": held.mixed, "expanded": held.expanded}
    flags |= {"selected": held.selected, "pressed": held.pressed}
    return state | {name: flag for name, flag in flags.items() if flag is not None}


def fingerprint(url: str, elements: Sequence[Named], found: Mapping[str, dict[str, Any]]) -> str:
    """24 hex characters over the URL and each element's id, label and state."""
    digest = hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=12)
    for line in elements:
        told = json.dumps([line.id, line.label, found.get(line.id or "")], sort_keys=True)
        digest.update(b"\x00" + told.encode("utf-8", "replace"))
    return digest.hexdigest()
