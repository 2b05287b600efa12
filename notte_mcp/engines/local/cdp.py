"""A CDP session with types: Playwright's own gives untyped dictionaries.

Below: playwright. Above: `world`, `tab`, and what sends input.
"""

from collections.abc import Callable
from typing import Any, cast

from playwright.async_api import CDPSession


class Cdp:
    """Sends CDP commands to one target. Commands sent without waiting in between keep their order."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The command's result.

        Raises:
            playwright Error: the target is gone, or refuses the command.
        """
        return cast("dict[str, Any]", await self._session.send(method, params))  # pyright: ignore[reportUnknownMemberType]

    def hear(self, event: str, listener: Callable[[dict[str, Any]], None]) -> None:
        """Call `listener` with the parameters of each event of this name."""
        self._session.on(event, listener)  # pyright: ignore[reportArgumentType, reportCallIssue]

    def unhear(self, event: str, listener: Callable[[dict[str, Any]], None]) -> None:
        """Call it no more."""
        self._session.remove_listener(event, listener)
