"""What an action came to, as the contract tells it (ApiExecutionResponse): a failure is an answer like others.

Below: asked, moments; receipts. Above: pages, shapes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from notte_mcp.api import asked as w
from notte_mcp.api.moments import moment
from notte_mcp.receipts import Receipt

_KINDS: Final = {
    "action_timeout": "NotteTimeoutError",
    "page_not_responding": "NotteTimeoutError",
    "cancelled": "NotteTimeoutError",
    "stale_element": "InvalidLocatorRuntimeError",
    "selector_not_found": "InvalidLocatorRuntimeError",
    "selector_ambiguous": "InvalidLocatorRuntimeError",
    "unknown_element": "InvalidActionError",
    "invalid_action": "InvalidActionError",
    "not_actionable": "ActionExecutionError",
    "action_failed": "ActionExecutionError",
    "not_allowed": "ActionExecutionError",
    "limit_reached": "ActionExecutionError",
    "page_load_failed": "PageLoadingError",
    "unsupported_url": "InvalidURLError",
    "upload_refused": "FailedToUploadFileError",
    "page_crashed": "UnexpectedBrowserError",
    "outcome_unknown": "UnexpectedBrowserError",
    "needs_cloud": "CaptchaSolverNotAvailableError",
}
"""Our codes as the contract's classes; what is not here is a `PlaywrightRuntimeError`."""

_BY_TYPE: Final = {
    ("scroll_up", "action_failed"): "ScrollActionFailedError",
    ("scroll_down", "action_failed"): "ScrollActionFailedError",
    ("download_file", "action_failed"): "FailedToDownloadFileError",
    ("download_file", "action_timeout"): "FailedToDownloadFileError",
    ("upload_file", "action_failed"): "FailedToUploadFileError",
}

_RETRYABLE: Final = frozenset({"NotteTimeoutError", "PageLoadingError", "ActionExecutionError"})
_CUT: Final = "cut at "


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an action failed: the contract's class, and the words."""

    kind: str
    said: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action: its message, or its failure; `data` is a DataSpace."""

    said: str
    failure: Failure | None = None
    data: dict[str, Any] | None = None


def kind_of(code: str, action: str = "") -> str:
    """The contract's class for one of our codes."""
    return _BY_TYPE.get((action, code)) or _KINDS.get(code, "PlaywrightRuntimeError")


def failed(kind: str, said: str) -> Outcome:
    """An outcome that is a failure."""
    return Outcome(said, Failure(kind, said))


def told(asked: w.AnyAsked, outcome: Outcome, *, began: float, ended: float) -> dict[str, Any]:
    """The answer to an execute. Times are Unix seconds."""
    failure = outcome.failure
    return {
        "started_at": moment(began),
        "ended_at": moment(max(began, ended)),
        "action": w.echoed(asked),
        "success": failure is None,
        "message": outcome.said,
        "data": outcome.data,
        "exception": None if failure is None else failure.said,
        "exception_detail": None if failure is None else detail(failure),
    }


def detail(failure: Failure) -> dict[str, Any]:
    """A failure as an SDK makes an exception of it."""
    return {
        "error_type": failure.kind,
        "dev_message": failure.said,
        "user_message": failure.said,
        "agent_message": failure.said,
        "should_retry_later": failure.kind in _RETRYABLE,
        "should_notify_team": False,
    }


def outcome_of(asked: w.AnyAsked, receipts: Sequence[Receipt], stopped: str) -> Outcome:
    """What the receipts of an action (two where Enter was pressed after it) came to."""
    for receipt in receipts:
        if not receipt.success:
            # What to do next is said there to who has our tools.
            said = receipt.message.rpartition(" Next: ")[0] or receipt.message
            return failed(kind_of(receipt.code, receipt.type), said)
    if not receipts:
        return failed("NotteTimeoutError", stopped or "Nothing was done.")
    if isinstance(asked, w.Help):
        return failed("ActionExecutionError", f"Human help was asked for: {asked.reason}")
    receipt = receipts[0]
    if isinstance(asked, w.EvaluateJs):
        if _CUT in receipt.message:
            return failed("EvaluateJsResultLimitError", f"{receipt.message}; return less, or in parts.")
        # A text is told as it is: who returns JSON.stringify(...) reads it as JSON.
        text = receipt.data if isinstance(receipt.data, str) else json.dumps(receipt.data, indent=2, ensure_ascii=False)
        return Outcome(f"Evaluated JavaScript code: {asked.code}", data={"markdown": text, "structured": None})
    return Outcome("; ".join((_said(asked, receipt), *_besides(receipts))))


def _said(asked: w.AnyAsked, receipt: Receipt) -> str:  # noqa: PLR0911  (a table)
    match asked:
        case w.Interaction():
            return _said_of_element(asked, receipt)
        case w.Goto():
            return f"Navigated to '{asked.url}' in current tab"
        case w.GotoNewTab():
            return f"Navigated to '{asked.url}' in new tab"
        case w.Wait():
            return f"Waited for {asked.time_ms} milliseconds"
        case w.PressKey():
            return f"Pressed the keyboard key: {asked.key}"
        case w.Scroll():
            way = "up" if asked.type == "scroll_up" else "down"
            return f"Scrolled {way} by {f'{asked.amount} pixels' if asked.amount else 'one page'}"
        case w.SwitchTab():
            return f"Switched to tab {asked.tab_index}"
        case w.Plain(type="close_tab"):
            return "Closed the current tab"
        case w.Completion():
            return f"Completed the task with success: {asked.success} and answer: {asked.answer}"
        case _:
            return receipt.message or f"Did {asked.type}"


def _said_of_element(asked: w.Interaction, receipt: Receipt) -> str:
    called = receipt.target.name if receipt.target is not None else ""
    field = called or asked.text_label or asked.id or "without a name"
    match asked:
        case w.Click(type="click"):
            return f"Clicked on the element with text label: {called}" if called else "Clicked on element"
        case w.Fill():
            value = f"[secret {receipt.secret}]" if receipt.secret else asked.value
            return f"Filled input field '{field}' with the value: '{value}'"
        case w.Check():
            return f"Checked the checkbox '{field}'"
        case w.Select():
            return f"Selected the option '{asked.value}' from the dropdown '{field}'"
        case _:
            return receipt.message


def _besides(receipts: Sequence[Receipt]) -> list[str]:
    """What happened that was not asked for: dialogs, tabs, downloads."""
    found: list[str] = []
    for receipt in receipts:
        found += [
            f"{'an' if dialog.kind == 'alert' else 'a'} {dialog.kind} dialog said '{dialog.message}' and was {dialog.answer}"
            for dialog in receipt.dialogs
        ]
        if receipt.new_tab is not None and receipt.type not in ("goto_new_tab", "switch_tab"):
            found.append(f"a new tab opened and is the current one (tab {receipt.new_tab})")
        if receipt.type != "download_file":
            found += [f"downloaded '{file.name}'" for file in receipt.downloads if file.failure is None]
        if receipt.unsettled:
            found.append("the page is still changing")
    return found
