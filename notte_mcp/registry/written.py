"""An action as it is written down: its fields, with every secret replaced by its name.

Which values are secret is the engine's knowledge (a password field, a one-time
code, a card number); what that means for what is stored is decided here. Pure.

Below: redaction, actions. Above: batch.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from notte_mcp.actions import Action, FallbackFill, Fill, FormFill, MultiFactorFill, PressKey, SelectDropdownOption
from notte_mcp.receipts import Receipt
from notte_mcp.registry.redaction import Redactor

MAX_DATA_CHARS: Final = 256_000
"""What is written down of a script's result; a program's own may bring more, which its caller alone is given."""

ONE_TIME_CODE: Final = "ONE_TIME_CODE"
"""What a one-time code is called where its field has no name."""

_SECRET_FORM_FIELDS: Final = frozenset(
    {"password", "current_password", "new_password", "totp", "cc_number", "cc_cvv",
     "cc_exp", "cc_exp_month", "cc_exp_year"}
)  # fmt: skip


def secrets_of(action: Action, name: str | None) -> dict[str, str]:
    """NAME -> value of every secret that `action` types; `name` is what the engine calls its target's."""
    match action:
        case MultiFactorFill():
            return {name or ONE_TIME_CODE: action.value}
        case FormFill():
            return {key.upper(): value for key, value in action.value.items() if key in _SECRET_FORM_FIELDS}
        case Fill() | FallbackFill() | SelectDropdownOption() if name:
            return {name: action.value}
        case PressKey() if name and _types_text(action):
            return {name: action.key}
        case _:
            return {}


def write_down(action: Action, redactor: Redactor, *, name: str | None, known: bool) -> dict[str, Any]:
    """The fields of `action` that differ from their defaults, and its value.

    A secret is `{"secret": NAME}`; a value whose target is not `known` yet is None.
    """
    fields = action.model_dump(mode="json", exclude_defaults=True, exclude={"type"})
    if (value := getattr(action, "value", None)) is not None:
        fields["value"] = value
    secret = secrets_of(action, name)
    if isinstance(action, FormFill):
        fields["value"] = {key: _form_value(key, text, secret, redactor) for key, text in action.value.items()}
    elif _may_hold_secret(action):
        field = "key" if isinstance(action, PressKey) else "value"
        if name := next(iter(secret), None) or redactor.name_of(fields[field]):
            fields[field] = {"secret": name}
        elif not known:
            fields[field] = None
    return {"type": action.type, **redactor(fields)}


def recorded(receipt: Receipt) -> Receipt:
    """A receipt as it is written down: of a script's result only so much."""
    if receipt.type != "evaluate_js" or receipt.data is None:
        return receipt
    found = receipt.data
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return receipt if len(text) <= MAX_DATA_CHARS else receipt.but(data=text[:MAX_DATA_CHARS])


def _form_value(key: str, text: str, secret: Mapping[str, str], redactor: Redactor) -> str | dict[str, str]:
    name = key.upper() if key.upper() in secret else redactor.name_of(text)
    return {"secret": name} if name else text


def _may_hold_secret(action: Action) -> bool:
    if isinstance(action, PressKey):
        return _types_text(action)
    return isinstance(action, Fill | FallbackFill | MultiFactorFill | SelectDropdownOption)


def _types_text(action: PressKey) -> bool:
    # A named key or a chord ("Enter", "Control+A") types nothing that could be put together to a password.
    return len(action.key) == 1
