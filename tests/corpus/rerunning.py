"""A saved workflow run without a model, on the pages that it was recorded on or on changed ones, judged by what it left.

Below: recording, grounds, notte_mcp.runs. Above: `__main__`, the test.
"""

import time
from dataclasses import dataclass
from typing import Final, Literal

from notte_mcp.app import App
from notte_mcp.runs import RunRequest
from tests.corpus.grounds import Grounds, Rewrite
from tests.corpus.recording import Recorded

DEADLINE_S: Final = 90.0
"""How long one run may take."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """What a run came to: `healed` counts the steps that went another way; `fault` is empty where all is right."""

    outcome: Literal["passed", "healed", "failed"]
    healed: int
    ms: float
    fault: str = ""


async def rerun(app: App, recorded: Recorded, grounds: Grounds, rewrite: Rewrite | None = None) -> Rerun:
    """Run a flow's workflow; `rewrite` is what became of the pages since."""
    parameters = {p.name: recorded.env[p.env] for p in recorded.workflow.parameters if p.env}
    grounds.forget()
    grounds.rewrite = rewrite
    begun = time.monotonic()
    try:
        request = RunRequest(workflow=recorded.workflow, source=recorded.session_id, parameters=parameters)
        started = await app.runs.start(request)
        ended = await app.runs.wait(started.id, seconds=DEADLINE_S)
        if not ended.has_ended:
            ended = await app.runs.stop(started.id, mode="now")
        if ended.session_id is not None:
            # A failed run leaves its page to be looked at.
            await app.registry.stop(ended.session_id)
    finally:
        grounds.rewrite = None
    ms, fault = (time.monotonic() - begun) * 1_000, grounds.difference(recorded.flow)
    if ended.state != "completed":
        told = [f"{step.what}: {step.message}" for step in ended.steps if step.state == "failed"]
        fault = f"{ended.state} {ended.reason}: {'; '.join(told) or ended.difference}; {fault}"
    elif recorded.flow.reads not in str(ended.result or ""):
        fault = f"read {ended.result!r}, not {recorded.flow.reads!r}; {fault}"
    healed = [f"{step.what} -> {step.healed_by}" for step in ended.healed]
    return Rerun("failed" if fault else "healed" if healed else "passed", len(healed), ms, fault)
