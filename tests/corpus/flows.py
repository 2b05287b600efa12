"""What a flow of the corpus is: where it begins, what is asked of the page, and what must have come of it.

Elements are written as an assistant reads them, by role and name: `@button Send`, the second of
them `@button Send#2`. What a flow leaves behind is what the servers received and what the pages
said (the text of their status and alert lines), so that a run again is judged by its effect.

Below: nothing. Above: the tables of flows, recording, judging.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Deed = dict[str, Any]
"""An action as an assistant writes it, with `@role name` where an id is due."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One recorded piece of work.

    `start` is a path of the test site, or of the shop behind `shop:`. Each of `batches` is looked at before and done in one
    call; a `failing` action is expected to fail. What must have come of it: `forms` (fields of each form that the site
    received, in order, and no other form), `said` (what pages said, in this order, whatever else they said),
    `opened` (paths that were asked for), `orders` (fields of each order of the shop). `secrets` are what was typed into
    secret fields, by the name of the environment variable that a script reads. `reads` is a text
    that what the last reading step gave must hold.
    """

    name: str
    start: str
    batches: tuple[tuple[Deed, ...], ...]
    forms: tuple[Mapping[str, str], ...] = ()
    said: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    orders: tuple[Mapping[str, str], ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    reads: str = ""
    style: Literal["sync", "async"] = "sync"


def flow(name: str, start: str, *batches: tuple[Deed, ...] | Deed, **left: Any) -> Flow:
    """A flow; a batch of one may stand alone."""
    return Flow(name, start, tuple(batch if isinstance(batch, tuple) else (batch,) for batch in batches), **left)


def click(where: str, **more: Any) -> Deed:
    """Click an element."""
    return {"type": "click", "id": f"@{where}", **more}


def fill(where: str, value: str, **more: Any) -> Deed:
    """Fill a field."""
    return {"type": "fill", "id": f"@{where}", "value": value, **more}


def choose(where: str, value: str) -> Deed:
    """Choose an option."""
    return {"type": "select_dropdown_option", "id": f"@{where}", "value": value}


def check(where: str, *, value: bool = True) -> Deed:
    """Set a checkbox, radio or switch."""
    return {"type": "check", "id": f"@{where}", "value": value}


def press(key: str, where: str | None = None) -> Deed:
    """Press a key."""
    return {"type": "press_key", "key": key} | ({"id": f"@{where}"} if where else {})


def upload(where: str, name: str) -> Deed:
    """Give one of the files that every recording has: `cv.pdf`, `plan.txt`."""
    return {"type": "upload_file", "id": f"@{where}", "path": f"files:{name}"}


def wait_for(text: str) -> Deed:
    """Wait for a text."""
    return {"type": "wait_for", "value": text}


def act(kind: str, where: str | None = None, **more: Any) -> Deed:
    """Any other action."""
    return {"type": kind, **({"id": f"@{where}"} if where else {}), **more}


def failing(deed: Deed) -> Deed:
    """An action that is expected to fail; a script is to leave it out."""
    return {**deed, "fails": True}
