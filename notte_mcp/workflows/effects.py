"""What repeating a recorded step would do outside again, in words.

The evidence is what the page sent. A page that answered where nothing but questions was sent
was looked at, whatever the button was called. Where that cannot be known, a button that is
called like something final, or that led on, may have sent something: better one stop too many
than a second payment. A login does nothing that another would mind.

Below: records, folding. Above: generalising.
"""

import re
from collections.abc import Sequence
from typing import Final

from notte_mcp.records import StepRecord
from notte_mcp.workflows.folding import enters, kind, receipt_of

_LOADS: Final = frozenset({"goto", "goto_new_tab", "go_back", "go_forward", "switch_tab", "close_tab"})
_SAFE_METHODS: Final = ("GET ", "HEAD ", "OPTIONS ")
_TYPES: Final = frozenset({"fill", "multi_factor_fill", "fallback_fill", "form_fill"})
_PRESSES: Final = frozenset({"click", "double_click"})
_BUTTONS: Final = frozenset({"button", "menuitem", "submit", "clickable"})

_FINAL: Final = re.compile(
    r"\b(pay|buy|purchase|checkout|order|delete|remove|send|submit|book|confirm|transfer|publish|place)\b",
    re.IGNORECASE,
)
_FINAL_LINK: Final = re.compile(r"\W*(pay|buy|delete|remove|send|submit|confirm|transfer|publish)\b", re.IGNORECASE)
_HARMLESS: Final = re.compile(
    r"\W*(next|continue|back|cancel|close|previous|search|find|go|filter|show|view|open|more|menu|edit|details)\b",
    re.IGNORECASE,
)
_LOGIN: Final = re.compile(r"\b(log ?in|sign ?in|log ?on|continue|next|verify|unlock)\b", re.IGNORECASE)
_FEW_FIELDS: Final = 3
_MOST_TOLD: Final = 2


def effect_of(step: StepRecord, before: Sequence[StepRecord] = ()) -> str:
    """`sends POST https://shop/orders`, `may submit "Pay now"`, or nothing where the step only looks.

    `before` are the steps that were done before it, in order.
    """
    if kind(step) in _LOADS or _logs_in(step, before):
        return ""
    receipt = receipt_of(step)
    sent = [request for request in dict.fromkeys(receipt.sent) if not request.upper().startswith(_SAFE_METHODS)]
    if sent:
        more = f" and {len(sent) - _MOST_TOLD} more" if len(sent) > _MOST_TOLD else ""
        return f"sends {', '.join(sent[:_MOST_TOLD])}{more}"
    return f'may submit "{_name(step)}"' if _may_submit(step) else ""


def _may_submit(step: StepRecord) -> bool:
    receipt = receipt_of(step)
    if receipt.navigated and receipt.status is not None:
        # An engine that saw the page's answer saw how it was asked for, and that nothing else was sent.
        return False
    if enters(step):
        # A search leads to an address that holds it; a form that was posted does not.
        return receipt.navigated and "?" not in receipt.url_after
    if kind(step) not in _PRESSES or receipt.target is None:
        return False
    name = receipt.target.name
    if receipt.target.role == "link":
        return _FINAL_LINK.match(name) is not None
    if receipt.target.role not in _BUTTONS:
        return False
    led_on = receipt.navigated and "?" not in receipt.url_after and not _HARMLESS.match(name)
    return led_on or _FINAL.search(name) is not None


def _name(step: StepRecord) -> str:
    target = receipt_of(step).target
    return target.name if target is not None else str(step.action.get("key") or kind(step))


def _logs_in(step: StepRecord, before: Sequence[StepRecord]) -> bool:
    """Whether a secret was typed on this page, into one of few fields, and this hands it in."""
    typed: list[StepRecord] = [step] if kind(step) in _TYPES else []
    for other in reversed(before):
        if receipt_of(other).navigated or kind(other) in _LOADS:
            break
        typed += [other] if kind(other) in _TYPES else []
    few = len({str(receipt_of(one).target) for one in typed}) <= _FEW_FIELDS
    secret = any(_is_secret(one) for one in typed)
    handed_in = enters(step) or (kind(step) in _PRESSES and _LOGIN.search(_name(step)) is not None)
    return secret and few and handed_in


def _is_secret(step: StepRecord) -> bool:
    target = receipt_of(step).target
    withheld = receipt_of(step).secret is not None or isinstance(step.action.get("value"), dict)
    return kind(step) != "form_fill" and (withheld or (target is not None and target.role == "password"))
