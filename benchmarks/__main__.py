"""All numbers of the project in one table: what it takes, the floor in the same run, what it may take.

`python -m benchmarks [--short] [--only ROW ...] [--json FILE]`. A machine is noisy, so
what is over a target is said and is no failure; a row that cannot be measured is one.
Exit codes: 0 every row was measured, 1 some were not.

Below: the files that measure. Above: `make bench`, and one test that runs it short.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, Final, cast

import anyio

from benchmarks import (
    acting,
    agents,
    api,
    crowd,
    keeper,
    looking,
    reading,
    recording,
    replay,
    starting,
    watching,
    workflows,
    writing,
)
from benchmarks.browser import set_browser
from benchmarks.host import serving
from benchmarks.rows import UNITS, Outcome, Row, Run, Target, Unit
from benchmarks.wire import BenchmarkFailed, wire
from tests.site import Site

ROW_S: Final = 240.0
"""How long one row may take."""

A_FIFTH_MORE: Final = Target("ms", 1.2, of_floor=True)


def _ms(limit: float) -> Target:
    return Target("ms", limit)


def _tokens(limit: float) -> Target:
    return Target("tokens", limit)


ROWS: Final = (
    Row("tools", "tools/list", (_tokens(3_000),), starting.tool_list_tokens),
    Row("spawn", "spawn to tools/list reply", (A_FIFTH_MORE,), starting.tool_list_time),
    Row("first", "spawn to first observation", (_ms(1_250),), starting.first_observation),
    Row("form", "observe, form of 10 controls", (_ms(8), _tokens(180)), looking.form, warm=True),
    Row("thousand", "observe, 1,000 products", (_ms(40), _tokens(2_000)), looking.thousand, warm=True),
    Row("ten-thousand", "observe, 10,000 products", (_ms(350), _tokens(2_000)), looking.ten_thousand, warm=True),
    Row("click", "click on a still page", (_ms(50), _tokens(60)), acting.click, warm=True),
    Row(
        "flow",
        "open, fill 7 fields, submit, read",
        (A_FIFTH_MORE, _tokens(450), Target("calls", 3)),
        acting.form,
        warm=True,
    ),
    Row(
        "late",
        "content after 400 ms, then 150 ms",
        (_ms(800), _tokens(300), Target("calls", 3)),
        acting.late,
        warm=True,
    ),
    Row("workflow", "run a saved workflow", (Target("ms", 1.3, of_floor=True),), workflows.saved, warm=True),
    Row("film", "the form flow, filmed", (Target("ms", 1.1, of_floor=True),), recording.wall, warm=True),
    Row("film-cpu", "CPU of that, all processes", (A_FIFTH_MORE,), recording.cpu, warm=True),
    Row("crowd-cold", "16 sessions at once, cold", (A_FIFTH_MORE, Target("MB", 1.2, of_floor=True)), crowd.cold),
    Row("crowd-warm", "16 sessions at once, warm", (A_FIFTH_MORE,), crowd.warm),
    Row("log", "1,000 steps of log as text, all pages", (_ms(50), _tokens(4_000)), reading.as_text),
    Row("log-json", "1,000 steps of log as JSON, the slowest page", (_ms(50), _tokens(4_000)), reading.as_json),
    Row("restore", "an interrupted session restored", (_ms(2_000),), starting.restored),
    Row("step", "a step on disk (intent, outcome)", (_ms(2.5),), writing.step),
    Row("turn", "an agent's step, beside its browser", (_ms(30),), agents.turn),
    Row("question", "a question to the model, 1,000 products", (_tokens(4_000),), agents.question),
    Row("keeper", "keeper runs: spawn to tools/list", (_ms(60),), keeper.tool_list_time),
    Row("keeper-first", "keeper runs: to first observation", (_ms(400),), keeper.first_observation),
    Row("relay", "what the relay adds to a call", (_ms(1),), keeper.added),
    Row("replay", "video of 5 minutes, 100 steps", (_ms(5_000), Target("MB", 5.5)), replay.five_minutes),
    Row("view", "a change, until a live view shows it", (_ms(500),), watching.change),
    Row("api-observe", "what the API adds to a look", (_ms(15),), api.observe),
    Row("api-execute", "what the API adds to a click", (_ms(15),), api.execute),
    Row("api-log", "1,000 steps of a log, the latest told", (_ms(200),), api.log),
    Row("agents", "status while 16 agents work", (_ms(200),), agents.crowd),
)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; gives the exit code."""
    options = _options(arguments)
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    try:
        set_browser()
        found = anyio.run(_measure, rows, options.short)
    except BenchmarkFailed as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps([_as_json(row, found[row.name]) for row in rows], indent=1), "utf-8")
    return 1 if any(isinstance(outcome, str) for outcome in found.values()) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, beside the bare floor.")
    parser.add_argument("--short", action="store_true", help="one repetition: shows that all rows run, not how fast")
    parser.add_argument("--only", action="append", metavar="ROW", choices=[row.name for row in ROWS], help="this row")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    return parser.parse_args(arguments)


async def _measure(rows: Sequence[Row], short: bool) -> dict[str, Outcome | str]:  # noqa: FBT001 - anyio passes by position
    """Each row's outcome, or why there is none; every line is printed as soon as it is known."""
    found: dict[str, Outcome | str] = {}
    print(_line("what", "ours", "bare", "target", ""))
    with Site() as site:
        for warm, group in groupby(rows, key=lambda row: row.warm):
            left = list(group)
            try:
                async with AsyncExitStack() as stack:
                    run = await _warm(stack, site, short) if warm else Run(site, short)
                    while left:
                        found[left[0].name] = outcome = await _outcome(left[0], run)
                        print(_told(left.pop(0), outcome), flush=True)
            except Exception as error:  # noqa: BLE001 - without their ground these rows fail, the others do not
                for row in left:
                    found[row.name] = _reason(error)
                    print(_told(row, found[row.name]), flush=True)
    return found


async def _warm(stack: AsyncExitStack, site: Site, short: bool) -> Run:  # noqa: FBT001 - as above
    """A server with a session that keeps its browser running, and the floors with theirs."""
    host = await stack.enter_async_context(serving())
    floors = await stack.enter_async_context(wire(starting.FLOORS))
    await host.start(site.url("/form.html"))
    if not short:
        await floors.ask("form", {"url": site.url("/form.html")})
    return Run(site, short, host, floors)


async def _outcome(row: Row, run: Run) -> Outcome | str:
    try:
        with anyio.fail_after(ROW_S):
            return await row.measure(run)
    except TimeoutError:
        return f"not done within {ROW_S:.0f} s"
    except Exception as error:  # noqa: BLE001 - one row that cannot be measured is no reason to lose the others
        return _reason(error)


def _reason(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return _reason(cast(BaseExceptionGroup[BaseException], error).exceptions[0])
    return str(error) if isinstance(error, BenchmarkFailed) else f"{type(error).__name__}: {error}"


# --- the table --------------------------------------------------------------------


def _line(what: str, ours: str, floor: str, target: str, verdict: str) -> str:
    return f"{what:<40} {ours:<32} {floor:<24} {target:<28} {verdict}".rstrip()


def _told(row: Row, outcome: Outcome | str) -> str:
    if isinstance(outcome, str):
        return _line(row.what, "-", "-", _targets(row), f"failed: {outcome}")
    over = outcome.over(row.targets)
    verdict = f"over: {', '.join(over)}" if over else "ok"
    reached = [f"{outcome.value(one):.2f}x" for one in row.targets if one.of_floor]
    note = " ".join(filter(None, (f"({', '.join(reached)})" if reached else "", outcome.note)))
    return _line(row.what, _numbers(outcome.ours), _numbers(outcome.floor), _targets(row), f"{verdict} {note}")


def _targets(row: Row) -> str:
    return ", ".join(str(target) for target in row.targets)


def _numbers(values: Any) -> str:
    return ", ".join(_number(values[unit], unit) for unit in UNITS if unit in values)


def _number(value: float, unit: Unit) -> str:
    digits = 1 if value < {"ms": 100, "MB": 10}.get(unit, 0) else 0
    return f"{value:,.{digits}f} {unit}"


def _as_json(row: Row, outcome: Outcome | str) -> dict[str, Any]:
    known = {"row": row.name, "what": row.what, "targets": [asdict(target) for target in row.targets]}
    if isinstance(outcome, str):
        return {**known, "failed": outcome}
    return {**known, **asdict(outcome), "over": outcome.over(row.targets)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
