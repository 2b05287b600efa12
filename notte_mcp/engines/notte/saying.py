"""Receipts in words: what the cloud said of an action, and whether the field really holds what was asked.

Below: reaching, wire. Above: performing, pointing, transferring.
"""

import json
import re
from typing import Any, Final

from notte_mcp import actions as a
from notte_mcp.engines.notte import wire
from notte_mcp.engines.notte.reaching import Reached
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.errors import NotteMCPError, SelectorAmbiguous, SelectorNotFound
from notte_mcp.observations import clean, clean_line
from notte_mcp.receipts import DialogEvent, Receipt

_CODES: Final = {
    "NotteTimeoutError": "action_timeout",
    "PageLoadingError": "page_load_failed",
    "InvalidURLError": "page_load_failed",
    "InvalidLocatorRuntimeError": "selector_not_found",
    "InvalidActionError": "stale_element",
    "FailedNodeResolutionError": "stale_element",
    "ScrollActionFailedError": "action_failed",
}
_SIGNS: Final = (
    (re.compile(r"timed out|timeout|did not finish within", re.IGNORECASE), "action_timeout"),
    (re.compile(r"disabled|covered|hidden|not (visible|editable|enabled)|intercept", re.IGNORECASE), "not_actionable"),
    (re.compile(r"matches (several|\d+) elements|strict mode", re.IGNORECASE), "selector_ambiguous"),
    (re.compile(r"matches nothing|could not be located|count=0", re.IGNORECASE), "selector_not_found"),
    (re.compile(r"ERR_|does not resolve|refuses the connection", re.IGNORECASE), "page_load_failed"),
)
_DIALOG: Final = re.compile(r"; an? (alert|confirm|prompt) dialog said '(.{0,400}?)' and was (accepted|dismissed)")
_VERBS: Final = {
    "click": "Clicked", "fill": "Filled", "multi_factor_fill": "Filled", "fallback_fill": "Filled",
    "check": "Set", "select_dropdown_option": "Chose in", "upload_file": "Gave a file to", "download_file": "Clicked",
    "press_key": "Pressed a key on",
}  # fmt: skip


def receipt(action: a.Action, done: wire.Executed, reached: Reached | None = None) -> Receipt:
    """What the cloud said of it."""
    if done.success:
        verb = _VERBS.get(action.type)
        said = (
            f"{verb} {reached.words}"
            if verb and reached is not None and reached.target
            else clean_line(done.message, 300)
        )
        return Receipt(action.type, success=True, message=said, dialogs=_dialogs(done.message))
    code = code_of(done)
    if reached is not None and reached.count == 0 and code in ("action_timeout", "action_failed", "stale_element"):
        return not_found(action, reached)
    if reached is not None and (reached.count or 0) > 1 and reached.target is None:
        code = "selector_ambiguous"
    return Receipt(action.type, success=False, code=code, message=clean_line(done.message, 400))


def _dialogs(message: str) -> tuple[DialogEvent, ...]:
    """Those that opened meanwhile, where the message tells of them (`notte-mcp api` does)."""
    found = ((one[1], clean_line(one[2], 200), one[3]) for one in _DIALOG.finditer(message))
    return tuple(DialogEvent(kind, said, answer) for kind, said, answer in found)  # pyright: ignore[reportArgumentType]


def code_of(done: wire.Executed) -> str:
    """The code of ours for why it failed."""
    by_words = next((code for sign, code in _SIGNS if sign.search(done.message)), None)
    return _CODES.get(done.error_type) or by_words or "action_failed"


def not_found(action: a.Action, reached: Reached) -> Receipt:
    """The receipt where a selector matches nothing, or not one element alone, or a script cannot get there."""
    if reached.known is not None or reached.count is None:
        said = (
            f"{reached.words} is where no script of ours gets (a frame of another origin), and {action.type} needs one."
        )
        return Receipt(action.type, success=False, code="not_supported", message=said, target=reached.target)
    selector = clean_line(str(reached.called.get("selector", "")), 200)
    several = (reached.count or 0) > 1
    return Receipt(
        action.type,
        success=False,
        code="selector_ambiguous" if several else "selector_not_found",
        message=f"Selector {selector!r} matches {f'{reached.count} elements' if several else 'nothing'}.",
    )


def selector_error(selector: str, count: int | None) -> NotteMCPError | None:
    """The error where a selector does not match one element alone; None where nobody knows."""
    said = f"Selector {clean_line(selector, 120)!r}"
    if count == 0:
        return SelectorNotFound(f"{said} matches nothing.", next_call="notte_observe, or the call without it")
    if count is None:
        return None
    return SelectorAmbiguous(f"{said} matches {count} elements.", next_call="a selector that matches one of them")


def no_dialogs(action: a.HandleDialog) -> Receipt:
    """What is said of dialogs, which the cloud answers by itself; a page can be kept from opening them."""
    accepts = action.value == "accept"
    text = json.dumps(action.answer or "") if accepts else "null"
    code = f"window.confirm = () => {'true' if accepts else 'false'}; window.prompt = () => {text}; window.alert = () => {{}}; 0"
    said = (
        "The Notte cloud answers dialogs by itself, and its API has no way to say how. Nothing was done. Next: "
        f"{json.dumps({'type': 'evaluate_js', 'code': code})} before the action, on the page that would open the dialog, "
        'which then opens none; where that is not allowed or does not help, a session of engine "local"'
    )
    return Receipt(action.type, success=False, code="not_supported", message=said)


def said(action: a.Help | a.Completion) -> Receipt:
    """What touches no page is not told to the cloud."""
    if isinstance(action, a.Help):
        return Receipt(action.type, success=True, message=f"Asked for help: {action.value[:300]}")
    how = "success" if action.success else "failure"
    return Receipt(action.type, success=True, message=f"Completed ({how}): {action.answer[:300]}")


async def read_back(stage: Stage, action: a.ElementAction, reached: Reached, receipt: Receipt) -> Receipt:
    """The receipt with what the field holds now; an action that did not do it has failed."""
    if not isinstance(action, a.FillAction | a.Check | a.SelectDropdownOption):
        return receipt
    secret = reached.secret if isinstance(action, a.FillAction) else None
    receipt = receipt.but(secret=secret)
    if not reached.key:
        return receipt
    document = stage.document
    now = await stage.settled(reached.key)
    facts: Any = now and now["document"] == document and now["element"]
    if not facts:
        return receipt  # it led to another page, or the field was replaced
    if isinstance(action, a.FillAction) and (secret or facts["secret"]):
        receipt = receipt.but(secret=secret or Reached(reached.target, facts, {}).secret)
        return _held(action, receipt, reached, holds=bool(facts["filled"]) or not action.value, shown="holds nothing")
    if isinstance(action, a.Check):
        is_on = facts["checked"]
        shown = f"is {'on' if is_on else 'off'}"
        return _held(action, receipt, reached, holds=is_on is None or is_on is action.value, shown=shown)
    value = None if facts["value"] is None else clean(str(facts["value"]))
    shown = f'holds "{clean_line(value or "", 80)}"'
    return _held(action, receipt.but(value=value), reached, holds=value is None or _same(action, value), shown=shown)


def _same(action: a.FillAction | a.SelectDropdownOption, value: str) -> bool:
    if isinstance(action, a.SelectDropdownOption):
        return True  # it may have been chosen by its value, which is not shown
    asked, held = (" ".join(clean(text).split()) for text in (action.value, value))
    return held == asked if action.clear_before_fill else held.endswith(asked)


def _held(action: a.ElementAction, receipt: Receipt, reached: Reached, *, holds: bool, shown: str) -> Receipt:
    if not holds:
        said = f"{reached.words} {shown} after the {receipt.type}. The field was changed."
        return receipt.but(success=False, code="action_failed", message=said)
    match action:
        case a.Check():
            said = f"Set {reached.words} {'on' if action.value else 'off'}"
        case a.SelectDropdownOption():
            said = f'Chose "{clean_line(receipt.value or action.value, 60)}" in {reached.words}'
        case a.Fill() | a.MultiFactorFill() | a.FallbackFill():
            quoted = f'"{clean_line(action.value, 60)}"' if receipt.secret is None else f"(secret {receipt.secret})"
            said = f"Filled {reached.words} with {quoted}"
        case _:
            return receipt
    return receipt.but(message=said)
