"""A flow done by an assistant: looked at, acted on by id, looked at again; and the scripts of what was recorded.

Below: flows, grounds, notte_mcp.app. Above: `__main__`, the test.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from notte_mcp.app import App
from notte_mcp.batches import parse_actions
from notte_mcp.observations import Observation
from notte_mcp.records import SessionSpec
from notte_mcp.workflows import Workflow, generalise, write
from tests.corpus.flows import Deed, Flow
from tests.corpus.grounds import Grounds

FILES: Final = {"cv.pdf": "I can do it", "plan.txt": "first plan"}
"""What can be uploaded: name to content."""

LANGUAGES: Final = ("playwright", "pytest")
_SLEEPS: Final = re.compile(r"wait_for_timeout|\bsleep\(|networkidle")


class FlowFailed(Exception):
    """A flow could not be recorded, or what came of it is wrong."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A flow's session, what it was generalised to, and the scripts by language (or why there is none)."""

    flow: Flow
    session_id: str
    workflow: Workflow
    scripts: Mapping[str, str]
    unwritten: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        """The secrets that scripts read."""
        return dict(self.flow.secrets)

    @property
    def step_count(self) -> int:
        return sum(step.action is not None for step in self.workflow.steps)


async def record(app: App, flow: Flow, grounds: Grounds, files: Path) -> Recorded:
    """Do the flow once, and write it down in every language.

    Raises:
        FlowFailed: it did not go as its table says.
    """
    grounds.forget()
    session = (await app.registry.open(SessionSpec(record=False), url=grounds.url(flow.start)))[0].id
    data, words = "", {"{here}": grounds.site.here, "files:": f"{files}/"}
    try:
        for batch in flow.batches:
            data = await _do(app, session, batch, words) or data
        steps = await app.registry.steps(session)
        ended = await app.registry.record(session)
    finally:
        await app.registry.stop(session)
    if flow.reads not in data:
        raise FlowFailed(f"read {data!r}, not {flow.reads!r}")
    if wrong := grounds.difference(flow):
        raise FlowFailed(wrong)
    workflow = generalise(steps, SessionSpec(), seen=ended.seen, url=ended.url)
    scripts, unwritten = _written(workflow, flow)
    return Recorded(flow, session, workflow, scripts, unwritten)


def faults_of(code: str, flow: Flow) -> list[str]:
    """What no script may hold: a sleep, a secret."""
    found = [f"sleeps: {match.group()}" for match in _SLEEPS.finditer(code)]
    return found + [f"holds the secret {name}" for name, value in flow.secrets.items() if value in code]


def _written(workflow: Workflow, flow: Flow) -> tuple[dict[str, str], dict[str, str]]:
    scripts: dict[str, str] = {}
    unwritten: dict[str, str] = {}
    for target in ("playwright", "pytest", "notte", "json"):
        style = flow.style if target == "playwright" else None
        try:
            scripts[target] = write(workflow, target=target, style=style).code
        except Exception as error:  # noqa: BLE001 - a script that cannot be written is one line of the table
            unwritten[target] = f"{type(error).__name__}: {error}"
    return scripts, unwritten


async def _do(app: App, session: str, batch: tuple[Deed, ...], words: Mapping[str, str]) -> str:
    """One batch, after a look and before one; gives what its last step read."""
    async with app.registry.use(session) as live:
        seen = await live.observe(mode="actions", max_tokens=20_000)
        actions = [{n: _filled(v, seen, words) for n, v in deed.items() if n != "fails"} for deed in batch]
        done = await live.execute(parse_actions(actions), deadline_s=30)
        await live.observe(mode="changes")
    fails = [bool(deed.get("fails")) for deed in batch]
    came = [not receipt.success for receipt in done.receipts]
    if came != fails:
        raise FlowFailed(f"{[deed['type'] for deed in batch]}: {[r.message for r in done.receipts]} {done.stopped}")
    return next((str(r.data) for r in reversed(done.receipts) if r.data is not None), "")


def _filled(value: Any, seen: Observation, words: Mapping[str, str]) -> Any:
    """A value of an action with ids in place of `@role name`, addresses and folders in place of their words."""
    if not isinstance(value, str):
        return value
    for word, meant in words.items():
        value = value.replace(word, meant)
    if not value.startswith("@"):
        return value
    wanted, _, place = value[1:].partition("#")
    found = [node.id for node in seen.nodes if node.id and f"{node.role} {node.name}" == wanted]
    try:
        return found[int(place or 1) - 1]
    except IndexError:
        there = sorted({f"{node.role} {node.name}" for node in seen.nodes if node.id})
        raise FlowFailed(f"no {value} among {there}") from None
