"""What a look at a page costs, small or huge: through the tool, as a host has it; floor: one walk by Playwright.

Below: host, wire, rows. Above: `__main__`.
"""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.browser import local_engine
from benchmarks.host import tokens
from benchmarks.rows import Outcome, Run, paired
from benchmarks.wire import BenchmarkFailed
from notte_mcp.actions import Goto
from notte_mcp.engines.base import ObserveRequest, OpenRequest
from notte_mcp.ids import new_session_id
from notte_mcp.records import SessionSpec
from tests.site.generated import product


async def form(run: Run) -> Outcome:
    """The permit form: ten controls."""
    return await _look(run, "/form.html", times=30)


async def thousand(run: Run) -> Outcome:
    """A thousand products, two elements each, and the last of them within reach."""
    return await _look(run, "/products/1000", times=15, last=product(1_000)[0])


async def ten_thousand(run: Run) -> Outcome:
    """Ten thousand products (in a short run fewer)."""
    count = 2_000 if run.short else 10_000
    outcome = await _look(run, f"/products/{count}", times=7, last=product(count)[0])
    if run.short:
        return Outcome(outcome.ours, outcome.floor, outcome.ratios, f"(of {count:,} only)")
    alone = await _engine_alone(run, f"/products/{count}", times=7)
    return Outcome(outcome.ours, outcome.floor, outcome.ratios, f"engine alone {alone:.0f} ms")


async def _look(run: Run, path: str, *, times: int, last: str = "") -> Outcome:
    pairs: list[tuple[float, float]] = []
    told = floor_told = 0
    host, floors = run.warm()
    await floors.ask("open", {"url": run.site.url(path)})
    async with host.page(run.site.url(path)) as (session, _):
        if last:
            (await host.call("notte_observe", {"find": last}, session=session)).id(last, "link")
        for _ in run.times(times):
            seen = await host.call("notte_observe", {}, session=session)
            begun = time.perf_counter()
            walked = await floors.ask("walk")
            pairs.append((seen.ms, (time.perf_counter() - begun) * 1_000))
            told, floor_told = seen.tokens, tokens(walked)
    outcome = paired(pairs, tokens=told)
    return Outcome(outcome.ours, {**outcome.floor, "tokens": floor_told}, outcome.ratios)


async def _engine_alone(run: Run, path: str, *, times: int) -> float:
    """Median ms of the engine's own observation, with no protocol and no store around it."""
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        async with local_engine(Path(folder)) as engine:
            session = await engine.open(OpenRequest(new_session_id(), SessionSpec(), Path(folder) / "session"))
            loaded = await session.perform(Goto(url=run.site.url(path)), timeout_ms=30_000)
            if not loaded.success:
                raise BenchmarkFailed(loaded.message)
            spent: list[float] = []
            for number in run.times(times):
                begun = time.perf_counter()
                await session.observe(ObserveRequest(view=number + 1))
                spent.append((time.perf_counter() - begun) * 1_000)
            return median(spent)
