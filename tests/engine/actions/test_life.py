"""What may not end a session, what does, and how it ends: hangs, crashes, kills, storage, closing, cancelling."""

import signal
import time
from contextlib import suppress
from pathlib import Path

import anyio
import psutil
import pytest
from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

from notte_mcp import actions as a
from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.errors import SessionLost
from tests.engine.actions.conftest import MakeEngine
from tests.engine.actions.driver import Driver, opened
from tests.site import Site

pytestmark = pytest.mark.anyio


async def test_a_click_that_hangs_the_page_ends_at_its_time_and_goto_cures_it(driver: Driver) -> None:
    """The session and its other tabs live on."""
    await driver.open("/hang-click.html")
    begun = time.monotonic()
    receipt = await driver.refused(a.Click(selector="text=Hang for ever", timeout_ms=600))
    assert (receipt.code, time.monotonic() - begun < 3) == ("action_timeout", True)
    await driver.open("/form.html")
    await driver.act(a.Fill(selector="#applicant", value="Ada"))


@pytest.mark.parametrize("cure", [a.Reload(), a.GoBack(), a.CloseTab()])
async def test_a_page_that_hangs_by_itself_is_left_by_other_ways_too(driver: Driver, cure: a.Action) -> None:
    """Reload, back, closing the tab."""
    await driver.open("/form.html")
    await driver.open("/hang-click.html")
    await driver.click("text=Hang in a moment")
    late = await driver.refused(a.WaitFor(value="never"), timeout_ms=900)
    assert late.code in {"action_timeout", "page_not_responding"}
    await driver.act(cure)
    await driver.open("/form.html")


async def test_a_short_hang_is_waited_for(driver: Driver) -> None:
    """700 ms of a busy thread."""
    await driver.open("/hang-click.html")
    receipt = await driver.click("text=Hang for 700 ms")
    assert (receipt.success, await driver.out()) == (True, "back")


async def test_a_renderer_that_dies_takes_its_tab_and_nothing_else(
    make_engine: MakeEngine, site: Site, tmp_path: Path
) -> None:
    """The action ends soon, an event tells, another tab is as it was."""
    own = make_engine()
    async with opened(own, tmp_path) as session:
        driver = Driver(session, site, tmp_path / "files")
        await driver.open("/form.html")
        await driver.act(a.GotoNewTab(url=site.other("/fetch.html")))
        waiting = anyio.Event()
        ended: list[bool] = []

        async def wait() -> None:
            waiting.set()
            ended.append((await driver.perform(a.WaitFor(value="never", timeout_ms=9_000))).success)

        begun = time.monotonic()
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await waiting.wait()
            cdp = await driver.page.context.new_cdp_session(driver.page)
            group.start_soon(_crash, cdp)
        assert (ended, time.monotonic() - begun < 4) == ([False], True)
        assert any("crashed" in event for event in session.take_events())
        assert session.position.url == site.url("/form.html")
        await driver.act(a.Fill(selector="#applicant", value="Ada"))
    await own.close(deadline_s=3)


async def _crash(cdp: CDPSession) -> None:
    with suppress(PlaywrightError), anyio.move_on_after(0.5):
        await cdp.send("Page.crash")  # pyright: ignore[reportUnknownMemberType]


async def test_a_browser_that_is_killed_ends_the_call_and_is_told_once(
    make_engine: MakeEngine, site: Site, tmp_path: Path
) -> None:
    """Within a second; whatever is asked afterwards says so; closing returns at once."""
    engine = make_engine()
    lost: list[str] = []
    engine.on_lost(lambda session_id, _why: lost.append(session_id))
    async with opened(engine, tmp_path) as session:
        driver = Driver(session, site, tmp_path / "files")
        await driver.open("/form.html")
        (home,) = engine._browsers.values()
        assert home.process is not None
        took: list[float] = []
        killed = 0.0

        async def wait() -> None:
            with pytest.raises(SessionLost):
                await session.perform(a.WaitFor(value="never"), timeout_ms=9_000)
            took.append(time.monotonic())

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.sleep(0.1)
            killed = time.monotonic()
            home.process.kill()
        assert took[0] - killed < 1.5
        assert (len(lost), session.alive) == (1, False)
        with pytest.raises(SessionLost):
            await session.perform(a.Wait(time_ms=1), timeout_ms=1_000)
        begun = time.monotonic()
        await session.close(deadline_s=4)
        assert time.monotonic() - begun < 1
    await engine.close(deadline_s=3)


async def test_a_stopped_browser_is_closed_in_time(make_engine: MakeEngine, site: Site, tmp_path: Path) -> None:
    """SIGSTOP: nothing answers any more."""
    engine = make_engine()
    async with opened(engine, tmp_path) as session:
        await Driver(session, site, tmp_path / "files").open("/form.html")
        (home,) = engine._browsers.values()
        assert home.process is not None
        home.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        await session.close(deadline_s=4)
        assert time.monotonic() - begun < 4
        assert not home.process.is_running() or home.process.status() == psutil.STATUS_ZOMBIE
    await engine.close(deadline_s=3)


async def test_a_hung_page_is_closed_in_time(driver: Driver) -> None:
    """A loop does not hold its context."""
    await driver.open("/hang-load.html")
    begun = time.monotonic()
    await driver.session.close(deadline_s=4)
    assert time.monotonic() - begun < 4


async def test_login_state_goes_from_session_to_session(engine: LocalEngine, driver: Driver, tmp_path: Path) -> None:
    """Cookies and the local storage of live frames; an emptied origin is given as empty."""
    await driver.open("/storage.html")
    await driver.act(a.Fill(selector="#theme", value="dark"))
    await driver.click("#save")
    state = await driver.session.storage_state()
    assert [(c["name"], c["value"]) for c in state["cookies"]] == [("theme", "dark")]
    assert {"origin": driver.site.here, "localStorage": [{"name": "theme", "value": "dark"}]} in state["origins"]
    folder = tmp_path / "second"
    folder.mkdir()
    async with opened(engine, folder, state=state) as session:
        second = Driver(session, driver.site, folder / "files")
        await second.open("/storage.html")
        shown = await second.js("[document.getElementById('local').textContent, document.cookie]")
    assert shown == ["local: dark", "theme=dark"]
    await driver.click("#clear")
    emptied = await driver.session.storage_state()
    assert emptied == {"cookies": [], "origins": [{"origin": driver.site.here, "localStorage": []}]}


async def test_a_call_that_is_cancelled_leaves_the_session_usable(driver: Driver) -> None:
    """In the middle of a wait, a click, a drag, a load, a script."""
    await driver.open("/drag.html")
    for action, path in (
        (a.WaitFor(value="never"), ""),
        (a.Drag(selector="#a", to_selector="#done"), ""),
        (a.Click(selector="#never"), ""),
        (a.EvaluateJs(code="new Promise(() => {})"), ""),
        (a.Goto(url=driver.site.url("/hang")), ""),
        (a.FallbackFill(selector="#applicant", value="x" * 200), "/form.html"),
    ):
        if path:
            await driver.open(path)
        with anyio.move_on_after(0.15) as scope:
            await driver.session.perform(action, timeout_ms=5_000)
        assert scope.cancelled_caught or isinstance(action, a.Drag), action
    await driver.open("/form.html")
    await driver.act(a.Fill(selector="#applicant", value="Ada"))
    await driver.click("text=Send request")
    assert driver.site.submissions[-1].value("applicant") == "Ada"
