"""Reading records for an answer that may not wait: whoever asks how things stand is told what is known without them.

What is live is known in memory. Its records are on a disk that may be full, slow, or locked by another program.

Below: errors. Above: status.
"""

from collections.abc import Awaitable
from typing import Final, TypeVar

import anyio

from notte_mcp.errors import StoreUnusable

PATIENCE_S: Final = 1.5
"""How long records are waited for where there is something to tell without them."""

UNREAD: Final = (
    "The records cannot be read now (the database is locked by another program, or its disk is slow): only what is live "
    "is told, from memory."
)

T = TypeVar("T")


async def soon(reading: Awaitable[T]) -> T | None:
    """What was read, or None where that did not work in time. What else it raises, it raises."""
    with anyio.move_on_after(PATIENCE_S):
        try:
            return await reading
        except StoreUnusable:
            return None
    return None
