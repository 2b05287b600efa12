"""What actions share: how they name an element, how long they wait, how much they take.

Below: ids. Above: actions.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from notte_mcp.ids import element_id

MAX_VALUE_CHARS: Final = 1_000_000
"""Characters of one typed value."""

DEFAULT_TIMEOUT_MS: Final = 10_000
"""How long an element action waits for its element, unless told otherwise."""

DEFAULT_LOAD_TIMEOUT_MS: Final = 30_000
"""How long a page may take to load, unless told otherwise."""

# fmt: off
FORM_FIELDS: Final = (
    "title", "first_name", "middle_name", "last_name", "full_name", "email", "company",
    "address1", "address2", "address3", "city", "state", "postal_code", "country", "phone",
    "cc_name", "cc_number", "cc_exp_month", "cc_exp_year", "cc_exp", "cc_cvv",
    "username", "password", "current_password", "new_password", "totp",
)
# fmt: on
"""Field names that `form_fill` knows (Notte's FormFillAction)."""


def _element_id(value: str) -> str:
    if (found := element_id(value)) is None:
        raise ValueError(f"{value!r} is no element id (they look like B3); put selectors in `selector`")
    return found


ElementId = Annotated[str, AfterValidator(_element_id)]
Selector = Annotated[str, Field(min_length=1, max_length=4_000)]
TimeoutMs = Annotated[int, Field(ge=1, le=60_000)]


class Fields(BaseModel):
    """Base of all actions: frozen, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=MAX_VALUE_CHARS)


class ElementFields(Fields):
    """An action on one element, named by an observed id or by a selector."""

    id: ElementId | None = None
    selector: Selector | None = None
    timeout_ms: TimeoutMs = DEFAULT_TIMEOUT_MS

    @model_validator(mode="after")
    def _one_target(self) -> "ElementFields":
        if (self.id is None) == (self.selector is None):
            raise ValueError("needs exactly one of `id` (from an observation) and `selector`")
        return self


class OptionalElementFields(Fields):
    """An action that may be aimed at an element."""

    id: ElementId | None = None
    selector: Selector | None = None
    timeout_ms: TimeoutMs = DEFAULT_TIMEOUT_MS

    @model_validator(mode="after")
    def _at_most_one_target(self) -> "OptionalElementFields":
        if self.id is not None and self.selector is not None:
            raise ValueError("takes one of `id` and `selector`, not both")
        return self
