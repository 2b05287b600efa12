"""A session's part that other spellings of a page stand on: elements as their documents write them, and cookies set.

Below: stage, elements, world. Above: session.
"""

from collections.abc import Sequence
from typing import Any, cast

from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.base import Described
from notte_mcp.engines.local.stage import Stage
from notte_mcp.errors import InvalidArgument


class Spelling:
    """See the module."""

    _stage: Stage

    @property
    def remote_id(self) -> str:
        return ""

    async def describe(self, ids: Sequence[str]) -> list[Described | None]:
        await self._ready()
        return [None for _ in ids]

    async def set_cookies(self, cookies: Sequence[dict[str, Any]]) -> None:
        await self._ready()
        try:
            await self._stage.context.add_cookies(cast(Any, list(cookies)))
        except PlaywrightError as error:
            if self._stage.lost:
                raise self._gone(error) from error
            why = str(error).splitlines()[0].removeprefix("BrowserContext.add_cookies: ")
            raise InvalidArgument(
                f"The cookies were not taken: {why[:200]}.", next_call="the same call, corrected"
            ) from error

    async def _ready(self) -> None:
        raise NotImplementedError

    def _gone(self, error: Exception) -> Exception:
        raise NotImplementedError
