"""An element, or a text, as its document spells it: for who writes an observation in another form than ours.

Values only. Below: receipts. Above: engines.base, the engines, registry, api.
"""

from dataclasses import dataclass
from typing import Final, Literal

from notte_mcp.receipts import Box, Locators

DESCRIBED: Final = (
    "title", "type", "name", "role", "tabindex", "aria-label", "placeholder", "value", "alt", "src", "href",
    "aria-expanded", "disabled",
)  # fmt: skip
"""Attributes that `Described` tells."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a native select: what is submitted, and what is shown (cut at 200 characters each)."""

    value: str
    label: str
    selected: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What an element holds now. What does not apply to it is None.

    `value` is at most 20,000 characters of what a field or a select holds, of `length` characters; of a field that takes
    a secret only `filled` is told. `choices` are the first 50 options of a select and those that are selected, of
    `choice_count`.
    """

    value: str | None = None
    length: int = 0
    filled: bool | None = None
    checked: bool | None = None
    mixed: bool | None = None
    choices: tuple[Choice, ...] | None = None
    choice_count: int = 0
    multiple: bool | None = None
    expanded: bool | None = None
    selected: bool | None = None
    pressed: bool | Literal["mixed"] | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """An element as its document spells it.

    `tag` is in lower case; `attributes` are those of `DESCRIBED` that it has, as written (values cut at 200
    characters; of a field that takes a secret no value). `locators` has the structural ways alone (css, xpath,
    frame, shadow), which cost nothing to find. `label` is its visible text, cut at 200 characters; of a select that
    of its options, one a line. `box` is where it is seen in the viewport. `before` and `after` are the texts of its label
    elements, by where they stand. `held` is None where an engine does not tell it.

    Of a text (`tag` is empty) `label` has its parts, one a line, as elements within it divide it.
    """

    tag: str
    attributes: dict[str, str]
    locators: Locators
    label: str = ""
    box: Box | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    held: Held | None = None
