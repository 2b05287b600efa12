"""`python -m scripts.foreign`: three sites that this project did not write, recorded through the server, and the
exported scripts run as files outside the project.

Prints a table; exit code 1 unless every script brought about what its recording had. `--show`
prints each call with its answer, `--keep FOLDER` keeps the scripts, and words name the flows
to do ("sphinx").

Below: flows, outside, assistant, the sites, paper. Above: make foreign.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio

from scripts.foreign.assistant import Assistant, FlowFailed
from scripts.foreign.flows import Flow, flows
from scripts.foreign.manual import Manual
from scripts.foreign.nursery import Nursery
from scripts.foreign.outside import run
from scripts.foreign.petshop import PetShop
from scripts.paper import server

TARGETS: Final = ("playwright", "pytest")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the table; green where `problem` is empty."""

    flow: Flow
    what: str
    problem: str = ""


def main() -> int:
    """0 when all is green."""
    parser = argparse.ArgumentParser(prog="python -m scripts.foreign", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("only", nargs="*", help="words of the flows to do")
    parser.add_argument("--show", action="store_true", help="print each call with its answer")
    parser.add_argument("--keep", type=Path, help="folder for the scripts (default: a temporary one)")
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    options = parser.parse_args()
    outcomes = anyio.run(_all, options)
    for outcome in outcomes:
        if outcome.problem:
            print(f"\n{outcome.flow.site}, {outcome.flow.title}, {outcome.what}: {outcome.problem}")
    red = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"\n{len(outcomes) - red} of {len(outcomes)} green")
    return 1 if red or not outcomes else 0


async def _all(options: argparse.Namespace) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="foreign-", ignore_cleanup_errors=True)))
        for name in ("nursery", "manual"):
            (folder / name).mkdir()
        sites = (Nursery(folder / "nursery"), Manual(folder / "manual"), PetShop())
        for site in sites:
            stack.enter_context(site)
        kept = options.keep or folder / "scripts"
        kept.mkdir(parents=True, exist_ok=True)
        async with server(folder / "state") as client:
            for flow in flows(*sites):
                words = f"{flow.site} {flow.title}".lower()
                if all(word.lower() in words for word in options.only):
                    assistant = Assistant(client, show=options.show)
                    targets = [options.target] if options.target else TARGETS
                    outcomes += [_told(one) for one in await _one(flow, assistant, kept, targets)]
    return outcomes


def _told(outcome: Outcome) -> Outcome:
    print(
        f"{outcome.flow.site:<14}{outcome.flow.title:<14}{outcome.what:<50}{'RED' if outcome.problem else 'green'}",
        flush=True,
    )
    return outcome


async def _one(flow: Flow, assistant: Assistant, kept: Path, targets: Sequence[str]) -> list[Outcome]:
    """Record a flow and run its scripts."""
    before = len(flow.arrived())
    try:
        await flow.drive(assistant)
    except FlowFailed as error:
        return [Outcome(flow, "recording", str(error))]
    recorded = list(flow.arrived())[before:]
    if not recorded:
        return [Outcome(flow, "recording", "the site received nothing")]
    outcomes = [Outcome(flow, f"recording ({assistant.calls} calls)")]
    for target in targets:
        outcomes += await _exported(flow, assistant, kept, target, recorded)
    await assistant.stop()
    return outcomes


async def _exported(
    flow: Flow, assistant: Assistant, kept: Path, target: str, recorded: Sequence[object]
) -> list[Outcome]:
    try:
        code, parameters = await assistant.script(target)
    except FlowFailed as error:
        return [Outcome(flow, target, str(error))]
    if any(secret in code for secret in flow.secrets):
        return [Outcome(flow, target, "a secret stands in the script")]
    name = "_".join(word.strip(",").replace("-", "") for word in f"{flow.site} {flow.title}".lower().split())
    file = kept / f"{'test_' if target == 'pytest' else ''}{name}.py"
    file.write_text(code, encoding="utf-8")
    outcomes = [Outcome(flow, target, await _again(flow, file, parameters, {}, recorded))]
    if flow.others and target == "playwright":
        what = f"{target}, {', '.join(f'{name}={text}' for name, text in flow.others.items())}"
        outcomes.append(Outcome(flow, what, await _again(flow, file, parameters, flow.others, recorded)))
    return outcomes


async def _again(
    flow: Flow, file: Path, parameters: Sequence[dict[str, Any]], others: Mapping[str, str], recorded: Sequence[object]
) -> str:
    """Run it; what was wrong with it, if anything."""
    before = len(flow.arrived())
    secrets = dict.fromkeys([one["env"] for one in parameters if one["secret"]], *flow.secrets)
    arguments = [f"--{name}={text}" for name, text in others.items()]
    ran = await anyio.to_thread.run_sync(run, file, arguments, secrets)
    arrived = list(flow.arrived())[before:]
    if ran.problem:
        return ran.problem
    if any(secret in ran.said for secret in flow.secrets):
        return "a secret stands in what it printed"
    if others:
        right = flow.shows in str(arrived) and len(arrived) == len(recorded)
        return "" if right else f"{flow.shows!r} did not arrive, but {arrived}"
    return "" if arrived == list(recorded) else f"it brought about {arrived}, not {list(recorded)}"


if __name__ == "__main__":
    sys.exit(main())
