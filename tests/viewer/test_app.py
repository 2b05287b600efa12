"""The MCP app: what it is given, and what it shows in a host's frame in a real Chromium."""

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp.types import TextResourceContents
from playwright.async_api import Frame, Page, expect

from notte_mcp.app import open_app
from notte_mcp.server import create_server
from notte_mcp.settings import Settings
from notte_mcp.tools.app_frames import MAX_PICTURE_BYTES, VIEW_URI
from tests.browsers import Browsers
from tests.site import Site

pytestmark = pytest.mark.anyio

APPS = advertise("io.modelcontextprotocol/ui", {"mimeTypes": ["text/html;profile=mcp-app"]})
HOST = Path(__file__).with_name("app_host.html")


@asynccontextmanager
async def served(folder: Path, browsers: Browsers, *, apps: bool = True) -> AsyncGenerator[Client]:
    """A client of a server of its own, which shows apps or does not."""
    settings = Settings(state_dir=folder, record=True)
    server = create_server(lambda: open_app(settings, engines={"local": browsers.engine(settings)}), settings)
    async with Client(server, extensions=[APPS] if apps else []) as client:
        yield client


async def facts(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    assert result.structured_content is not None
    return result.structured_content


async def test_only_who_shows_apps_is_offered_one(tmp_path: Path, browsers: Browsers) -> None:
    """A model elsewhere neither reads nor pays for it."""
    async with served(tmp_path / "a", browsers, apps=False) as client:
        plain = (await client.list_tools()).tools
        assert "notte_frame" not in {tool.name for tool in plain}
        assert not any("ui" in (tool.meta or {}) for tool in plain)
    async with served(tmp_path / "b", browsers) as client:
        tools = {tool.name: tool.meta or {} for tool in (await client.list_tools()).tools}
        page = (await client.read_resource(VIEW_URI)).contents[0]
    assert tools["notte_start"]["ui"] == {"resourceUri": VIEW_URI}
    assert tools["notte_frame"]["ui"] == {"resourceUri": VIEW_URI, "visibility": ["app"]}
    assert set(tools) - {"notte_frame"} == {tool.name for tool in plain}
    assert page.mime_type == "text/html;profile=mcp-app"


async def test_a_picture_and_the_news_come_with_each_call(tmp_path: Path, browsers: Browsers, site: Site) -> None:
    """A JPEG that hosts pass on, the steps once each; a step's own picture; ends and wrong ids are told in words."""
    async with served(tmp_path, browsers) as client:
        session = (await facts(client, "notte_start", url=site.url("/form.html")))["session_id"]
        first = await facts(client, "notte_frame", session_id=session)
        assert base64.b64decode(first["picture"])[:3] == b"\xff\xd8\xff"
        assert len(first["picture"]) <= MAX_PICTURE_BYTES * 4 / 3 + 4
        assert [line["number"] for line in first["lines"]] == [1]
        again = await facts(client, "notte_frame", session_id=session, after=first["after"], since=first["at"] + 60)
        assert again["lines"] == []
        assert "picture" not in again
        stepped = await facts(client, "notte_frame", session_id=session, step=1)
        assert base64.b64decode(stepped["picture"])[:3] == b"\xff\xd8\xff"
        await client.call_tool("notte_stop", {"id": session})
        ended = await facts(client, "notte_frame", session_id=session)
        assert (ended["live"], ended["state"]) == (False, "stopped")
        wrong = await client.call_tool("notte_frame", {"session_id": "ses_nobody"})
        assert wrong.is_error


@asynccontextmanager
async def hosted(client: Client, browsers: Browsers) -> AsyncGenerator[tuple[Page, Frame]]:
    """The app in a host's frame; what it calls goes to the real server."""

    async def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = await client.call_tool(name, arguments)
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)

    page_text = (await client.read_resource(VIEW_URI)).contents[0]
    assert isinstance(page_text, TextResourceContents)
    context = await (await browsers.home()).browser.new_context(viewport={"width": 940, "height": 620})
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.expose_function("callTool", call)  # pyright: ignore[reportUnknownMemberType]
    await page.set_content(HOST.read_text(encoding="utf-8"))
    await page.evaluate("html => show(html)", page_text.text)
    await page.wait_for_function("heard.includes('ui/notifications/initialized')")
    yield page, page.frames[1]
    assert [url for url in asked if not url.startswith(("data:", "about:"))] == []
    await context.close()


async def test_a_host_shows_the_session_and_its_steps(tmp_path: Path, browsers: Browsers, site: Site) -> None:
    """The picture follows the page, the log its steps, a click on a step shows that step, and nothing is fetched."""
    async with served(tmp_path, browsers) as client:
        started = await client.call_tool("notte_start", {"url": site.url("/form.html")})
        session = cast("dict[str, str]", started.structured_content)["session_id"]
        async with hosted(client, browsers) as (page, app):
            result = started.model_dump(mode="json", by_alias=True, exclude_none=True)
            await page.evaluate("result => tell({ method: 'ui/notifications/tool-result', params: result })", result)
            picture, steps = app.locator("#picture"), app.locator("#steps li")
            await app.wait_for_selector("#picture[src^='data:image/jpeg']")
            await expect(steps).to_have_count(1)
            before = await picture.get_attribute("src") or ""
            await client.call_tool("notte_execute", {"actions": [{"type": "goto", "url": site.url("/wizard")}]})
            await expect(steps).to_have_count(2)
            await expect(picture).not_to_have_attribute("src", before)
            await steps.first.locator("button").press("Enter")
            await expect(app.locator("#note")).to_have_text("Step 1")
            await app.click("#live")
            await client.call_tool("notte_stop", {"id": session})
            await expect(app.locator("#state")).to_contain_text("stopped")
