"""Runs by id: start, find, wait, stop; and the workflows that are kept by name.

A run lives in the App's task group, never in a request: whoever waits may leave. It has a session of its
own, which no caller's left-out `session_id` means.

Below: the rest of runs, agents, registry, workflows, store.base. Above: app, tools, resources, prompts.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Literal, Self

import anyio
from anyio.abc import TaskGroup

from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.errors import NotteMCPError, UnknownSession
from notte_mcp.ids import is_agent_id, is_run_id, is_session_id
from notte_mcp.logs import Log
from notte_mcp.registry import Clock, Registry, SystemClock
from notte_mcp.runs import refusals
from notte_mcp.runs.beginning import Beginning, RunRequest
from notte_mcp.runs.cut import by_the_log
from notte_mcp.runs.live import End, LiveRun
from notte_mcp.runs.run import Work
from notte_mcp.runs.saved import Saved
from notte_mcp.runs.scripts import Place
from notte_mcp.runs.values import Values, resolve
from notte_mcp.store.base import Store
from notte_mcp.workflow_records import RunRecord

GRACE_S: Final = 1.5
"""How long a run that is to end may finish the step in flight."""

STOP_S: Final = 4.0
CLOSE_S: Final = 0.5
_MOST_STEPS: Final = 1_000
_SOURCES: Final = 5
"""How far back a run's source is followed to a session."""

log = Log("runs")


class Runs(Saved):
    """See the module. Runs between entering and leaving it (`async with`), in one task, within the agents' time."""

    def __init__(
        self,
        *,
        registry: Registry,
        agents: Supervisor,
        store: Store,
        owner: str,
        place: Place,
        limit: int = 4,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        super().__init__(store, self._clock)
        self._registry = registry
        self._agents = agents
        self._place = place
        self._limit = limit
        self._beginning = Beginning(
            registry=registry, agents=agents, store=store, clock=self._clock, owner=owner, listener=self._tell
        )
        self._live: dict[str, LiveRun] = {}
        self._unwritten: dict[str, RunRecord] = {}
        self._listener: Callable[[RunRecord], None] | None = None
        self._starting = 0
        self._closing = False
        self._tasks: TaskGroup

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        await self.close(deadline_s=CLOSE_S)
        self._tasks.cancel_scope.cancel()
        # What ended the block goes its own way: through the group it would come out wrapped.
        await self._tasks.__aexit__(None, None, None)

    # --- beginnings -----------------------------------------------------------------

    async def start(self, request: RunRequest) -> RunRecord:
        """A new run, on disk when this returns; its steps are done beside whoever asked.

        Secrets come from `parameters`, else from the session it was recorded in while that is live, else from the
        variable of their name in the environment of who called.

        Raises:
            InvalidArgument: a parameter is unknown, missing (a secret with no value anywhere) or no text; nothing
                was started. ModelMissing: `heal` and no model. LimitReached, and what `Registry.open` raises.
        """
        if self._closing:
            raise refusals.ending()
        values = await self._values(request)
        if request.heal and self._agents.choose_driver("auto", engine="local", model=None) != "model":
            raise refusals.no_model()
        with self._room():
            run, plan = await self._beginning.new(request, values)
            self._live[run.id] = run
        work = Work(run, plan, self._registry, self._place, self._clock)
        self._tasks.start_soon(self._do, run, work, request)
        return run.record

    @contextmanager
    def _room(self) -> Generator[None]:
        """A place among the live ones, for one that is about to begin."""
        if len(self._live) + self._starting >= self._limit:
            raise refusals.full(self._limit, [run.record for run in self._live.values()])
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    async def _values(self, request: RunRequest) -> Values:
        session_id = await self._session_of(request.saved.source if request.saved is not None else request.source)
        typed = self._registry.secrets(session_id) if session_id is not None else {}
        files = await self._files(session_id)
        values = resolve(
            request.workflow.parameters, request.parameters, typed=typed, environment=self._place.secrets(), files=files,
            verified=(request.saved.name if request.saved else request.source) if request.kind == "verify" else None,
        )  # fmt: skip
        for name in values.files:
            values.files[name] = await self._registry.read_file(session_id or "", values.texts[name])
        return values

    async def _files(self, session_id: str | None) -> list[str]:
        """The names of a session's files, as long as it is known."""
        try:
            return [name for name, _ in await self._registry.files(session_id)] if session_id is not None else []
        except UnknownSession:
            return []

    async def _session_of(self, source: str) -> str | None:
        """The session that something was made from, as far as that can be told."""
        for _ in range(_SOURCES):
            try:
                if is_session_id(source):
                    return source
                if is_agent_id(source):
                    return (await self._agents.record(source)).session_id
                source = (
                    (await self.record(source)).source if is_run_id(source) else (await self.workflow(source)).source
                )
            except (NotteMCPError, UnknownSession):
                return None
        return None

    # --- work -----------------------------------------------------------------------

    async def _do(self, run: LiveRun, work: Work, request: RunRequest) -> None:
        """From its first step to its end; no fault in here takes the others down."""
        end: End | None = None
        try:
            async with anyio.create_task_group() as watching:
                watching.start_soon(_cut_in_time, run)
                with run.scope:
                    end = await work.all()
                watching.cancel_scope.cancel()
        except NotteMCPError as error:
            end = End("failed", str(error))
        except Exception:
            log.exception("run.crashed", run=run.id)
            end = End("failed", "notte-mcp itself failed; its log on stderr tells more")
        finally:
            with anyio.CancelScope(shield=True):
                await self._over(run, work, run.asked or end or _LEFT, request)

    async def _over(self, run: LiveRun, work: Work, end: End, request: RunRequest) -> None:
        """Close its session, unless its page is to be looked at, and put its end on record."""
        changes = {"state": end.state, "reason": end.reason, "ended_at": self._clock.unix()}
        try:
            if not end.keeps_session and end.state != "interrupted":
                await work.close_session()
            run.update(**changes, session_id=work.plan.session_id if end.keeps_session else None)
            if not await run.write():
                self._unwritten[run.id] = run.record
            if end.state != "interrupted":
                await self._note(request, run.record)
        except Exception:
            log.exception("run.ended_badly", run=run.id)
        del self._live[run.id]
        run.ended.set()
        run.update()
        log.info("run.ended", run=run.id, state=end.state)

    async def _note(self, request: RunRequest, record: RunRecord) -> None:
        """What a verification showed is known of the workflow, too."""
        if request.saved is not None and record.kind == "verify" and record.verified is not None:
            await self._store.note_verified(
                request.saved.name, request.saved.version, verified=record.verified, at=self._clock.unix()
            )

    # --- reading --------------------------------------------------------------------

    async def record(self, run_id: str) -> RunRecord:
        """A run as it stands, live or not. Raises: UnknownRun."""
        if (run := self._live.get(run_id)) is not None:
            return run.record
        record = self._unwritten.get(run_id) or await self._store.run(run_id)
        if record is None:
            raise refusals.unknown_run(run_id)
        return await self._told(record) if record.state == "interrupted" else record

    async def _told(self, record: RunRecord) -> RunRecord:
        """An interrupted run with what its session knows beyond it, as long as that is known."""
        if record.session_id is None:
            return record
        try:
            return by_the_log(record, await self._registry.steps(record.session_id, limit=_MOST_STEPS))
        except (NotteMCPError, UnknownSession):
            return record

    def live(self) -> list[RunRecord]:
        """The live ones of this server as they stand, newest first; from memory."""
        return [run.record for run in reversed(self._live.values())]

    async def runs(self, *, limit: int = 100) -> list[RunRecord]:
        """Runs, newest first, the live ones as they stand: those come first where so many newer ones are kept."""
        stored = await self._store.runs(limit=limit)
        known = {record.id for record in stored}
        live = self.live()
        here = self._unwritten | {record.id: record for record in live}
        told = [here.get(record.id, record) for record in stored]
        return [*[record for record in live if record.id not in known], *told][:limit]

    async def wait(
        self,
        run_id: str,
        *,
        seconds: float,
        after_step: int | None = None,
        until: Literal["step", "input", "done"] = "done",
    ) -> RunRecord:
        """Come back when a step above `after_step` (a count of steps; default: those done now) is over (`step`),
        when it has ended, or when `seconds` are over. Raises: UnknownRun."""
        run = self._live.get(run_id)
        if run is None:
            return await self.record(run_id)
        after = run.record.step_count if after_step is None else after_step
        with anyio.move_on_after(seconds):
            while not run.ended.is_set() and not (until == "step" and run.record.step_count > after):
                await run.next_beat()
        return run.record

    def on_change(self, listener: Callable[[RunRecord], None]) -> None:
        """Call `listener` on the event loop whenever a step or the state of any live run has changed.

        One listener; it must not wait.
        """
        self._listener = listener

    def _tell(self, record: RunRecord) -> None:
        if self._listener is not None:
            self._listener(record)

    # --- ends -----------------------------------------------------------------------

    async def stop(self, run_id: str, *, mode: Literal["graceful", "now"] = "graceful") -> RunRecord:
        """End it and its session within 4 s. Idempotent. Raises: UnknownRun."""
        run = self._live.get(run_id)
        if run is None:
            return await self.record(run_id)
        run.end_soon(End("stopped", "user"))
        if mode == "now":
            run.scope.cancel()
        with anyio.move_on_after(STOP_S):
            await run.ended.wait()
        return run.record

    async def close(self, *, deadline_s: float) -> None:
        """The server ends: every live run becomes `interrupted`. Idempotent."""
        self._closing = True
        live = list(self._live.values())
        with anyio.CancelScope(shield=True), anyio.move_on_after(deadline_s):
            for run in live:
                run.end_soon(_LEFT)
                run.scope.cancel()
            for run in live:
                await run.ended.wait()


_LEFT: Final = End("interrupted", "restart")


async def _cut_in_time(run: LiveRun) -> None:
    """A run that is to end and does not is cut."""
    while run.asked is None:
        await run.next_beat()
    await anyio.sleep(GRACE_S)
    run.scope.cancel()
