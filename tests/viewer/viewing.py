"""A live view as a person has it: an App with a real browser, the viewer that shows it, and pages of another browser."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from notte_mcp.actions import EvaluateJs
from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.app import App, open_app
from notte_mcp.engines.base import Engine
from notte_mcp.models.base import ChatModel
from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.settings import Settings
from notte_mcp.viewer.viewer import Viewer
from tests.tools.conftest import Models

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 375, "height": 667}


@dataclass
class Viewing:
    """A server with its viewer. `models` holds the models of its agents."""

    app: App
    viewer: Viewer
    models: dict[str, ChatModel]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.viewer.port}"

    async def session(self, url: str | None = None, **spec: Any) -> str:
        """The id of a new session."""
        values: dict[str, Any] = {"record": False, **spec}
        record, _ = await self.app.registry.open(SessionSpec(**values), url=url)
        return record.id

    async def agent(self, url: str, *answers: object, gate: anyio.Event | None = None, **spec: Any) -> AgentRecord:
        """An agent that a scripted model drives."""
        self.models["scripted"] = ScriptedModel(list(answers), gate=gate)
        values: dict[str, Any] = {"driver": "model", "session": SessionSpec(record=False), "model": "scripted", **spec}
        return await self.app.agents.start(AgentSpec("Send the form.", url=url, **values))

    def asker(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client of the viewer that has this token."""
        given = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.base, headers={**given, **headers}, timeout=20)

    async def admitted(self, session_id: str) -> str:
        """A token to act there."""
        async with self.asker(self.viewer.keys.of(session_id)) as client:
            answer = await client.post(f"/api/{session_id}/control", json={"code": self.viewer.keys.code})
        return str(answer.json()["token"])

    async def act(self, session_id: str, token: str, view: str = "a view", **deed: Any) -> dict[str, Any]:
        async with self.asker(token, **{"x-notte-view": view}) as client:
            answered: dict[str, Any] = (await client.post(f"/api/{session_id}/act", json=deed)).json()
        return answered

    @asynccontextmanager
    async def stream(self, session_id: str, view: str = "a view") -> AsyncGenerator[AsyncGenerator[dict[str, Any]]]:
        """The messages of a session as they come."""
        async with (
            self.asker(self.viewer.keys.of(session_id), **{"x-notte-view": view}) as client,
            client.stream("GET", f"/api/{session_id}/stream") as answer,
        ):
            assert answer.status_code == 200

            async def messages() -> AsyncGenerator[dict[str, Any]]:
                async for line in answer.aiter_lines():
                    yield json.loads(line)

            yield messages()


@asynccontextmanager
async def viewing(
    folder: Path, chromium: Path | None, engines: dict[str, Engine] | None = None
) -> AsyncGenerator[Viewing]:
    """A viewer that is served, over an App of its own (of a real browser, or of `engines`)."""
    viewer = Viewer.bind(0)
    assert viewer is not None
    models: dict[str, ChatModel] = {}
    settings = Settings(state_dir=folder, browser=chromium, record=False)
    async with (
        open_app(settings, engines=engines, models=Models(models, None), view=viewer) as app,
        anyio.create_task_group() as group,
    ):
        group.start_soon(viewer.run, lambda: app)
        try:
            yield Viewing(app, viewer, models)
        finally:
            with anyio.CancelScope(shield=True):
                await viewer.close()
            group.cancel_scope.cancel()


@asynccontextmanager
async def person(chromium: Path) -> AsyncGenerator[Browser]:
    """A browser that is nobody's but the person's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(chromium), chromium_sandbox=False)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def view(
    browser: Browser,
    url: str,
    *,
    size: dict[str, int] = WIDE,
    reduced_motion: Literal["reduce", "no-preference"] = "reduce",
    **context: Any,
) -> AsyncGenerator[Page]:
    """The viewer's page, once it shows something. No error of a script, and nothing that its policy stops. It is asked
    for less motion, which is a tenth of a processor."""
    wrong: list[str] = []
    held: BrowserContext = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]}, reduced_motion=reduced_motion, **context
    )
    page = await held.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    await page.goto(url)
    await expect(page.locator("#picture")).to_be_visible(timeout=15_000)
    try:
        yield page
    finally:
        await held.close()
    assert wrong == []


async def take_over(page: Page, code: str) -> None:
    """As a person does, with the code."""
    await page.get_by_role("button", name="Take over").click()
    await page.get_by_label("Code", exact=True).fill(code)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.locator("#state")).to_have_text("You have taken over")


async def point_at(page: Page, x: float, y: float, viewport: tuple[int, int] = (1280, 800)) -> tuple[float, float]:
    """Where on the viewer's page that point of the shown page stands."""
    box = await page.locator("#picture").bounding_box()
    assert box is not None
    return box["x"] + x / viewport[0] * box["width"], box["y"] + y / viewport[1] * box["height"]


async def script(shown: Viewing, session_id: str, code: str) -> Any:
    """What a script in the shown page gives."""
    async with shown.app.registry.use(session_id) as live:
        return (await live.execute([EvaluateJs(code=code)], deadline_s=10)).receipts[0].data


async def middle(shown: Viewing, session_id: str, name: str) -> tuple[float, float]:
    """Where in the shown page the element of this name stands, once it is there; it is what a person points at there."""
    async with shown.app.registry.use(session_id) as live:
        with anyio.fail_after(15):
            while not (found := [node.id for node in (await live.observe()).nodes if node.name == name]):  # noqa: ASYNC110
                await anyio.sleep(0.05)
        browser: Any = shown.app.registry._slots[session_id].browser
        page: Page = browser._stage.tab.page
        named = page.get_by_label(name, exact=True).or_(page.get_by_role("button", name=name, exact=True))
        box = await named.first.bounding_box()
        assert box is not None
        place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        assert (await browser.spot(place)).id == found[0]
        return place


async def click(page: Page, at: tuple[float, float]) -> None:
    x, y = await point_at(page, *at)
    await page.mouse.click(x, y)


async def until_done(shown: Viewing, session_id: str, kind: str, count: int = 1) -> list[StepRecord]:
    """The person's steps once there are so many of a kind."""
    with anyio.fail_after(20):
        while True:
            steps = [one for one in await shown.app.registry.steps(session_id) if one.actor == "human"]
            if sum(one.action["type"] == kind and one.state == "done" for one in steps) >= count:
                return steps
            await anyio.sleep(0.05)
