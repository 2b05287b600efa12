"""How soon a step of an agent is read from its log over the API's WebSocket, once it is recorded.

Below: rows, tests.api. Above: `__main__`.
"""

import json
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import anyio
from websockets.asyncio.client import connect

from benchmarks.rows import Outcome, Run
from benchmarks.wire import BenchmarkFailed
from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord
from tests.api.desk import FORM, Desk, desk

STEPS = 1_000
BATCH = 20


async def thousand(run: Run) -> Outcome:
    """A thousand steps of one agent, as fast as they go; the latest of them counts. Floor: nothing, nobody else tells.

    Raises:
        BenchmarkFailed: a step was lost, doubled or out of its place.
    """
    count = STEPS // 10 if run.short else STEPS
    with TemporaryDirectory() as folder:
        async with desk(Path(folder), settings={"max_steps_per_session": 10 * STEPS}) as at:
            told = await _told(at, count)
    if [number for number, _ in told] != list(range(count + 2)):
        raise BenchmarkFailed(f"{len(told)} steps were told of {count + 2}, or not in their order")
    late = [ms for _, ms in told]
    return Outcome({"ms": max(late)}, {}, note=f"{count:,} steps, half of them within {median(late):.0f} ms")


async def _told(at: Desk, count: int) -> list[tuple[int, float]]:
    """(a step's number, ms from its being on record to its being read), as they came."""
    session_id = await at.session()
    agent_id = await at.led(session_id)
    recorded: dict[int, float] = {}
    told: list[tuple[int, float]] = []

    def note(record: AgentRecord) -> None:
        recorded.setdefault(record.step_count - 1, time.perf_counter())

    at.app.agents.on_change(note)

    async def read() -> None:
        async with connect(at.socket(f"/agents/{agent_id}/debug/logs").url, proxy=None) as socket:
            async for text in socket:
                now, frame = time.perf_counter(), json.loads(text)
                if frame.get("type") == "agent_step_stop":
                    number = frame["value"]["step_number"]
                    told.append((number, (now - recorded[number]) * 1_000))

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await at.act(session_id, a.Goto(url=FORM))
        for first in range(0, count, BATCH):
            fills = [a.Fill(selector="#applicant", value=f"Ada {number}") for number in range(first, first + BATCH)]
            await at.act(session_id, *fills)
        await at.act(session_id, a.Completion(success=True, answer="Done."))
    return told
