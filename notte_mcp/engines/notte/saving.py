"""A body that goes to the disk while it comes, and no further than it may: never whole in memory.

Below: nothing of ours. Above: exchange, client, transferring, footage, cloud.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import anyio

_LOOK_BYTES: Final = 4 * 1024**2
"""How much comes between two looks at whether it may go on."""


def at_most(limit: int) -> Callable[[int], Awaitable[str]]:
    """For a `Sink`: no more than `limit` bytes."""

    async def may(size: int) -> str:
        return f"it has more than {limit:,} bytes" if size > limit else ""

    return may


class Sink:
    """Where one body goes. `may` tells why so many bytes are too many ("" where they are not); `why` is what it said
    when it was cut, or why the disk took no more. Whoever made it puts the file away."""

    def __init__(self, path: Path, may: Callable[[int], Awaitable[str]]) -> None:
        self.path, self.why, self.size = path, "", 0
        self._may = may
        self._asked_at = 0

    async def begin(self) -> bool:
        """Empty, for the first try or for another one; whether anything may come at all."""
        self.size = self._asked_at = 0
        self.why = await self._may(0) or await self._written(b"", "wb")
        return not self.why

    async def take(self, part: bytes) -> bool:
        """Write what has come; false where no more is to come."""
        self.size += len(part)
        if self.size - self._asked_at >= _LOOK_BYTES:
            self._asked_at = self.size
            self.why = await self._may(self.size)
        self.why = self.why or await self._written(part, "ab")
        return not self.why

    async def end(self) -> bool:
        """All has come; whether that may be."""
        self.why = await self._may(self.size)
        return not self.why

    async def _written(self, part: bytes, mode: str) -> str:
        def write() -> None:
            with self.path.open(mode) as out:
                out.write(part)

        try:
            await anyio.to_thread.run_sync(write)
        except OSError as error:
            return f"it could not be written: {error.strerror or 'the disk did not take it'}"
        return ""
