"""What an agent costs beside its model and its browser, and whether sixteen of them leave the server answering.

The model is the scripted one, which takes no time; the browser is real. The floor of
the turn is what browser and model took of it, the floor of a question is the page alone,
the floor of the crowd is a status when nothing else goes on.

Below: browser, host, rows. Above: `__main__`.
"""

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import anyio

from benchmarks.browser import local_engine
from benchmarks.host import SERVER, Host, tokens
from benchmarks.rows import Outcome, Run
from benchmarks.wire import BenchmarkFailed, wire
from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.app import App, open_app
from notte_mcp.engines.base import BrowserSession, Engine, OpenRequest
from notte_mcp.models.base import ChatRequest
from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings

AGENTS: Final = 16
HISTORY: Final = 20
"""Steps behind the question whose tokens are counted."""

_DONE: Final = {"actions": [{"type": "completion", "success": True, "answer": "done"}]}


async def turn(run: Run) -> Outcome:
    """A turn of one click, without what the browser and the model took."""
    turns = 2 if run.short else 40
    plan = [{"actions": [{"type": "click", "id": "{{button 'Add to cart'}}"}, _note(n)]} for n in range(turns)]
    async with _app(ScriptedModel([*plan, _DONE])) as (app, spent, _):
        begun, before = time.perf_counter(), spent()
        agent = await _run(app, run.site.url("/product/1"), max_steps=10 * turns)
        whole, browser = (time.perf_counter() - begun) * 1_000, spent() - before
    steps = agent.step_count - 1
    return Outcome({"ms": (whole - browser) / steps}, {"ms": browser / steps}, note=f"({steps} steps)")


def _note(number: int) -> dict[str, Any]:
    """An action that makes every turn another one, since the same click for ever is a loop."""
    return {"type": "evaluate_js", "code": f"document.title = 'turn {number}'"}


async def question(run: Run) -> Outcome:
    """What one question to the model holds on a page of 1,000 products, with twenty steps behind it."""
    plan = [
        {"thought": f"look on, {n}", "actions": [{"type": "scroll_down", "amount": 200 + n}]} for n in range(HISTORY)
    ]
    async with _app(ScriptedModel([*plan, _DONE])) as (app, _, model):
        await _run(app, run.site.url("/products/1000"), max_steps=50)
    asked = model.requests[-1]
    return Outcome(
        {"tokens": _size(asked)}, {"tokens": tokens(asked.messages[-1].text)}, note=f"({HISTORY} steps behind it)"
    )


def _size(asked: ChatRequest) -> int:
    """Tokens of system, messages and the schema of the answer."""
    return tokens(asked.system) + sum(tokens(m.text) for m in asked.messages) + tokens(asked.schema)


async def _run(app: App, url: str, *, max_steps: int) -> AgentRecord:
    spec = AgentSpec("measure", "model", SessionSpec(), url=url, max_steps=max_steps)
    agent = await app.agents.wait((await app.agents.start(spec)).id, seconds=120)
    if not agent.success:
        raise BenchmarkFailed(f"the agent is {agent.state} ({agent.reason}): {agent.answer}")
    return agent


# --- sixteen at once --------------------------------------------------------------


async def crowd(run: Run) -> Outcome:
    """Sixteen agents fill in a form each; meanwhile, what a status of one takes."""
    count = 2 if run.short else AGENTS
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        plan = Path(folder) / "plan.json"
        plan.write_text(json.dumps(_form_plan()), encoding="utf-8")
        env = {"NOTTE_MCP_STATE_DIR": str(Path(folder) / "state"), "NOTTE_MCP_MODEL": f"scripted:{plan}"}
        async with wire(SERVER, env) as line:
            host = Host(line)
            await host.hello()
            idle = median([(await host.call("notte_status", {})).ms for _ in range(10)])
            begun = time.perf_counter()
            took = await _all(host, run.site.url("/form.html"), count)
            whole = (time.perf_counter() - begun) * 1_000
    slow = took[int(len(took) * 0.95)]
    note = f"(95 % of {len(took)}; slowest {took[-1]:,.0f} ms; {count} agents in {whole / 1_000:.1f} s)"
    return Outcome({"ms": slow}, {"ms": idle}, note=note)


def _form_plan() -> list[dict[str, Any]]:
    fill = {"type": "fill", "id": "{{textbox 'Applicant'}}", "value": "Ada Brew"}
    terms = {"type": "check", "id": "{{checkbox 'I accept the terms'}}"}
    return [{"actions": [fill]}, {"actions": [terms]}, {"actions": [{"type": "scroll_down"}]}, _DONE]


async def _all(host: Host, url: str, count: int) -> list[float]:
    """Start all, ask after one after the other until all have ended; what the answers took (ms), sorted."""
    agents: list[str] = []

    async def start() -> None:
        agents.append((await host.call("notte_start", {"task": "fill it in", "url": url})).facts["agent_id"])

    asked: list[float] = []
    with anyio.fail_after(200):
        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(start)
        left = list(agents)
        while left:
            status = await host.call("notte_status", {"id": left[-1]})
            asked.append(status.ms)
            if status.facts["state"] == "completed":
                left.pop()
            elif status.facts["state"] not in ("running", "stopping"):
                raise BenchmarkFailed(f"an agent is {status.text}")
            await anyio.sleep(0.02)
    return sorted(asked)


# --- an App whose browser's time is known -------------------------------------------


@asynccontextmanager
async def _app(model: ScriptedModel) -> AsyncGenerator[tuple[App, Callable[[], float], ScriptedModel]]:
    """An App with that model; what its browser and model have taken so far (ms); the model."""
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        async with local_engine(Path(folder)) as engine:
            timed, shelf = _TimedEngine(engine), _OneModel(model)
            settings = Settings(state_dir=Path(folder) / "state")
            engines: Any = {"local": timed}
            models: Any = shelf
            async with open_app(settings, engines=engines, models=models) as app:
                yield app, lambda: timed.spent_ms, model


class _OneModel:
    """A shelf with one model on it."""

    default = "scripted"

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model

    def named(self, _name: str) -> ScriptedModel:
        return self._model

    async def close(self) -> None:
        """There is nothing to close."""


class _TimedEngine:
    """The engine, and how long its sessions were busy (ms)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.spent_ms = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def open(self, request: OpenRequest) -> Any:
        return await self._timed(lambda: self._session(request))

    async def _session(self, request: OpenRequest) -> Any:
        return _TimedSession(await self._engine.open(request), self._timed)

    async def _timed(self, call: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        try:
            return await call()
        finally:
            self.spent_ms += (time.perf_counter() - begun) * 1_000


class _TimedSession:
    """A session whose looks and acts are timed."""

    def __init__(self, session: BrowserSession, timed: Callable[[Callable[[], Any]], Any]) -> None:
        self._session = session
        self._timed = timed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if name not in ("perform", "observe", "check"):
            return found

        def timed(*args: Any, **options: Any) -> Any:
            return self._timed(lambda: found(*args, **options))

        return timed
