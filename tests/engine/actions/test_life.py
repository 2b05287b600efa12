"""What may not end a session, what does, and how it ends: hangs, crashes, kills, storage, closing, cancelling."""

import signal
import time
from pathlib import Path

import anyio
import psutil
import pytest
from playwright.async_api import BrowserContext

from notte_mcp import actions as a
from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.local.engine import LocalEngine, RunningBrowser
from notte_mcp.errors import BrowserLaunchFailed, SessionLost
from notte_mcp.records import SessionSpec
from tests.engine.actions.conftest import MakeEngine
from tests.engine.actions.driver import Driver, eventually, opened
from tests.site import Site

pytestmark = pytest.mark.anyio


async def test_a_click_that_hangs_the_page_ends_at_its_time_and_goto_cures_it(kept: Driver) -> None:
    """The session lives on. 700 ms of a busy thread are waited for."""
    await kept.open("/hang-click.html")
    receipt = await kept.click("text=Hang for 700 ms")
    assert (receipt.success, await kept.out()) == (True, "back")
    begun = time.monotonic()
    receipt = await kept.refused(a.Click(selector="text=Hang for ever", timeout_ms=400))
    assert (receipt.code, time.monotonic() - begun < 3) == ("action_timeout", True)
    await kept.open("/form.html")
    await kept.act(a.Fill(selector="#applicant", value="Ada"))


async def test_a_page_that_hangs_by_itself_is_left_by_other_ways_too(kept: Driver) -> None:
    """Reload, back, closing the tab."""
    for cure in (a.Reload(), a.GoBack(), a.CloseTab()):
        await kept.open("/form.html")
        await kept.open("/hang-click.html")
        await kept.click("text=Hang in a moment")
        late = await kept.refused(a.WaitFor(value="never"), timeout_ms=200)
        assert late.code in {"action_timeout", "page_not_responding"}
        await kept.act(cure)
    await kept.open("/form.html")


async def test_a_lost_browser_is_told_exactly_once(make_engine: MakeEngine, tmp_path: Path) -> None:
    """Of each session in it, whoever asks and closes afterwards, and though the driver ends too."""
    engine = make_engine()
    lost: list[str] = []
    engine.on_lost(lambda session_id, _why: lost.append(session_id))
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    async with opened(engine, folders[0]) as first, opened(engine, folders[1]) as second:
        sessions = sorted(engine._open)
        (home,) = engine._browsers.values()
        assert home.process is not None
        home.process.kill()
        for session in (first, second):
            with pytest.raises(SessionLost), anyio.fail_after(5):
                await session.perform(a.WaitFor(value="never"), timeout_ms=9_000)
            with pytest.raises(SessionLost):
                await session.perform(a.Wait(time_ms=1), timeout_ms=1_000)
            assert not session.alive
        assert engine._driver is not None
        assert engine._driver.process is not None
        engine._driver.process.kill()
        await eventually(lambda: engine._driver is None)
    await engine.close(deadline_s=3)
    assert sorted(lost) == sessions


async def test_a_stopped_browser_is_closed_in_time(engine: LocalEngine, site: Site, tmp_path: Path) -> None:
    """SIGSTOP: nothing answers any more."""
    async with opened(engine, tmp_path, own_browser=True) as session:
        await Driver(session, site, tmp_path / "files").open("/form.html")
        (session_id,) = (each for each, known in engine._open.items() if known is session)
        home = engine._homes[session_id]
        assert home.process is not None
        home.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        await session.close(deadline_s=4)
        assert time.monotonic() - begun < 4
        assert not home.process.is_running() or home.process.status() == psutil.STATUS_ZOMBIE


async def test_a_hung_page_is_closed_in_time(driver: Driver) -> None:
    """A loop does not hold its context."""
    await driver.open("/hang-load.html")
    begun = time.monotonic()
    await driver.session.close(deadline_s=4)
    assert time.monotonic() - begun < 4


async def test_login_state_goes_from_session_to_session(engine: LocalEngine, driver: Driver, tmp_path: Path) -> None:
    """Cookies and the local storage of live frames, within the time that is given: a page that hangs is left out. An
    emptied origin is given as empty."""
    await driver.open("/storage.html")
    await driver.act(a.Fill(selector="#theme", value="dark"))
    await driver.click("#save")
    state = await driver.session.storage_state()
    assert [(c["name"], c["value"]) for c in state["cookies"]] == [("theme", "dark")]
    told = {"origin": driver.site.here, "localStorage": [{"name": "theme", "value": "dark"}]}
    assert told in state["origins"]
    folder = tmp_path / "second"
    folder.mkdir()
    async with opened(engine, folder, state=state) as session:
        second = Driver(session, driver.site, folder / "files")
        await second.open("/storage.html")
        shown = await second.js("[document.getElementById('local').textContent, document.cookie]")
    assert shown == ["local: dark", "theme=dark"]

    await driver.act(a.GotoNewTab(url=driver.site.other("/hang-click.html")))
    await driver.click("text=Hang in a moment")
    await driver.refused(a.WaitFor(value="never"), timeout_ms=300)
    begun = time.monotonic()
    state = await driver.session.storage_state(within_s=0.5)
    assert time.monotonic() - begun < 2
    assert [(c["name"], c["value"]) for c in state["cookies"]] == [("theme", "dark")]
    assert state["origins"] == [told]

    await driver.act(a.CloseTab())
    await driver.click("#clear")
    emptied = await driver.session.storage_state()
    assert emptied == {"cookies": [], "origins": [{"origin": driver.site.here, "localStorage": []}]}


async def test_a_call_that_is_cancelled_leaves_the_session_usable(kept: Driver) -> None:
    """In the middle of a wait, a click, a drag, a load, a script."""
    await kept.open("/drag.html")
    for action, path in (
        (a.WaitFor(value="never"), ""),
        (a.Drag(selector="#a", to_selector="#done"), ""),
        (a.Click(selector="#never"), ""),
        (a.EvaluateJs(code="new Promise(() => {})"), ""),
        (a.Goto(url=kept.site.url("/hang")), ""),
        (a.FallbackFill(selector="#applicant", value="x" * 200), "/form.html"),
    ):
        if path:
            await kept.open(path)
        with anyio.move_on_after(0.15) as scope:
            await kept.session.perform(action, timeout_ms=5_000)
        assert scope.cancelled_caught or isinstance(action, a.Drag), action
    await kept.open("/form.html")
    await kept.act(a.Fill(selector="#applicant", value="Ada"))
    await kept.click("text=Send request")
    assert kept.site.submissions[-1].value("applicant") == "Ada"


async def test_an_opening_whose_browser_is_killed_ends_at_once_and_in_our_words(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Playwright may wait for it without end, or end itself; the next opening has a new browser."""
    engine = make_engine()
    request = OpenRequest("ses_killed", SessionSpec(), tmp_path)
    victims = ["browser", "driver"]

    async def never(home: RunningBrowser, _request: OpenRequest) -> BrowserContext:
        assert engine._driver is not None
        victim = home.process if victims.pop(0) == "browser" else engine._driver.process
        assert victim is not None
        victim.kill()
        await anyio.sleep_forever()
        raise AssertionError

    try:
        with monkeypatch.context() as patched, anyio.fail_after(10):
            patched.setattr(engine, "_context", never)
            while victims:
                with pytest.raises(BrowserLaunchFailed, match="ended while its session was being opened"):
                    await engine.open(request)
        session = await engine.open(request)
        assert session.alive
        await session.close(deadline_s=3)
    finally:
        await engine.close(deadline_s=3)
