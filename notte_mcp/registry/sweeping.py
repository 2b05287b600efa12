"""What is too old or too much goes: records of ended sessions with their folders, and films.

Below: replay.retention, store.base. Above: app, doctor.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio.to_thread

from notte_mcp.logs import Log
from notte_mcp.records import LIVE_STATES
from notte_mcp.replay import retention
from notte_mcp.store.base import Store

_DAY_S: Final = 86_400
_ALL: Final = 1_000_000

log = Log("registry")


@dataclass(frozen=True, slots=True)
class Keep:
    """How long and how much: days of records and of films after their session's end, bytes of all films."""

    days: float
    replay_days: float
    replay_bytes: int


class Sweep:
    """See the module. `sessions_dir` holds the sessions' folders."""

    def __init__(self, sessions_dir: Path, keep: Keep) -> None:
        self._dir = sessions_dir
        self._keep = keep

    async def records(self, store: Store) -> list[str]:
        """Remove ended sessions that are too old; gives their ids. Raises: StoreUnusable."""
        gone = await store.sweep(older_than=time.time() - self._keep.days * _DAY_S)
        await anyio.to_thread.run_sync(self._remove, gone)
        return gone

    async def films(self, store: Store) -> list[str]:
        """Remove films that are too old or too much; gives their sessions. Raises: StoreUnusable, OSError."""
        records = await store.sessions(limit=_ALL)
        ends = {one.id: None if one.state in LIVE_STATES else one.updated_at for one in records}
        keep = self._keep

        def sweep() -> list[str]:
            older_than = time.time() - keep.replay_days * _DAY_S
            return retention.sweep(
                self._dir, ends, older_than=older_than, max_bytes=keep.replay_bytes, days=keep.replay_days
            )

        gone = await anyio.to_thread.run_sync(sweep)
        for session_id in gone:
            log.info("replay.swept", session=session_id)
        return gone

    async def excess(self, store: Store) -> list[str]:
        """As `films`, where there is too much of them. Raises: StoreUnusable, OSError."""
        total = await anyio.to_thread.run_sync(retention.total, self._dir)
        return await self.films(store) if total > self._keep.replay_bytes else []

    def _remove(self, session_ids: Sequence[str]) -> None:
        for session_id in session_ids:
            shutil.rmtree(self._dir / session_id, ignore_errors=True)
