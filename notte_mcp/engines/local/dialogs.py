"""Dialogs: answered at once, so that no call ever waits for one, and told of afterwards.

A dialog is dismissed unless `handle_dialog` armed an answer for it; `beforeunload` is
accepted, since a page must not hold its tab. The first few of a storm are recorded
with their text, the rest are counted.

Below: receipts, observations. Above: `session`.
"""

from contextlib import suppress
from typing import Final

from playwright.async_api import Dialog
from playwright.async_api import Error as PlaywrightError

from notte_mcp.observations import clean_line
from notte_mcp.receipts import DialogEvent

_RECORDED: Final = 5


class Dialogs:
    """The dialogs of one session."""

    def __init__(self) -> None:
        self._armed: tuple[bool, str | None] | None = None
        self._seen: list[DialogEvent] = []
        self._more = 0
        self.opened_ever = 0

    def arm(self, *, accept: bool, answer: str | None) -> None:
        """Say what the next dialog is answered."""
        self._armed = (accept, answer)

    async def opened(self, dialog: Dialog) -> None:
        """Answer a dialog."""
        self.opened_ever += 1
        accept, answer = False, None
        if dialog.type == "beforeunload":
            accept = True
        elif self._armed is not None:
            (accept, answer), self._armed = self._armed, None
        if dialog.type != "beforeunload":
            self._record(dialog, accept=accept)
        with suppress(PlaywrightError):  # the page may be gone by now, and its dialog with it
            if accept:
                await dialog.accept(answer if answer is not None else dialog.default_value)
            else:
                await dialog.dismiss()

    def _record(self, dialog: Dialog, *, accept: bool) -> None:
        if len(self._seen) >= _RECORDED:
            self._more += 1
            return
        kind = dialog.type if dialog.type in ("alert", "confirm", "prompt") else "alert"
        message = clean_line(dialog.message, 200)
        self._seen.append(DialogEvent(kind, message, "accepted" if accept else "dismissed"))  # pyright: ignore[reportArgumentType]

    def take(self) -> tuple[DialogEvent, ...]:
        """What opened since the last call; a storm's rest is one entry that counts it."""
        seen, self._seen = self._seen, []
        more, self._more = self._more, 0
        if more:
            seen.append(DialogEvent("alert", f"and {more} more dialogs", "dismissed"))
        return tuple(seen)
