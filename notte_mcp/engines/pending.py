"""An engine that is imported and made when the first session needs it.

Importing a browser's driver costs more than the rest of the server together, and
a server that is only asked for its tools or its records never needs one.

Below: engines.base. Above: app.
"""

from collections.abc import Callable

import anyio
import anyio.to_thread

from notte_mcp.engines.base import BrowserSession, Engine, LostListener, OpenRequest, Remote


class PendingEngine:
    """See `Engine`. `make` runs in a worker thread, once."""

    def __init__(self, name: str, make: Callable[[], Engine]) -> None:
        self.name = name
        self._make = make
        self._engine: Engine | None = None
        self._listener: LostListener | None = None
        self._turn = anyio.Lock()

    async def open(self, request: OpenRequest) -> BrowserSession:
        return await (await self._made()).open(request)

    async def remote(self, remote_id: str) -> Remote | None:
        return await (await self._made()).remote(remote_id)

    async def _made(self) -> Engine:
        async with self._turn:
            if self._engine is None:
                self._engine = await anyio.to_thread.run_sync(self._make)
                if self._listener is not None:
                    self._engine.on_lost(self._listener)
            return self._engine

    def on_lost(self, listener: LostListener) -> None:
        self._listener = listener
        if self._engine is not None:
            self._engine.on_lost(listener)

    async def close(self, *, deadline_s: float) -> None:
        if self._engine is not None:
            await self._engine.close(deadline_s=deadline_s)
