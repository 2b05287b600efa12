"""A registry over the permit office, with a clock that tests turn."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.scripted import ScriptedElement, ScriptedEngine, ScriptedPage, ScriptedSession
from notte_mcp.errors import NotteMCPError
from notte_mcp.observations import Observation
from notte_mcp.records import SessionRecord, SessionSpec
from notte_mcp.registry import Batch, Limits, Registry
from notte_mcp.registry.batch import OnError
from notte_mcp.store.sql import SqlStore
from tests import office

BASE = "http://office.test"
FORM, RESULT, LIST, SLOW = (f"{BASE}/{name}" for name in ("form", "result", "list", "slow"))


class TurnedClock:
    """A clock that stands still until a test turns it. See `Clock`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, anyio.Event]] = []

    def now(self) -> float:
        return self._now

    def unix(self) -> float:
        return 1_800_000_000 + self._now

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            sleeper = (self._now + seconds, anyio.Event())
            self._sleepers.append(sleeper)
            await sleeper[1].wait()

    def turn(self, seconds: float) -> None:
        """Let time pass, and wake who has slept enough."""
        self._now += seconds
        for at, event in self._sleepers:
            if at <= self._now:
                event.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]


@dataclass
class House:
    """A server's registry and what stands around it."""

    registry: Registry
    engine: ScriptedEngine
    store: SqlStore
    clock: TurnedClock
    root: Path
    gate: anyio.Event
    """Opens the button "Take your time" on /slow."""

    async def open(self, url: str | None = FORM, spec: SessionSpec | None = None) -> str:
        """A session at `url`; gives its id."""
        record, batch = await self.registry.open(spec or SessionSpec(), url=url)
        assert batch is None or batch.receipts[0].success
        return record.id

    def browser(self, session_id: str) -> ScriptedSession:
        return self.engine.sessions[session_id]

    def folder(self, session_id: str) -> Path:
        return self.root / "sessions" / session_id

    def database(self) -> bytes:
        """Every byte that the store has on disk."""
        return b"".join(path.read_bytes() for path in self.root.glob("state.sqlite*"))

    async def look(self, session_id: str) -> dict[str, str]:
        """The ids on the page, by name."""
        async with self.registry.use(session_id) as live:
            return ids(await live.observe())


@dataclass
class Street:
    """Opens houses over one state folder, as servers that follow each other or live side by side."""

    root: Path
    clock: TurnedClock = field(default_factory=TurnedClock)
    gate: anyio.Event = field(default_factory=anyio.Event)

    @asynccontextmanager
    async def house(
        self, owner: str = "own_1", *, limits: Limits | None = None, store: Callable[[SqlStore], SqlStore] | None = None
    ) -> AsyncGenerator[House]:
        pages = office.scripted_pages(BASE)
        slow = ScriptedElement("button", "Take your time", gate=self.gate)
        field_after = ScriptedElement("textbox", "Applicant")
        engine = ScriptedEngine({**pages, SLOW: ScriptedPage("Slow", (slow, field_after))})
        opened = await SqlStore.open(self.root / "state.sqlite")
        opened = store(opened) if store is not None else opened
        registry = Registry(
            engines={"local": engine}, store=opened, sessions_dir=self.root / "sessions",
            profiles_dir=self.root / "profiles", owner=owner, limits=limits or Limits(lock_wait_s=5), clock=self.clock,
        )  # fmt: skip
        try:
            async with registry:
                yield House(registry, engine, opened, self.clock, self.root, self.gate)
        finally:
            await opened.close()


@pytest.fixture
def street(tmp_path: Path) -> Street:
    return Street(tmp_path)


@pytest.fixture
async def house(street: Street) -> AsyncGenerator[House]:
    async with street.house() as house:
        yield house


def ids(seen: Observation) -> dict[str, str]:
    """The ids of a view, by the names of their elements."""
    return {node.name: node.id for node in seen.nodes if node.id is not None}


async def until(condition: Callable[[], bool]) -> None:
    """Let everyone else work until this holds."""
    with anyio.fail_after(5):
        while not condition():
            await anyio.wait_all_tasks_blocked()


async def until_state(house: House, session_id: str, state: str) -> SessionRecord:
    """The session's record once it has this state."""
    with anyio.fail_after(5):
        while (record := await house.registry.record(session_id)).state != state:
            await anyio.wait_all_tasks_blocked()
    return record


async def run(
    house: House, session_id: str, *actions: a.Action, deadline_s: float = 40, on_error: OnError = "stop"
) -> Batch:
    """A batch in one hold."""
    with anyio.fail_after(10):
        async with house.registry.use(session_id) as live:
            return await live.execute(actions, on_error=on_error, deadline_s=deadline_s)


@asynccontextmanager
async def hanging(house: House, *more: a.Action) -> AsyncGenerator[tuple[str, list[Batch | Exception]]]:
    """A session whose action hangs at the gate; gives its id, and where what comes of the batch will be."""
    session_id = await house.open(SLOW)
    shown = await house.look(session_id)
    outcome: list[Batch | Exception] = []

    async def act() -> None:
        try:
            outcome.append(await run(house, session_id, a.Click(id=shown["Take your time"]), *more))
        except NotteMCPError as error:
            outcome.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(act)
        await until(lambda: house.gate.statistics().tasks_waiting > 0)
        yield session_id, outcome
        group.cancel_scope.cancel()


async def states(house: House, session_id: str) -> list[tuple[int, str, str]]:
    """(number, type, state) of every step on disk."""
    return [(s.number, s.action["type"], s.state) for s in await house.registry.steps(session_id)]
