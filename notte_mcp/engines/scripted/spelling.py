"""A scripted session's part that other spellings of a page stand on: elements as HTML would write them, cookies set.

Below: book, pages. Above: session.
"""

from collections.abc import Sequence
from typing import Any

from notte_mcp.engines.described import Described
from notte_mcp.engines.scripted.book import Book
from notte_mcp.engines.scripted.pages import Document


class Spelling:
    """See the module."""

    remote_id = ""
    cookies: list[Any]
    _book: Book

    @property
    def _here(self) -> Document:
        raise NotImplementedError

    async def describe(self, ids: Sequence[str]) -> list[Described | None]:
        self._still_there()
        return [self._book.described(self._here, named) for named in ids]

    async def set_cookies(self, cookies: Sequence[dict[str, Any]]) -> None:
        self._still_there()
        self.cookies += cookies

    def _still_there(self) -> None:
        raise NotImplementedError
