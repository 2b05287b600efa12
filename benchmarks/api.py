"""The local API beside the engine it stands on: what HTTP adds to a look and to an act, and how soon a log is told.

Client, API and App share this process, so that only what stands between them is measured. The floor is the same look and
the same act without the API: a look is a page with its texts, how its elements are spelt, and its picture.

Below: browser, rows; the tests' API. Above: `__main__`.
"""

import json
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import anyio

from benchmarks.rows import Outcome, Run
from benchmarks.wire import BenchmarkFailed
from notte_mcp import actions as a
from tests.api.desk import FORM, Desk, desk
from tests.api.served import Api, served_api

STEPS: Final = 1_000
BATCH: Final = 20

Part = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Open:
    """A session of an API that runs, at a page."""

    api: Api
    id: str

    async def ask(self, what: str, **body: Any) -> dict[str, Any]:
        """One call of the session's page, which succeeds."""
        answered = await self.api.client.post(f"/sessions/{self.id}/page/{what}", json=body)
        found: dict[str, Any] = answered.json() if answered.is_success else {}
        if not found or found.get("success") is False:
            raise BenchmarkFailed(f"{what}: {answered.text[:500]}")
        return found


async def observe(run: Run) -> Outcome:
    """A look at the form of ten controls, over HTTP and without."""
    async with _opened(run.site.url("/form.html")) as here:

        async def bare() -> None:
            async with here.api.app.registry.use(here.id) as live:
                await live.portray()

        return await _added(run, lambda: here.ask("observe"), bare)


async def execute(run: Run) -> Outcome:
    """A click on a page that nothing moves on, over HTTP and without."""
    async with _opened(run.site.url("/product/1")) as here:
        seen = await here.ask("observe")
        button = next(one for one in seen["space"]["interaction_actions"] if one["text_label"] == "Add to cart")["id"]
        async with here.api.app.registry.use(here.id) as live:
            nodes = (await live.observe()).nodes
        ours = next(node.id for node in nodes if node.name == "Add to cart")

        async def bare() -> None:
            async with here.api.app.registry.use(here.id) as live:
                done = await live.execute([a.Click(id=ours)], deadline_s=30)
            if not done.receipts[0].success:
                raise BenchmarkFailed(done.receipts[0].message)

        return await _added(run, lambda: here.ask("execute", type="click", id=button), bare)


async def log(run: Run) -> Outcome:
    """A thousand steps of an agent as its WebSocket tells them: each once, in order; the slowest, from its record on."""
    steps = BATCH if run.short else STEPS
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        async with desk(Path(folder), settings={"max_steps_per_session": 5 * STEPS}) as at:
            late, numbers = await _late(at, steps)
    if numbers != list(range(steps + 2)):
        raise BenchmarkFailed(f"of {steps + 2} steps {len(set(numbers))} came, {len(numbers)} times")
    return Outcome({"ms": max(late) * 1_000}, {"ms": median(late) * 1_000}, note="(the slowest; beside the median)")


async def _late(at: Desk, steps: int) -> tuple[list[float], list[int]]:
    """How late each step was told (seconds), and their numbers."""
    from websockets.asyncio.client import connect

    session_id = await at.session()
    agent_id = await at.led(session_id)
    log_at = at.socket(f"/agents/{agent_id}/debug/logs", session_id=session_id)
    late: list[float] = []
    numbers: list[int] = []
    listens = anyio.Event()

    async def read() -> None:
        async with connect(log_at.url, proxy=None, max_size=5 * 2**20) as socket:
            listens.set()
            async for told in socket:
                heard = time.time()
                frame = json.loads(told)
                if frame.get("type") == "agent_step_stop":
                    numbers.append(frame["value"]["step_number"])
                    late.append(heard - datetime.fromisoformat(frame["value"]["ended_at"]).timestamp())

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await listens.wait()
        await at.act(session_id, a.Goto(url=FORM))
        for first in range(0, steps, BATCH):
            await at.act(session_id, *[a.Fill(selector="#applicant", value=f"Ada {first + n}") for n in range(BATCH)])
        await at.act(session_id, a.Completion(success=True, answer="Done."))
    return late, numbers


async def _added(run: Run, over: Part, bare: Part) -> Outcome:
    """What the API adds: the median of the differences, pair by pair, each first in every other pair."""
    added: list[float] = []
    floors: list[float] = []
    for part in (over, bare):
        await part()
    for number in run.times(30):
        first, second = (over, bare) if number % 2 else (bare, over)
        times = {part: await _ms(part) for part in (first, second)}
        added.append(times[over] - times[bare])
        floors.append(times[bare])
    return Outcome({"ms": max(0.001, median(added))}, {"ms": median(floors)}, note="added to it")


async def _ms(part: Part) -> float:
    begun = time.perf_counter()
    await part()
    return (time.perf_counter() - begun) * 1_000


@asynccontextmanager
async def _opened(url: str) -> AsyncGenerator[Open]:
    chromium = Path(os.environ["NOTTE_MCP_BROWSER"])
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        async with served_api(Path(folder), chromium=chromium, viewer=False) as api:
            here = Open(api, await api.started())
            await here.ask("execute", type="goto", url=url)
            yield here
