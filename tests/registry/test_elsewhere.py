"""Sessions on another machine: how they stand there is asked where it matters, and what is said of them is true there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest

from notte_mcp.cloud_errors import CloudUnavailable, CloudUnknown
from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.remote import RemoteSession
from notte_mcp.engines.scripted import ScriptedEngine, ScriptedPage, ScriptedSession
from notte_mcp.errors import SessionLost, SessionNotLive
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Limits, Registry
from notte_mcp.registry import elsewhere as module
from notte_mcp.store.sql import SqlStore
from tests import office
from tests.registry.conftest import BASE, FORM, TurnedClock

pytestmark = pytest.mark.anyio

SPEC = SessionSpec(engine="notte", record=False)


@dataclass
class Machine:
    """Another machine with one session. `hears` says whether it can be asked, `obeys` whether it ends what it is told to."""

    stands: RemoteSession = field(default_factory=lambda: RemoteSession("far_1", is_live=True, state="active"))
    hears: bool = True
    obeys: bool = True
    ends: int = 0

    def end(self, reason: str) -> None:
        self.stands = replace(self.stands, is_live=False, state="closed", close_reason=reason)

    async def session(self) -> RemoteSession:
        if not self.hears:
            raise CloudUnavailable("It cannot be reached.")
        return self.stands


class FarSession(ScriptedSession):
    """A session there."""

    machine: Machine

    @property
    def remote_id(self) -> str:
        return "far_1"

    async def close(self, *, deadline_s: float, keep: bool = False) -> None:
        await super().close(deadline_s=deadline_s)
        if not keep:
            self.machine.ends += 1
            if self.machine.obeys:
                self.machine.end("manual")


class FarEngine(ScriptedEngine):
    """Opens them."""

    machine: Machine

    async def open(self, request: OpenRequest) -> ScriptedSession:
        self.requests.append(request)
        session = self.sessions[request.session_id] = FarSession(self.pages, request)
        session.machine = self.machine
        return session

    async def remote(self, remote_id: str) -> Any:
        assert remote_id == "far_1"
        return self.machine


@dataclass
class Server:
    """A server of ours."""

    registry: Registry
    engine: FarEngine
    clock: TurnedClock

    async def open(self, **cloud: str) -> str:
        return (await self.registry.open(replace(SPEC, cloud=cloud), url=FORM))[0].id


@asynccontextmanager
async def server(root: Any, machine: Machine, owner: str = "own_1") -> AsyncGenerator[Server]:
    pages: dict[str, ScriptedPage] = office.scripted_pages(BASE)
    engine = FarEngine(pages, "notte")
    engine.machine = machine
    store, clock = await SqlStore.open(root / "state.sqlite"), TurnedClock()
    registry = Registry(
        engines={"notte": engine}, store=store, sessions_dir=root / "sessions", profiles_dir=root / "profiles",
        owner=owner, limits=Limits(), clock=clock,
    )  # fmt: skip
    try:
        async with registry:
            yield Server(registry, engine, clock)
    finally:
        await store.close()


async def test_one_that_ended_there_is_told_with_its_reason_and_not_replaced(tmp_path: Any) -> None:
    """While it is live here: whoever asks after it hears why, and nobody gets another browser for it."""
    machine = Machine()
    async with server(tmp_path, machine) as here:
        session = await here.open()
        machine.end("idle_timeout")
        assert (await here.registry.record(session)).state == "ready"

        found = await here.registry.asked_after(session)

        assert (found.state, found.reason) == ("stopped", "idle_timeout")
        with pytest.raises(SessionNotLive, match=r'stopped \(idle_timeout\).*"engine": "notte"'):
            await here.registry.restore(session)
        assert (len(here.engine.requests), machine.ends) == (1, 0)


async def test_one_that_an_engine_loses_is_what_it_is_there(tmp_path: Any) -> None:
    """Ended there: that with its reason. Live there: it can be gone on with. Neither is called a crash of ours."""
    machine = Machine()
    async with server(tmp_path, machine) as here:
        session = await here.open()
        here.engine.lose(session, "the line was cut")
        found = await here.registry.until_ended(session)
        assert (found.state, found.reason) == ("interrupted", "connection")
        await here.registry.restore(session)
        assert here.engine.requests[-1].remote_id == "far_1"

        machine.end("max_duration")
        here.engine.sessions[session].lose()
        with pytest.raises((SessionLost, SessionNotLive)):
            async with here.registry.use(session):
                pytest.fail("it is gone")
        found = await here.registry.until_ended(session)
        assert (found.state, found.reason) == ("stopped", "max_duration")


async def test_a_server_that_ends_leaves_it_there_and_the_next_goes_on_with_it(tmp_path: Any) -> None:
    """The same session, its numbers, and no page loaded anew; and one that ended meanwhile is refused as that."""
    machine = Machine()
    async with server(tmp_path, machine) as first:
        session = await first.open()
        async with first.registry.use(session) as live:
            await live.observe()
        counters = dict((await first.registry.record(session)).id_counters)
    assert (machine.stands.is_live, machine.ends) == (True, 0)

    async with server(tmp_path, machine, "own_2") as second:
        record = await second.registry.restore(session)
        (request,) = second.engine.requests
        assert (request.remote_id, request.id_counters, record.step_count) == ("far_1", counters, 1)
    machine.end("max_duration")
    async with server(tmp_path, machine, "own_3") as third:
        with pytest.raises(SessionNotLive, match=r"stopped \(max_duration\)"):
            await third.registry.restore(session)
        assert (await third.registry.record(session)).reason == "max_duration"


async def test_an_end_that_nobody_acknowledges_is_no_end(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time of a stop it is `stopping`; it is asked for again, and `stopped` once it is."""
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    machine = Machine(obeys=False)
    async with server(tmp_path, machine) as here:
        session = await here.open()
        with anyio.fail_after(4):
            found = await here.registry.stop(session)
        assert found.state == "stopping"
        machine.obeys = True
        with anyio.fail_after(5):
            found = await here.registry.until_ended(session)
        assert (found.state, found.reason) == ("stopped", "user")
        assert machine.ends > 1
        assert (await here.registry.record(session)).state == "stopped"


async def test_an_interrupted_one_is_stopped_there_too(tmp_path: Any) -> None:
    """It costs its user money for as long as it lives; where it cannot be reached, that is said and it stays."""
    machine = Machine()
    async with server(tmp_path, machine) as first:
        session = await first.open()
    async with server(tmp_path, machine, "own_2") as second:
        machine.hears = False
        with pytest.raises(CloudUnavailable):
            await second.registry.stop(session)
        assert (await second.registry.asked_after(session)).state == "interrupted"
        machine.hears = True
        assert (await second.registry.stop(session)).state == "stopped"
    assert not machine.stands.is_live


@pytest.mark.parametrize(("cloud", "ends"), [({}, 1), ({"session_id": "far_1"}, 0)])
async def test_our_limits_end_there_what_we_started_there_alone(
    tmp_path: Any, cloud: dict[str, str], ends: int
) -> None:
    """One that was attached to is somebody's: it is let go of, unless our caller stops it."""
    machine = Machine()
    async with server(tmp_path, machine) as here:
        session = await here.open(**cloud)
        await anyio.wait_all_tasks_blocked()
        here.clock.turn(15 * 60)
        found = await here.registry.until_ended(session)

        assert (found.state, found.reason, machine.ends) == ("stopped", "idle_timeout", ends)
        assert machine.stands.is_live is not bool(ends)


async def test_what_the_machine_does_not_know_has_ended(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that was forgotten there is no session that could be gone on with."""
    machine = Machine()
    async with server(tmp_path, machine) as first:
        session = await first.open()

    async def unknown() -> RemoteSession:
        raise CloudUnknown("There is no such session.")

    monkeypatch.setattr(machine, "session", unknown)
    async with server(tmp_path, machine, "own_2") as second:
        found = await second.registry.asked_after(session)
        assert (found.state, found.reason) == ("stopped", "unknown")
