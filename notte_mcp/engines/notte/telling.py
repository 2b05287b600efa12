"""What a page may answer: each question's form, read whole before anything of an answer is used.

The scripts that answer live in the page's own world, and the page may answer in their place. What is not of the form is
no answer; what is, may still be untrue, and is trusted no more than the page.

Below: nothing of ours. Above: probing.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, NotRequired, cast

from pydantic import Field, FiniteFloat, TypeAdapter, ValidationError
from typing_extensions import TypedDict

_MOST: Final = 2**53 - 1

Number = Annotated[int, Field(ge=1, le=_MOST)]
Place = Annotated[int, Field(ge=0, le=_MOST)]
Box = tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]


class Ways(TypedDict):
    """Every way to an element that is unique."""

    css: str | None
    xpath: str | None
    frame: list[str]
    shadow: bool
    role: NotRequired[tuple[str, str] | None]
    row: NotRequired[tuple[str, str, str, str] | None]
    numbered: NotRequired[bool]
    test_id: NotRequired[str]
    test_id_attribute: NotRequired[str]
    label: NotRequired[str]
    placeholder: NotRequired[str]


class Facts(TypedDict):
    """What is known of an element."""

    key: Number
    tag: str
    role: str
    name: str
    secret: bool
    editable: str
    value: str | None
    caret: tuple[Place, Place] | None
    filled: bool
    writable: bool
    checked: bool | None
    disabled: bool
    box: Box | None
    ways: Ways
    same: NotRequired[bool]


class Seen(TypedDict):
    """What describes an element."""

    tag: str
    attributes: dict[str, str]
    ways: Ways
    label: str
    box: Box | None


class Stored(TypedDict):
    """One entry of a page's storage."""

    name: str
    value: str


class Standing(TypedDict):
    """Where a page stands."""

    document: str
    url: str
    title: str
    ready: str
    status: Place | None
    view: tuple[FiniteFloat, FiniteFloat]


class OnOne(Standing):
    """Of a question about one element."""

    element: Facts | None
    count: NotRequired[Place | None]
    control: NotRequired[bool]
    typed: NotRequired[bool]


class Looked(Standing):
    """Of a look: key, tag, role, name, whether it takes a secret, whether it is required."""

    found: list[tuple[Number, str, str, str, bool, bool] | None]
    headings: list[str]


class Named(Standing):
    """Of selectors: role and name."""

    found: list[tuple[str, str] | None]


class Known(Standing):
    """Of several elements at once."""

    found: list[Facts | None]


class Described(Standing):
    """Of several elements, as they are described."""

    found: list[Seen | None]


class Boxed(Standing):
    """Of several elements: where they stand."""

    width: FiniteFloat
    found: list[Box | None]


class Wheeled(Standing):
    """How far it scrolled; None outside the viewport."""

    moved: FiniteFloat | None


class Waited(Standing):
    """Whether it is so, or was no question at all."""

    met: bool
    wrong: NotRequired[bool]


class Held(Standing):
    """What the page keeps in its storage."""

    origin: str
    items: list[Stored]


_OTHERS: Final[dict[str, Any]] = {
    "look": Looked, "find": Named, "facts": Known, "describe": Described, "boxes": Boxed, "wheel": Wheeled,
    "wait": Waited, "storage": Held,
}  # fmt: skip
_MUST: Final = {"reach": "count", "focus": "count", "hover": "count", "spot": "control", "type": "typed"}
_ASKED: Final = ("sets", "keys", "selectors")


@cache
def _form(do: str) -> TypeAdapter[Any]:
    return TypeAdapter(_OTHERS.get(do, OnOne))


def told(do: str, asked: Mapping[str, Any], found: Any) -> dict[str, Any] | None:
    """The answer to a question, without what is not of its form; None where it is no answer to it."""
    try:
        # Through text: half a character, which pages may give, is none of any form.
        text = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
        answer = cast(dict[str, Any], _form(do).validate_json(text, strict=True))
    except (ValidationError, ValueError, TypeError, RecursionError):
        return None
    if (needed := _MUST.get(do)) is not None and needed not in answer:
        return None
    many = next((len(asked[name]) for name in _ASKED if name in asked), None)
    return answer if many is None or len(answer["found"]) == many else None
