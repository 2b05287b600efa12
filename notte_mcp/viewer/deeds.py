"""What a person may do in the live view, as the page asks for it: `{"do": "click", "x": 12, "y": 300}`.

Points are in CSS px of the tab's viewport. Below: nothing. Above: hands, acts.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Px = Annotated[float, Field(ge=0, le=20_000, allow_inf_nan=False)]
ElementId = Annotated[str, Field(pattern=r"^[IBLMFO][1-9]\d{0,8}$")]

MAX_TYPED_CHARS: Final = 20_000


class _Deed(BaseModel):
    # What was typed stands in no error: it may be a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


# --- of who acts -------------------------------------------------------------------


class Pause(_Deed):
    """Let the agent begin nothing more."""

    do: Literal["pause"]


class Resume(_Deed):
    """Let the agent go on; what was taken over is given back by it."""

    do: Literal["resume"]


class TakeOver(_Deed):
    """Mouse and keyboard go to the page from now on, and nobody else acts there."""

    do: Literal["take_over"]


class GiveBack(_Deed):
    """Others may act again; the agent that was paused for it goes on."""

    do: Literal["give_back"]


class Stop(_Deed):
    """End the agent (its session stays open), or the session with it."""

    do: Literal["stop"]
    what: Literal["agent", "session"]


class Say(_Deed):
    """Answer the agent's question, or tell it something."""

    do: Literal["answer", "message"]
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


# --- of the page -------------------------------------------------------------------


class Click(_Deed):
    """Click at a point, once or twice."""

    do: Literal["click"]
    x: Px
    y: Px
    count: Literal[1, 2] = 1


class Drag(_Deed):
    """Drag from one point to another."""

    do: Literal["drag"]
    x: Px
    y: Px
    to_x: Px
    to_y: Px


class Wheel(_Deed):
    """Turn the wheel at a point: `by` px, downwards where positive."""

    do: Literal["wheel"]
    x: Px
    y: Px
    by: Annotated[float, Field(ge=-20_000, le=20_000, allow_inf_nan=False)]


class Type(_Deed):
    """Type text where the caret stands; with `id`, only where that field has the focus still."""

    do: Literal["type"]
    text: Annotated[str, Field(min_length=1, max_length=MAX_TYPED_CHARS)]
    id: ElementId | None = None


class Secret(_Deed):
    """The whole value of the field that takes a secret, has the focus, and is the one that it was given for."""

    do: Literal["secret"]
    id: ElementId
    text: Annotated[str, Field(max_length=1_000)]


class Key(_Deed):
    """A key that writes nothing, or a chord: `Enter`, `Control+A`."""

    do: Literal["key"]
    key: Annotated[
        str, Field(pattern=r"^((Control|Alt|Shift|Meta|ControlOrMeta)\+){0,4}([A-Z][A-Za-z0-9]{1,15}|[!-~])$")
    ]


class Fill(_Deed):
    """Set a field that the page shows a picker for (a date, a colour), or choose an option by its label."""

    do: Literal["fill", "choose"]
    id: ElementId
    value: Annotated[str, Field(max_length=1_000)]


class Goto(_Deed):
    """Open an address, in this tab or in a new one."""

    do: Literal["goto", "new_tab"]
    url: Annotated[str, Field(min_length=1, max_length=10_000)]


class Go(_Deed):
    """Through the tab's history, or close it."""

    do: Literal["back", "forward", "reload", "close_tab"]


class Tab(_Deed):
    """Look at another tab."""

    do: Literal["tab"]
    index: Annotated[int, Field(ge=0, le=1_000)]


class Dialog(_Deed):
    """What the next dialog of the page is to be answered."""

    do: Literal["dialog"]
    accept: bool
    text: Annotated[str | None, Field(max_length=1_000)] = None


Steering = Pause | Resume | TakeOver | GiveBack | Stop | Say
Simple = Click | Drag | Wheel | Secret | Key | Fill | Goto | Go | Tab | Dialog
Handling = Simple | Type

DEED: Final[TypeAdapter[Steering | Handling]] = TypeAdapter(Annotated[Steering | Handling, Field(discriminator="do")])
"""Reads one of them. Raises: pydantic's ValidationError, without what was given."""
