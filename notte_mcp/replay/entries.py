"""What a player's log shows, line by line: steps with their words, outcome and receipt, and what was said between them.

Values in, JSON values out. Times are Unix seconds, and seconds of the film where they are called so.

Below: parts, records, step_text. Above: player.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from notte_mcp.observations import clean, cut_middle
from notte_mcp.page_text import json_text
from notte_mcp.receipts import Receipt
from notte_mcp.records import StepRecord
from notte_mcp.replay.parts import Mark
from notte_mcp.step_text import step_line

MAX_DATA_CHARS: Final = 4_000
"""Characters of what a script or a scrape gave back."""


def heading_of(
    heading: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], *, live: bool, as_of: float
) -> dict[str, Any]:
    """What stands above the film, of a session's or an agent's JSON."""
    begun, ended = _time(heading.get("created_at")), _time(heading.get("ended_at") or heading.get("updated_at"))
    until = as_of if live else ended
    steps = [line for line in lines if "event" not in line]
    return {
        "id": heading.get("id", ""),
        "title": clean(str(heading.get("task") or heading.get("title") or heading.get("url") or heading.get("id", ""))),
        "kind": "agent" if str(heading.get("id", "")).startswith("agt_") else "session",
        "state": heading.get("state", ""),
        "reason": clean(str(heading.get("reason") or "")),
        "success": heading.get("success"),
        "answer": clean(str(heading.get("answer") or "")),
        "url": clean(str(heading.get("url") or (steps[-1].get("url") if steps else "") or "")),
        "begun": begun,
        "seconds": round(max(0.0, until - begun), 3) if begun is not None and until is not None else None,
        "steps": len(steps),
        "failed": sum(line.get("success") is False for line in steps),
        "usage": dict(heading.get("usage") or {}),
        "live": as_of if live else None,
    }


def entries(
    lines: Sequence[Mapping[str, Any]], steps: Sequence[StepRecord], marks: Sequence[Mark]
) -> list[dict[str, Any]]:
    """The log's lines in their order, each step with when it is seen; a step that is in no film is in the log still."""
    known = {(step.session_id, step.number): step for step in steps}
    seen = {(mark.session_id, mark.number): mark for mark in marks}
    only = {step.session_id for step in steps}
    found: list[dict[str, Any]] = []
    for line in lines:
        if "event" in line:
            text = clean(str(line.get("text") or ""))
            found.append({"kind": "event", "event": line["event"], "text": text, "when": _time(line.get("at"))})
            continue
        session = line.get("session_id") or (next(iter(only)) if len(only) == 1 else "")
        key = (session, line.get("session_step") or line.get("number", 0))
        if (step := known.get(key)) is not None:
            found.append(_step(line, step, seen.get(key)))
    return found


def _step(line: Mapping[str, Any], step: StepRecord, mark: Mark | None) -> dict[str, Any]:
    receipt = step.receipt
    took = None if step.ended_at is None else round((step.ended_at - step.started_at) * 1_000)
    return {
        "kind": "step",
        "number": line.get("number"),
        "actor": step.actor,
        "words": clean(step_line(_in_place(step))),
        "outcome": _outcome(step),
        "message": clean("" if step.success else step.message),
        "url": clean(receipt.url_after if receipt is not None and receipt.url_after else step.url),
        "details": [[name, clean(text)] for name, text in _details(step, took)],
        "when": step.started_at,
        "took_ms": took,
        "film": None if mark is None else [round(mark.at, 3), round(mark.shown, 3), round(mark.ends, 3)],
        "box": None if mark is None or mark.box is None else [round(part, 5) for part in mark.box],
    }


def _in_place(step: StepRecord) -> StepRecord:
    """The step without where it led, which the log says on a line of its own."""
    if step.receipt is None:
        return step
    return replace(step, receipt=step.receipt.but(url_before="", url_after="", navigated=False, status=None))


def _outcome(step: StepRecord) -> str:
    if step.state in ("intended", "outcome_unknown", "cancelled"):
        return {"intended": "in flight", "outcome_unknown": "outcome unknown"}.get(step.state, step.state)
    return "done" if step.success else "failed"


def _details(step: StepRecord, took: int | None) -> Iterator[tuple[str, str]]:
    """Name and text of each thing that the receipt tells."""
    yield "Action", json_text({name: value for name, value in step.action.items() if value is not None})
    if took is not None:
        yield "Took", f"{took} ms" if took < 10_000 else f"{took / 1_000:.1f} s"  # noqa: PLR2004 - as a person says it
    if step.receipt is not None:
        yield from _told(step.receipt)
    elif step.url:
        yield "Page", step.url


def _told(receipt: Receipt) -> Iterator[tuple[str, str]]:
    if receipt.code:
        yield "Error", receipt.code
    for name, target in (("Element", receipt.target), ("To", receipt.destination)):
        if target is not None:
            yield name, " ".join(filter(None, (target.id, target.role, f'"{target.name}"', target.locators.css)))
    if receipt.healed:
        yield "Healed", "found by another of its ways"
    if receipt.secret:
        yield "Value", f"withheld: {receipt.secret}"
    elif receipt.value is not None:
        yield "Value", receipt.value
    yield from _places(receipt)
    yield from _effects(receipt)
    if receipt.data is not None:
        whole = receipt.data if isinstance(receipt.data, str) else json_text(receipt.data)
        yield "Gave back", cut_middle(whole, MAX_DATA_CHARS)


def _places(receipt: Receipt) -> Iterator[tuple[str, str]]:
    if receipt.moved:
        yield "From", receipt.url_before or "(a new tab)"
        yield "To", f"{receipt.url_after} ({receipt.status})" if receipt.status is not None else receipt.url_after
    elif receipt.url_after or receipt.url_before:
        yield "Page", receipt.url_after or receipt.url_before


def _effects(receipt: Receipt) -> Iterator[tuple[str, str]]:
    if receipt.new_tab is not None:
        yield "New tab", str(receipt.new_tab)
    if receipt.tab_closed:
        yield "Tab", "closed"
    for dialog in receipt.dialogs:
        yield "Dialog", f'{dialog.kind} "{dialog.message}" {dialog.answer}'
    for download in receipt.downloads:
        yield "Download", f"{download.name} ({download.failure or f'{download.size} bytes'})"
    for request in receipt.sent:
        yield "Sent", request
    for request in receipt.failed_requests:
        yield "Failed request", request
    if receipt.unsettled:
        yield "Then", "the page was still changing"


def _time(told: Any) -> float | None:
    """Unix seconds of a time as the resources tell it."""
    if isinstance(told, int | float):
        return float(told)
    return datetime.fromisoformat(told).timestamp() if isinstance(told, str) and told else None
