"""One live run: its record as it stands, who waits for it, and how it is to end.

Plain state. The disk has it from its start on, then at most every so often, and at its end.

Below: registry (clock, redactor), store.base. Above: run, runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import anyio

from notte_mcp.errors import StoreUnusable
from notte_mcp.logs import Log
from notte_mcp.registry import Clock, Redactor
from notte_mcp.store.base import Store
from notte_mcp.workflow_records import RunRecord, RunState, RunStep

WRITE_EVERY_S: Final = 1.0
"""How often a run in progress is written."""

log = Log("runs")


@dataclass(frozen=True, slots=True)
class End:
    """How a run is over: `reason` is told to whoever asks for it. `keeps_session` leaves the page to be looked at."""

    state: RunState
    reason: str = ""
    keeps_session: bool = False


class LiveRun:
    """See the module. `redact` takes the run's secrets out of what it tells; `asked` is the end that somebody
    outside asked for; `scope` is what the run does."""

    def __init__(
        self, record: RunRecord, *, store: Store, clock: Clock, redact: Redactor, listener: Callable[[RunRecord], None]
    ) -> None:
        self.record = record
        self.redact = redact
        self.asked: End | None = None
        self.scope = anyio.CancelScope()
        self.ended = anyio.Event()
        self._store = store
        self._clock = clock
        self._listener = listener
        self._written_at = clock.now()
        self._pulse = anyio.Event()

    @property
    def id(self) -> str:
        return self.record.id

    def update(self, **changes: Any) -> None:
        """The record with some fields replaced; whoever waits is woken."""
        self.record = self.record.but(updated_at=self._clock.unix(), **self.redact(changes))
        self._pulse.set()
        self._pulse = anyio.Event()
        self._listener(self.record)

    async def next_beat(self) -> None:
        """Come back at the next change."""
        await self._pulse.wait()

    def end_soon(self, end: End) -> None:
        """Somebody outside wants it to end. The first to ask says how."""
        if self.asked is None:
            self.asked = end
            self.update()

    def over(self, step: RunStep) -> None:
        """One more step is over."""
        self.update(steps=(*self.record.steps, step), step_count=self.record.step_count + 1)

    async def keep(self) -> None:
        """Put what is over on disk where that is due."""
        if self._clock.now() - self._written_at >= WRITE_EVERY_S:
            await self.write()

    async def write(self) -> bool:
        """Put it on disk. The run goes on all the same where the disk does not take it."""
        self._written_at = self._clock.now()
        try:
            with anyio.CancelScope(shield=True):
                await self._store.put_run(self.record)
        except StoreUnusable as error:
            log.error("run.not_written", run=self.id, error=str(error))
            return False
        return True
