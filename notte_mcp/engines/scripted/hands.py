"""Where a person points in a scripted page, and the caret that he types at.

Below: pages, drawing. Above: session.
"""

from dataclasses import dataclass
from typing import Final

from notte_mcp.engines.base import Spot
from notte_mcp.engines.scripted.drawing import VIEWPORT, at_point, box_of
from notte_mcp.engines.scripted.pages import Document, LiveElement, secret_of
from notte_mcp.ids import letter_for

_CHOSEN: Final = frozenset({"combobox", "listbox", "file"})


def pointed_at(document: Document, point: tuple[float, float]) -> LiveElement | None:
    """What stands at a point of the viewport, else the nearest above or below it; None outside of it."""
    if not (0 <= point[0] < VIEWPORT[0] and 0 <= point[1] < VIEWPORT[1]):
        return None
    return at_point(document, point) or min(
        document.elements, key=lambda live: _away(document, live, point), default=None
    )


def _away(document: Document, live: LiveElement, point: tuple[float, float]) -> float:
    _, top, _, height = box_of(document, live) or (0, 0, 0, 0)
    return abs(top + height / 2 - point[1])


def takes_text(live: LiveElement) -> bool:
    """Whether it can be typed into."""
    role = live.script.role
    return letter_for(role) == "I" and role not in _CHOSEN and not live.script.disabled


@dataclass(slots=True)
class Caret:
    """What has the focus, and the part of its value that is selected."""

    live: LiveElement | None = None
    start: int = 0
    end: int = 0

    def put(self, live: LiveElement) -> None:
        """Into an element, behind what it holds; it stays where it is in there already."""
        if self.live is not live:
            self.live, self.start, self.end = live, len(live.value), len(live.value)
        self.start, self.end = min(self.start, len(live.value)), min(self.end, len(live.value))

    def type(self, text: str) -> None:
        """Put a text in the place of what is selected."""
        if self.live is not None and takes_text(self.live):
            value = self.live.value
            self.live.value = value[: self.start] + text + value[self.end :]
            self.start = self.end = self.start + len(text)

    def press(self, key: str) -> bool:
        """What a key does to the text and to the caret; gives whether the text has changed."""
        if self.live is None:
            return False
        before, size = self.live.value, len(self.live.value)
        match key:
            case "Backspace" | "Delete":
                if self.start == self.end:
                    self.start, self.end = (max(0, self.start - 1), self.end) if key == "Backspace" else (
                        self.start, min(size, self.end + 1)
                    )  # fmt: skip
                self.type("")
            case "Home" | "End":
                self.start = self.end = 0 if key == "Home" else size
            case "ArrowLeft" | "ArrowRight":
                self.start = self.end = max(0, self.start - 1) if key == "ArrowLeft" else min(size, self.end + 1)
            case "Control+A":
                self.start, self.end = 0, size
            case _ if len(key) == 1:
                self.type(key)
            case _:
                pass
        return self.live.value != before

    def spot(self, document: Document, live: LiveElement) -> Spot:
        """An element, which has got an id, as a person has it before him."""
        editable, secret = takes_text(live), secret_of(live)
        shown = editable and secret is None
        at = (self.start, self.end) if live is self.live else (len(live.value), len(live.value))
        return Spot(
            live.id or "", live.script.role, live.script.name, box_of(document, live) or (0, 0, 0, 0),
            editable=editable, secret=secret, value=live.value if shown else None, caret=at if shown else None,
        )  # fmt: skip
