"""An order as it arrives from the form, and what the shop finds wrong with it.

Below: stock. Above: pages, shop.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from notte_mcp.demo.stock import Product

COUNTRIES: Final = ("Austria", "France", "Germany", "Italy", "Switzerland")
DELIVERIES: Final = {"standard": "Standard (4.90 €)", "express": "Express (11.90 €)", "pickup": "Pick up (free)"}
MIN_CODE_CHARS: Final = 6
"""Length of the shortest access code; the shop takes any code of that length."""

_REQUIRED: Final = {
    "name": "your name",
    "email": "your e-mail address",
    "street": "a street and number",
    "postal_code": "a postal code",
    "city": "a city",
}


@dataclass(frozen=True, slots=True)
class Order:
    """A placed order. The access code was checked and is not kept."""

    number: str
    product: Product
    quantity: int
    fields: Mapping[str, str]


def faults(fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a form, by field; nothing where the order can be placed."""
    found = {name: f"Please give {what}." for name, what in _REQUIRED.items() if not fields.get(name, "").strip()}
    if "email" not in found and "@" not in fields.get("email", ""):
        found["email"] = "This is no e-mail address."
    if fields.get("country") not in COUNTRIES:
        found["country"] = "Please choose a country."
    if fields.get("delivery") not in DELIVERIES:
        found["delivery"] = "Please choose a delivery."
    if len(fields.get("code", "")) < MIN_CODE_CHARS:
        found["code"] = f"An access code has at least {MIN_CODE_CHARS} characters."
    if fields.get("terms") != "yes":
        found["terms"] = "Please accept the terms."
    return found
