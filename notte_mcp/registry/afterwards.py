"""What is done once a filmed session has ended: its video is begun, and films that are too much go.

Below: reading, sweeping, replay.replays. Above: app.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio

from notte_mcp.errors import NotteMCPError
from notte_mcp.logs import Log
from notte_mcp.records import StepRecord
from notte_mcp.registry.reading import Reading
from notte_mcp.registry.sweeping import Sweep
from notte_mcp.replay.parts import Part
from notte_mcp.replay.replays import Replays
from notte_mcp.store.base import Store

WAITING: Final = 256
"""Sessions that may wait for it; of one too many the video is made when somebody asks."""

log = Log("registry")


class Afterwards:
    """See the module. `over` may be called as soon as it is made, `run` works it off, until `close`."""

    def __init__(self) -> None:
        self._send, self._ended = anyio.create_memory_object_stream[str](WAITING)
        self._working = anyio.CancelScope()

    def over(self, session_id: str) -> None:
        """A session with a film has ended."""
        with suppress(anyio.WouldBlock, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._send.send_nowait(session_id)

    def close(self) -> None:
        """The server ends: nothing more is begun, of what its end ends neither. Idempotent."""
        self._working.cancel()
        self._send.close()
        self._ended.close()

    async def run(self, registry: Reading, replays: Replays, sweep: Sweep, store: Store, sessions_dir: Path) -> None:
        """Until it is closed. What cannot be read or removed is a line of the log."""
        with self._working, self._send, self._ended:
            async for session_id in self._ended:
                try:
                    if steps := await _all_steps(registry, session_id):
                        replays.begin(session_id, [Part(sessions_dir / session_id, steps)])
                    await sweep.excess(store)
                except (NotteMCPError, OSError) as error:
                    log.warning("session.no_afterwards", session=session_id, reason=type(error).__name__)


async def _all_steps(registry: Reading, session_id: str) -> list[StepRecord]:
    steps: list[StepRecord] = []
    while more := await registry.steps(session_id, after=steps[-1].number if steps else 0):
        steps += more
    return steps
