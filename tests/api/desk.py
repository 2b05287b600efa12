"""An API over the permit office as scripted pages, whose agents are driven by plans; and what reads its WebSockets."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentSpec
from notte_mcp.api.calls import Contract
from notte_mcp.app import App
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.records import SessionSpec
from tests import office
from tests.api.served import Api, served_api

BASE = "http://office.test"
FORM, RESULT = f"{BASE}/form", f"{BASE}/result"

FILL = {"thought": "First the name.", "actions": [{"type": "fill", "id": "{{textbox 'Applicant'}}", "value": "Ada"}]}
SEND = {"thought": "I send it.", "actions": [{"type": "click", "id": "{{button 'Send request'}}"}]}
DONE = {"thought": "It is sent.", "actions": [{"type": "completion", "success": True, "answer": "Number 4711."}]}
PLAN = (FILL, SEND, DONE)
"""With a first url: four steps."""


@dataclass
class Desk:
    """The API, and the plan of the agents that are started from now on."""

    api: Api
    plan_at: Path

    @property
    def app(self) -> App:
        return self.api.app

    def plan(self, *answers: object, delay_s: float = 0) -> None:
        self.plan_at.write_text(json.dumps({"answers": answers, "delay_s": delay_s}))

    async def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The answer's JSON."""
        answered = await self.api.client.request(method, path, **more)
        assert answered.status_code == status, answered.text
        return answered.json()

    async def session(self) -> str:
        """A new session."""
        record, _ = await self.app.registry.open(SessionSpec())
        return record.id

    async def start(self, session_id: str, **more: Any) -> str:
        """An agent at the form; its id."""
        body = {"task": "Send the form.", "session_id": session_id, "url": FORM, "use_vision": False} | more
        return str((await self.ask("POST", "/agents/start", json=body))["agent_id"])

    async def run(self, session_id: str, **more: Any) -> dict[str, Any]:
        """An agent from its start to its end; its status."""
        agent_id = await self.start(session_id, **more)
        return await self.ended(agent_id)

    async def ended(self, agent_id: str) -> dict[str, Any]:
        """An agent's status once it is closed."""
        with anyio.fail_after(10):
            await self.app.agents.wait(agent_id, seconds=10)
        return await self.ask("GET", f"/agents/{agent_id}")

    async def led(self, session_id: str) -> str:
        """An agent that a caller within the App drives."""
        spec = AgentSpec("Do many things.", "assistant", SessionSpec(), max_steps=10_000)
        return (await self.app.agents.start(spec, session_id=session_id)).id

    async def act(self, session_id: str, *actions: a.Action) -> None:
        """Do these in the session."""
        async with self.app.registry.use(session_id) as live:
            await live.execute(actions, deadline_s=30)

    def socket(self, path: str, **query: str) -> "Reader":
        """A WebSocket of the API, with the key as its token unless another is given."""
        given = "&".join(f"{name}={value}" for name, value in ({"token": self.api.key} | query).items())
        return Reader(f"ws{self.api.url.removeprefix('http')}{path}?{given}")


@dataclass
class Reader:
    """One who reads a WebSocket to its end."""

    url: str
    frames: list[Any] = field(default_factory=list[Any])
    code: int | None = None
    reason: str = ""

    async def read(self, *, least: int | None = None) -> "Reader":
        """Until it is closed, or until so many frames have come."""
        with anyio.fail_after(20):
            async with connect(self.url, proxy=None, max_size=5 * 2**20) as socket:
                await self.until(socket, least)
        return self

    async def until(self, socket: ClientConnection, least: int | None = None) -> None:
        try:
            while least is None or len(self.frames) < least:
                got = await socket.recv()
                self.frames.append(json.loads(got) if isinstance(got, str) else got)
        except ConnectionClosed:
            self.code, self.reason = socket.close_code, socket.close_reason or ""


@asynccontextmanager
async def desk(
    folder: Path, *, contract: Contract | None = "1.10", model: bool = True, settings: Mapping[str, Any] | None = None
) -> AsyncGenerator[Desk]:
    """The API with a model that tells `PLAN`, unless there is to be none."""
    plan_at = folder / "plan.json"
    plan_at.write_text(json.dumps(PLAN))
    async with served_api(
        folder / "state",
        chromium=None,
        engines={"local": ScriptedEngine(office.scripted_pages(BASE))},
        model=f"scripted:{plan_at}" if model else None,
        contract=contract,
        **(settings or {}),
    ) as api:
        yield Desk(api, plan_at)
