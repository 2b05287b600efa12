"""What running a saved workflow costs: the form again, without a model. Floor: a bare Playwright script doing the same.

Both in a new context of a browser that runs already. The server's answer holds its steps and where it ended; the
floor's the text that the form ended with.

Below: acting, host, rows. Above: `__main__`.
"""

import time
from typing import Any, Final

from benchmarks.acting import form_flow
from benchmarks.host import Host
from benchmarks.rows import Outcome, Run, paired
from benchmarks.wire import BenchmarkFailed

NAME: Final = "permit"
CODE: Final = "tea-at-four"
"""The access code that is typed: a script knows its name only."""


async def saved(run: Run) -> Outcome:
    """A saved workflow of eight steps, from the call to its end."""
    host, floors = run.warm()
    url = run.site.url("/form.html")
    call = {"name": NAME, "parameters": await _save(host, url)}
    pairs: list[tuple[float, float]] = []
    told = 0
    for _ in run.times(9):
        done = await host.call("notte_run_workflow", call)
        if done.facts.get("state") != "completed":
            raise BenchmarkFailed(f"the workflow did not go to its end: {done.text}")
        begun = time.perf_counter()
        await floors.ask("form", {"url": url})
        pairs.append((done.ms, (time.perf_counter() - begun) * 1_000))
        told = done.tokens
    return paired(pairs, tokens=told, calls=1)


async def _save(host: Host, url: str) -> dict[str, Any]:
    """Record the form, keep it by name; gives the parameters that a run has to be given."""
    recorded = await form_flow(host, url, "")
    session: str = recorded[0].facts["session_id"]
    arguments = {"id": session, "target": "playwright", "verify": "none", "save_as": NAME}
    written = await host.call("notte_workflow_code", arguments)
    await host.stop(session)
    return {one["name"]: CODE for one in written.facts["parameters"] if one["secret"]}
