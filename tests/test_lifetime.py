from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint

from notte_mcp.lifetime import OnDemand

pytestmark = pytest.mark.anyio


class Thing:
    """Something that can be opened: counts, and may be slow or fail."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.gate: anyio.Event | None = None
        self.failures = 0

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator["Thing"]:
        self.log.append("open")
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("not now")
        try:
            yield self
        finally:
            with anyio.CancelScope(shield=True):
                await checkpoint()
            self.log.append("closed")


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():
            await checkpoint()


async def test_nothing_is_opened_until_it_is_asked_for() -> None:
    """Ours: the tool list is answered before."""
    thing = Thing()

    async with OnDemand(thing.opened).running():
        pass

    assert thing.log == []


async def test_it_is_opened_once_for_all_who_ask_and_closed_at_the_end() -> None:
    """Ours: single flight."""
    thing = Thing()
    thing.gate = anyio.Event()
    demand = OnDemand(thing.opened)
    got: list[Thing] = []

    async def ask() -> None:
        got.append(await demand.get())

    async with demand.running(), anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await until(lambda: thing.log == ["open"])
        thing.gate.set()

    assert got == [thing, thing, thing]
    assert thing.log == ["open", "closed"]


async def test_who_gives_up_does_not_end_the_opening() -> None:
    """Ours: an abandoned call must not tear what others use."""
    thing = Thing()
    thing.gate = anyio.Event()
    demand = OnDemand(thing.opened)

    async with demand.running():
        with anyio.move_on_after(0.01):
            await demand.get()
        thing.gate.set()
        assert await demand.get() is thing

    assert thing.log == ["open", "closed"]


async def test_a_failure_is_told_and_the_next_who_asks_tries_again() -> None:
    """Ours: a full disk may have been made room on."""
    thing = Thing()
    thing.failures = 1
    demand = OnDemand(thing.opened)

    async with demand.running():
        with pytest.raises(OSError, match="not now"):
            await demand.get()
        assert await demand.get() is thing

    assert thing.log == ["open", "open", "closed"]


async def test_closing_while_it_opens_waits_for_both() -> None:
    """Ours: the end may come at any time."""
    thing = Thing()
    thing.gate = anyio.Event()
    demand = OnDemand(thing.opened)

    async with demand.running() as group:
        group.start_soon(demand.get)
        await until(lambda: thing.log == ["open"])
        async with anyio.create_task_group() as closing:
            closing.start_soon(demand.close)
            await checkpoint()
            thing.gate.set()
        assert thing.log == ["open", "closed"]
        with pytest.raises(RuntimeError, match="ending"):
            await demand.get()


async def test_it_is_closed_though_its_surroundings_are_cancelled() -> None:
    """Ours: a transport that breaks cancels everything around it."""
    thing = Thing()
    demand = OnDemand(thing.opened)

    with anyio.CancelScope() as scope:
        async with demand.running():
            await demand.get()
            scope.cancel()
            await checkpoint()

    assert thing.log == ["open", "closed"]
