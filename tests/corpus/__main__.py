"""All flows recorded, their scripts run again and again, then the saved workflows on pages as they were and on changed ones.

`python -m tests.corpus [--only FLOW ...] [--times N] [--keep FOLDER] [--no-scripts] [--no-runs]`. Two flows are at work at
once, each with servers of its own. Exit codes: 0 all that must hold does, 1 something does not.

Below: table, recording, judging, rerunning. Above: `make corpus`.
"""

# ruff: noqa: T201 - what it prints is a table on stdout

import argparse
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio

from notte_mcp.app import App, open_app
from notte_mcp.settings import Settings
from scripts.find_chromium import find
from tests.corpus.flows import Flow
from tests.corpus.grounds import Grounds
from tests.corpus.judging import judge
from tests.corpus.mutating import mutate
from tests.corpus.recording import FILES, LANGUAGES, FlowFailed, Recorded, record
from tests.corpus.rerunning import Rerun, rerun
from tests.corpus.table import BY_NAME, FLOWS

WORKERS: Final = 2
LIVE_ON: Final = 0.9
"""What part of the flows has to run on changed pages, too."""

LEAST_TELLING: Final = 5
"""Characters of the longest secret that may stand on the disk by chance."""

PAGES: Final = ("same", "changed")
FLOW_S: Final = 300
"""How long one flow may take, all its scripts' runs included."""


@dataclass(slots=True)
class Line:
    """What became of one flow: faults by what was tried, passes by language."""

    flow: Flow
    steps: int = 0
    passed: dict[str, int] = field(default_factory=dict[str, int])
    ms: float = 0
    faults: list[str] = field(default_factory=list[str])
    runs: dict[str, Rerun] = field(default_factory=dict[str, Rerun])


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with each flow."""

    app: App
    browser: Path
    files: Path
    times: int
    scripts: bool
    runs: bool
    keep: Path | None


async def _at_work(plan: Plan, line: Line, grounds: Grounds) -> None:
    try:
        with anyio.fail_after(FLOW_S):
            recorded = await record(plan.app, line.flow, grounds, plan.files)
            line.steps = recorded.step_count
            _keep(plan, recorded)
            if plan.scripts:
                await _scripts(plan, line, recorded, grounds)
            if plan.runs:
                line.runs["same"] = await rerun(plan.app, recorded, grounds)
                line.runs["changed"] = await rerun(plan.app, recorded, grounds, mutate)
    except FlowFailed as error:
        line.faults.append(f"recording: {error}")
    except Exception as error:  # noqa: BLE001 - one flow that breaks is one line of the table
        line.faults.append(f"{type(error).__name__}: {error}")


async def _scripts(plan: Plan, line: Line, recorded: Recorded, grounds: Grounds) -> None:
    for language in LANGUAGES:
        line.passed[language] = 0
        for _ in range(plan.times):
            verdict = await judge(recorded, language, grounds, plan.browser)
            if verdict.fault:
                line.faults.append(f"{language}: {verdict.fault}")
                break
            line.passed[language] += 1
            line.ms = verdict.ms if language == "playwright" else line.ms


def _keep(plan: Plan, recorded: Recorded) -> None:
    if plan.keep is not None:
        plan.keep.mkdir(parents=True, exist_ok=True)
        for language, code in recorded.scripts.items():
            suffix = "json" if language == "json" else "py"
            (plan.keep / f"{recorded.flow.name}.{language}.{suffix}").write_text(code, encoding="utf-8")


# --- the whole --------------------------------------------------------------------


@asynccontextmanager
async def _surface(options: argparse.Namespace, lines: Sequence[Line]) -> AsyncGenerator[Plan]:
    browser = find()
    if browser is None:
        raise SystemExit("no Chromium was found: `make corpus` finds or installs one")
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "files"
        files.mkdir()
        for file, content in FILES.items():
            (files / file).write_text(content, encoding="utf-8")
        settings = Settings(
            state_dir=Path(name) / "state", browser=Path(browser), no_sandbox=os.geteuid() == 0, upload_dirs=(files,)
        )
        async with open_app(settings) as app:
            yield Plan(app, Path(browser), files, options.times, options.scripts, options.runs, options.keep)
        _note_leaks(lines, settings.state_dir)


def _note_leaks(lines: Sequence[Line], state: Path) -> None:
    """What a flow typed into a secret field is nowhere in what the server left on the disk."""
    stored = b"".join(file.read_bytes() for file in state.rglob("*") if file.is_file())
    for line in lines:
        for name, value in line.flow.secrets.items():
            # Three digits are found anywhere.
            if len(value) > LEAST_TELLING and value.encode() in stored:
                line.faults.append(f"the state folder holds the secret {name}")


async def _all(options: argparse.Namespace) -> list[Line]:
    lines = [Line(flow) for flow in FLOWS if not options.only or flow.name in options.only]
    waiting = lines[::-1]

    async def worker(plan: Plan) -> None:
        with Grounds() as grounds:
            while waiting:
                line = waiting.pop()
                await _at_work(plan, line, grounds)
                print(_row(line, plan), flush=True)

    async with _surface(options, lines) as plan, anyio.create_task_group() as group:
        for _ in range(min(WORKERS, len(lines))):
            group.start_soon(worker, plan)
    return lines


def _row(line: Line, plan: Plan) -> str:
    passed = "".join(f"{f'{line.passed.get(language, 0)}/{plan.times}':>12}" for language in LANGUAGES)
    again = "".join(f"{run.outcome:>9}" if (run := line.runs.get(pages)) else f"{'-':>9}" for pages in PAGES)
    ms = f"{line.ms:>8.0f}{line.runs['same'].ms if 'same' in line.runs else 0:>8.0f}"
    return f"{line.flow.name:<28}{line.steps:>6}{passed}{again}{ms}  {' '.join(' '.join(line.faults).split())[:160]}".rstrip()


def _faults(line: Line) -> list[str]:
    """All that is wrong with a flow; on changed pages some may fail, which `_totals` counts."""
    same = line.runs.get("same")
    return line.faults + ([f"run: {same.outcome} {same.fault}"] if same and same.outcome != "passed" else [])


def _told(lines: Sequence[Line], seconds: float) -> bool:
    """Print what is wrong, and the totals; whether all is as it must be."""
    for line in lines:
        changed = line.runs.get("changed")
        for fault in _faults(line) + ([f"changed pages: {changed.fault}"] if changed and changed.fault else []):
            print(f"\n{line.flow.name}: {fault}")
    good = sum(not _faults(line) for line in lines)
    runs = [line.runs["changed"] for line in lines if "changed" in line.runs]
    lived = sum(run.outcome != "failed" for run in runs)
    print(f"\n{good} of {len(lines)} flows are right, in {seconds:.0f} s.")
    if runs:
        healed = sum(run.outcome == "healed" for run in runs)
        print(f"On changed pages {lived} of {len(runs)} still run ({healed} healed): {lived / len(runs):.0%}.")
    return good == len(lines) and lived >= LIVE_ON * len(runs)


def main(arguments: Sequence[str]) -> int:
    """Do it all, print the table; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description="Record flows, run what comes of them.")
    parser.add_argument("--only", action="append", metavar="FLOW", choices=list(BY_NAME), help="this flow")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="runs of each script, in a row (default 3)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="put the scripts there too")
    parser.add_argument("--no-scripts", dest="scripts", action="store_false", help="do not run the scripts")
    parser.add_argument("--no-runs", dest="runs", action="store_false", help="do not run the saved workflows")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    print(f"{'flow':<28}{'steps':>6}{'playwright':>12}{'pytest':>12}{'run':>9}{'changed':>9}{'ms':>8}{'run ms':>8}")
    lines = anyio.run(_all, options)
    return 0 if _told(lines, time.monotonic() - begun) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
