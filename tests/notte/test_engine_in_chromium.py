"""The cloud engine over a real browser behind the API: what the contract's small office does not show."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import ObserveRequest, OpenRequest
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.engines.notte.session import NotteSession
from notte_mcp.observations import Observation
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionSpec
from tests.api.served import Api, served_api
from tests.browsers import Browsers
from tests.site.server import Site

pytestmark = pytest.mark.anyio


@dataclass
class Tried:
    """A cloud session, the site that it goes to, its folder, and the API behind it."""

    session: NotteSession
    site: Site
    folder: Path
    api: Api
    view: int = 0

    async def act(self, action: a.Action) -> Receipt:
        with anyio.fail_after(30):
            return await self.session.perform(action, timeout_ms=8_000)

    async def at(self, path: str) -> Observation:
        await self.act(a.Goto(url=self.site.url(path)))
        return await self.look()

    async def look(self) -> Observation:
        self.view += 1
        with anyio.fail_after(30):
            return await self.session.observe(ObserveRequest(self.view, "page", max_tokens=20_000))

    async def says(self) -> str:
        scraped = await self.session.scrape(selector=None, only_main_content=False, links=False, images=False)
        return scraped.markdown


@pytest.fixture(scope="module")
async def tried(tmp_path_factory: pytest.TempPathFactory, browsers: Browsers) -> AsyncGenerator[Tried]:
    folder = tmp_path_factory.mktemp("cloud")
    async with AsyncExitStack() as stack:
        engines = {"local": browsers.engine()}
        api = await stack.enter_async_context(served_api(folder / "state", chromium=None, engines=engines))
        site = stack.enter_context(Site())
        engine = NotteEngine(lambda: CloudAccess(api.key, api.url))
        (folder / "files").mkdir()
        session = await engine.open(OpenRequest("ses_tried", SessionSpec(), folder))
        yield Tried(session, site, folder, api)
        await session.close(deadline_s=3)
        await engine.close(deadline_s=3)


def id_of(seen: Observation, name: str) -> str:
    (found,) = [node.id for node in seen.nodes if node.name == name and node.id]
    return found


async def test_elements_in_frames_and_shadow_roots_are_acted_on_by_id(tried: Tried) -> None:
    """A script of ours gets into those of the same origin alone: for the others the cloud's own ids are enough."""
    seen = await tried.at("/frames.html")
    for name in ("Field same", "Field deep-across"):
        filled = await tried.act(a.Fill(id=id_of(seen, name), value="Ada"))
        assert (filled.success, filled.target and filled.target.name) == (True, name), filled.message
    told = {node.name: node.value for node in (await tried.look()).nodes if node.value}
    assert told == {"Field same": "Ada", "Field deep-across": "Ada"}
    out_of_reach = await tried.act(a.Hover(id=id_of(seen, "Send near")))
    assert (out_of_reach.success, out_of_reach.code) == (False, "not_supported")

    seen = await tried.at("/shadow.html")
    filled = await tried.act(a.Fill(id=id_of(seen, "Deep field"), value="Ada"))
    assert (filled.value, filled.target and filled.target.locators.shadow) == ("Ada", True)
    await tried.act(a.Click(id=id_of(seen, "Deep button")))
    assert "deep Ada" in await tried.says()


async def test_tabs_are_told_as_they_open_close_and_change(tried: Tried) -> None:
    """The one that opened is the current one; a receipt says which it is."""
    seen = await tried.at("/tabs.html")
    opened = await tried.act(a.Click(id=id_of(seen, "Open by script")))
    assert (opened.new_tab, opened.navigated, opened.url_after) == (1, False, tried.site.url("/done?id=opened"))
    assert [tab.current for tab in tried.session.position.tabs] == [False, True]
    switched = await tried.act(a.SwitchTab(tab_index=0))
    assert (switched.navigated, tried.session.position.url) == (False, tried.site.url("/tabs.html"))
    assert (await tried.act(a.Click(id=id_of(seen, "Form in a new tab")))).new_tab == 2
    closed = await tried.act(a.CloseTab())
    assert (closed.tab_closed, len(tried.session.position.tabs)) == (True, 2)
    await tried.act(a.CloseTab())


async def test_files_go_up_before_the_page_gets_them_and_come_down_after_it_sent_them(tried: Tried) -> None:
    """Between this machine's folder of the session and the cloud's."""
    (tried.folder / "files" / "letter.txt").write_text("Dear office")
    seen = await tried.at("/uploads.html")
    given = await tried.act(a.UploadFile(id=id_of(seen, "Document"), path="letter.txt"))
    assert (given.success, given.value) == (True, "letter.txt")
    assert "letter.txt (11 bytes)" in await tried.says()
    seen = await tried.at("/downloads.html")
    got = await tried.act(a.DownloadFile(id=id_of(seen, "Report")))
    assert [(one.name, one.failure) for one in got.downloads] == [("report.csv", None)]
    assert (tried.folder / "files" / "report.csv").stat().st_size == got.downloads[0].size


async def test_what_scripts_do_in_the_place_of_the_cloud_is_said(tried: Tried) -> None:
    """Their events are not a person's, and a page may tell."""
    await tried.at("/drag.html")
    dragged = await tried.act(a.Drag(selector="#a", to_selector="#done"))
    assert (dragged.success, "by a script" in dragged.message) == (True, True)
    assert "dropped in Done" in await tried.says()
    refused = await tried.act(a.HandleDialog(value="accept"))
    assert (refused.success, refused.code) == (False, "not_supported")


async def test_failures_have_the_codes_that_a_local_session_gives_them(tried: Tried) -> None:
    """A load, a script, a wait; and a status is told though it is no failure."""
    assert (await tried.act(a.Goto(url="http://127.0.0.1:9/"))).code == "page_load_failed"
    assert (await tried.act(a.Goto(url=tried.site.url("/status/404")))).status == 404
    thrown = await tried.act(a.EvaluateJs(code="nope()"))
    assert (thrown.code, "nope is not defined" in thrown.message) == ("action_failed", True)
    assert (await tried.act(a.EvaluateJs(code="({a: [1, null]})"))).data == {"a": [1, None]}
    await tried.at("/late.html")
    assert (await tried.act(a.Click(selector="button >> nth=7", timeout_ms=300))).code == "selector_not_found"
    assert (await tried.act(a.WaitFor(url="**/late.html"))).success


async def test_whoever_else_looks_at_the_session_and_numbers_anew_our_ids_stay_with_their_elements(
    tried: Tried,
) -> None:
    """An agent of the cloud's does that between two calls of ours: its B1 is then another button."""
    seen = await tried.at("/form.html")
    page = f"/sessions/{tried.session.remote_id}/page"
    script = "document.body.prepend(...[1, 2].map((n) => Object.assign(document.createElement('button'), {textContent: `New ${n}`}))); 1"
    await tried.api.client.post(f"{page}/execute", json={"type": "evaluate_js", "code": script})
    await tried.api.client.post(f"{page}/observe", json={})
    sent = await tried.act(a.Fill(id=id_of(seen, "Applicant"), value="Ada"))
    assert (sent.target and sent.target.name, sent.value, sent.healed) == ("Applicant", "Ada", False)
    asked = await tried.act(a.Check(id=id_of(seen, "I accept the terms")))
    assert (asked.success, asked.target and asked.target.name) == (True, "I accept the terms")
