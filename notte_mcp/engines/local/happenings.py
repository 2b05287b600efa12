"""What happened in a session outside of any action, one line each, until it is asked for.

Below: `stage`. Above: `session`.
"""

from typing import Final

from notte_mcp.engines.local.stage import Stage

_MOST: Final = 10
"""A flood of tabs is one fact."""


class Happenings:
    """See the module. `unopened` counts the windows that a page asked for and Chromium did not open."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._lines: list[str] = []
        self.unopened = 0

    def note(self, line: str) -> None:
        """Keep a line."""
        if len(self._lines) < _MOST:
            self._lines.append(line)

    def gather(self) -> None:
        """Dialogs and downloads that nobody's action is told of become lines."""
        for dialog in self._stage.dialogs.take():
            self.note(f'{dialog.kind} "{dialog.message}" opened and was {dialog.answer}')
        for download in self._stage.downloads.take():
            how = f" failed: {download.failure}" if download.failure else f" ({download.size} bytes) is under files"
            self.note(f"download {download.name}{how}")
        unopened, self.unopened = self.unopened, 0
        if unopened:
            self.note(f"the page asked for {unopened} windows that Chromium did not open: it opens one for a gesture")

    def take(self) -> tuple[str, ...]:
        """What there is to tell, told once."""
        self.gather()
        lines, self._lines = self._lines, []
        return tuple(lines)
