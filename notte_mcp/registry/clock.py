"""The clock that limits are measured by, so that a test can turn it.

Idle times, life times and deadlines run on a monotonic clock: setting the
machine's clock ends nobody. Unix time is for records, which people read.

Below: nothing. Above: the rest of the registry.
"""

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """Time as the registry sees it. All values are seconds."""

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        ...

    def unix(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after `seconds` of this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    def unix(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
