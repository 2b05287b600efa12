"""A whole form by Notte's field names: which field of the page each name means, and filling them.

Below: `fields`. Above: `performer`.
"""

from typing import Final

from notte_mcp import actions as a
from notte_mcp.engines.local import fields
from notte_mcp.engines.local.elements import Element, page_of
from notte_mcp.engines.local.stage import Stage
from notte_mcp.errors import ActionFailed
from notte_mcp.receipts import Receipt

_SECRETS: Final = frozenset(
    {
        "password",
        "current_password",
        "new_password",
        "totp",
        "cc_number",
        "cc_cvv",
        "cc_exp",
        "cc_exp_month",
        "cc_exp_year",
    }
)
"""The names that stand for a secret, whatever field of the page they mean."""


async def fill_form(stage: Stage, action: a.FormFill, *, timeout_ms: int) -> Receipt:
    """Fill every field that the page has for the given names; those it has not are named.

    Raises:
        ActionFailed: the page has none of them, or a field does not hold its value. StaleElement, NotActionable.
    """
    filled: list[str] = []
    missing: list[str] = []
    secret = None
    for name, element in await _form_fields(stage, action):
        if element is None:
            missing.append(name)
            continue
        value = action.value[name]
        if element.role in ("combobox", "listbox"):
            await fields.select(
                stage, element, a.SelectDropdownOption(selector="-", value=value), timeout_ms=timeout_ms
            )
        else:
            filling = a.Fill(selector="-", value=value)
            veiled = name in _SECRETS
            receipt = await fields.fill(stage, element, filling, timeout_ms=timeout_ms, veiled=veiled)
            secret = secret or receipt.secret
        filled.append(name)
    if not filled:
        raise ActionFailed(
            f"The page has no field for {', '.join(missing)}.", next_call="notte_observe, then fill by id"
        )
    said = f"Filled {', '.join(filled)}" + (f"; the page has no field for {', '.join(missing)}" if missing else "")
    return Receipt(
        action.type, success=not missing, message=said, code="action_failed" if missing else "", secret=secret
    )


async def _form_fields(stage: Stage, action: a.FormFill) -> list[tuple[str, Element | None]]:
    """The fields of the page that Notte's field names mean, None where the page has none for a name."""
    world, tab = stage.tab.main, stage.tab
    found = await world.call("matchForm", {"fields": list(action.value)}, timeout_s=5, anew=True)
    uid = world.document.uid if world.document else 0
    page = page_of(tab.url)
    return [
        (
            f["field"],
            None if f["key"] is None else Element("", tab, world, uid, int(f["key"]), f["role"], f["field"], "", page),
        )
        for f in found
    ]
