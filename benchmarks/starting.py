"""What a host waits for when it starts the server: the tool list, then the first page.

Below: host, wire, rows. Above: `__main__`.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.host import HELLO, SERVER, Host, serving, tokens
from benchmarks.rows import Outcome, Run, paired
from benchmarks.wire import ROOT, BenchmarkFailed, Wire, python, wire

BARE_SERVER = python(str(ROOT / "benchmarks" / "bare_server.py"))
FLOORS = python("-m", "benchmarks.floors")


async def tool_list_tokens(_run: Run) -> Outcome:
    """What every conversation pays before the first call."""
    return Outcome({"tokens": tokens(await _tools(SERVER))}, {"tokens": tokens(await _tools(BARE_SERVER))})


async def tool_list_time(run: Run) -> Outcome:
    """From the start of the process to the answer, each pair of runs one after the other."""
    if not run.short:
        # The first run reads everything from the disk and compiles it.
        await time_to_tools(SERVER)
        await time_to_tools(BARE_SERVER)
    return paired([(await time_to_tools(SERVER), await time_to_tools(BARE_SERVER)) for _ in run.times(11)])


async def first_observation(run: Run) -> Outcome:
    """From the start of the process to what the first page shows, with no browser before."""
    pairs: list[tuple[float, float]] = []
    told = 0
    for _ in run.times(7):
        begun = time.perf_counter()
        async with serving() as host:
            opened = await host.start(run.site.url("/form.html"))
            ours = (time.perf_counter() - begun) * 1_000
            told = opened.tokens
        begun = time.perf_counter()
        async with wire(FLOORS) as floors:
            await floors.ask("open", {"url": run.site.url("/form.html")})
            pairs.append((ours, (time.perf_counter() - begun) * 1_000))
    return paired(pairs, tokens=told)


async def restored(run: Run) -> Outcome:
    """From the call to what the last page shows, in a server that has just been greeted. Floor: the page in a new browser."""
    pairs: list[tuple[float, float]] = []
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        settings = {"NOTTE_MCP_STATE_DIR": str(Path(folder) / "state")}
        async with wire(SERVER, settings) as line:
            host = Host(line)
            await host.hello()
            session: str = (await host.start(run.site.url("/form.html"))).facts["session_id"]
        for _ in run.times(7):
            async with wire(SERVER, settings) as line:
                host = Host(line)
                await host.hello()
                again = await host.call("notte_start", {"session_id": session})
                if again.facts["url"] != run.site.url("/form.html"):
                    raise BenchmarkFailed(f"restored at {again.facts['url']}")
            begun = time.perf_counter()
            async with wire(FLOORS) as floors:
                await floors.ask("open", {"url": run.site.url("/form.html")})
                pairs.append((again.ms, (time.perf_counter() - begun) * 1_000))
    return paired(pairs)


async def time_to_tools(command: Sequence[str], settings: Mapping[str, str] | None = None) -> float:
    """From the start of the process to the list of its tools (ms)."""
    begun = time.perf_counter()
    async with wire(command, settings) as line:
        await _listed(line)
        return (time.perf_counter() - begun) * 1_000


async def _tools(command: Sequence[str]) -> Any:
    async with wire(command) as line:
        return await _listed(line)


async def _listed(line: Wire) -> Any:
    await line.ask("initialize", HELLO)
    await line.tell("notifications/initialized")
    return (await line.ask("tools/list"))["tools"]
