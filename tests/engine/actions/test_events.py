"""Dialogs and downloads: answered, bounded, and told."""

from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Error as PlaywrightError

from notte_mcp import actions as a
from notte_mcp.engines.base import COMING
from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.receipts import DialogEvent
from tests.engine.actions.driver import Driver, eventually, opened
from tests.site import Site
from tests.site.downloads import REPORT

pytestmark = pytest.mark.anyio


@pytest.fixture
def driver(kept: Driver) -> Driver:
    """These tests are about a page and its files, so they share a session."""
    return kept


DISMISSED = (
    ("Alert", DialogEvent("alert", "Saved.", "dismissed"), "alert over"),
    ("Confirm", DialogEvent("confirm", "Delete everything?", "dismissed"), "confirm false"),
    ("Prompt", DialogEvent("prompt", "Your name?", "dismissed"), "prompt null"),
)


async def test_a_dialog_is_dismissed_and_recorded_and_what_it_says_cleaned_and_cut(driver: Driver) -> None:
    """Nobody waits for it. Control, direction and tag characters, 20,000 letters; of a storm five are named, the rest
    counted, and the click is over when they are."""
    await driver.open("/dialogs.html")
    for name, dialog, made in DISMISSED:
        receipt = await driver.click(f"text=/^{name}$/")
        assert (receipt.dialogs, await driver.out()) == ((dialog,), made)
    odd = (await driver.click("text=Odd alert")).dialogs[0].message
    assert odd.isprintable()
    assert len((await driver.click("text=Long alert")).dialogs[0].message) <= 200
    storm = await driver.perform(a.Click(selector="text=Thirty alerts"), timeout_ms=12_000)
    assert (storm.success, await driver.out()) == (True, "storm over")
    assert [d.message for d in storm.dialogs][-2:] == ["Storm 5", "and 25 more dialogs"]


async def test_an_armed_answer_is_used_once(driver: Driver) -> None:
    """The second dialog is dismissed again."""
    await driver.open("/dialogs.html")
    await driver.act(a.HandleDialog(value="accept"))
    receipt = await driver.click("text=Two in a row")
    assert ([d.answer for d in receipt.dialogs], await driver.out()) == (["accepted", "dismissed"], "two true false")
    await driver.act(a.HandleDialog(value="accept", answer="Ada"))
    await driver.click("text=/^Prompt$/")
    assert await driver.out() == 'prompt "Ada"'
    await driver.act(a.HandleDialog(value="accept"))
    left = await driver.click("text=Confirm then leave")
    assert left.url_after == driver.site.url("/form.html")


async def test_dialogs_of_a_load_are_recorded(driver: Driver) -> None:
    """One while parsing, one at the load event."""
    receipt = await driver.open("/alert-load.html")
    assert [d.message for d in receipt.dialogs] == ["Welcome while parsing.", "Welcome at load."]


async def test_a_dialog_between_actions_is_an_event(driver: Driver) -> None:
    """It belongs to no receipt."""
    await driver.open("/dialogs.html")
    await driver.click("text=Much later")
    await driver.until("document.getElementById('out').textContent === 'much later false'")
    assert (await driver.act(a.Wait(time_ms=1))).dialogs == ()
    assert any("Much later?" in event for event in driver.session.take_events())


async def test_dialogs_without_end_end_with_the_action(driver: Driver) -> None:
    """And the page can be left."""
    await driver.open("/dialogs.html")
    receipt = await driver.refused(a.Click(selector="text=Alerts for ever", timeout_ms=700))
    assert receipt.code == "action_timeout"
    left = await driver.perform(a.Goto(url=driver.site.url("/form.html")), timeout_ms=10_000)
    assert left.success, left.message
    await driver.act(a.Fill(selector="#applicant", value="Ada"))


# --- downloads --------------------------------------------------------------------


STARTS = ("Report", "By script", "In a new tab", "Slow file", "After 300 ms", "Data address", "Made in the page")
HOSTILE = ("Path upwards", "Windows path upwards", "Absolute path", "Encoded path upwards", "Dot file", "Only dots",
           "Control characters", "Long name", "Unicode name", "Reserved characters", "No name")  # fmt: skip


async def test_a_download_is_saved_and_told_with_name_and_size(driver: Driver) -> None:
    """However it starts."""
    await driver.open("/downloads.html")
    for name in STARTS:
        receipt = await driver.act(a.DownloadFile(selector=f"text=/^{name}$/"))
        (download,) = receipt.downloads
        saved = (driver.files / download.name).read_bytes()
        assert (name, len(saved), download.failure) == (name, download.size, None)
        assert saved in (REPORT, b"hello", b"made here")
        assert [tab.url for tab in driver.session.position.tabs] == [driver.site.url("/downloads.html")]


async def test_a_click_that_happens_to_download_tells_it_too(driver: Driver) -> None:
    """Three at once, with names of their own; the same again gets another name."""
    await driver.open("/downloads.html")
    told = repr((await driver.click("text=Three at once")).downloads)
    with anyio.fail_after(5):
        while not all(f"part-{n}.txt" in told for n in (1, 2, 3)):
            await anyio.sleep(0.02)
            told += repr(driver.session.take_events())
    await driver.click("text=/^Report$/")
    again = await driver.click("text=/^Report$/")
    assert again.downloads[0].name == "report (2).csv"


async def test_hostile_names_stay_under_files(driver: Driver) -> None:
    """One plain file, directly in the folder, not hidden."""
    await driver.open("/downloads.html")
    for name in HOSTILE:
        receipt = await driver.act(a.DownloadFile(selector=f"text=/^{name}$/"))
        (saved,) = driver.files.iterdir()
        assert (saved.name, saved.read_bytes()) == (receipt.downloads[0].name, REPORT)
        assert saved.name.isprintable()
        assert not saved.name.startswith(".")
        assert not set(saved.name) & set('/\\:*?"<>|')
        saved.unlink()


async def test_a_download_that_breaks_never_begins_or_grows_past_the_limit_is_a_failure(driver: Driver) -> None:
    """Nothing of it is kept. 1 MB in these tests; the endless file is cut there."""
    await driver.open("/downloads.html")
    broken = await driver.refused(a.DownloadFile(selector="text=Broken file"))
    assert "failed" in broken.message
    none = await driver.refused(a.DownloadFile(selector="text=/^No download$/", timeout_ms=400))
    assert "No download began within 400 ms" in none.message
    large = await driver.refused(a.DownloadFile(selector="text=Endless file"), timeout_ms=8_000)
    assert "larger than 1000000 bytes" in large.message
    assert list(driver.files.iterdir()) == []


async def test_a_download_that_takes_longer_than_the_action_goes_on(driver: Driver) -> None:
    """The receipt says so, and the file is there in the end."""
    await driver.open("/downloads.html")
    receipt = await driver.refused(a.DownloadFile(selector="text=Slow file", timeout_ms=350))
    assert "had not ended" in receipt.message
    assert [mark.name for mark in (driver.files.parent / COMING).iterdir()] == ["slow.csv"]
    await eventually((driver.files / "slow.csv").exists)
    await eventually(lambda: any("slow.csv" in event for event in driver.session.take_events()))
    await eventually(lambda: not list((driver.files.parent / COMING).iterdir()))


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_a_download_that_the_browsers_end_cuts_leaves_its_name(
    engine: LocalEngine, site: Site, tmp_path: Path, end: str
) -> None:
    """Whoever stops or restores the session tells of it: the step said that it goes on."""
    async with opened(engine, tmp_path, own_browser=True) as session:
        driver = Driver(session, site, tmp_path / "files")
        await driver.open("/downloads.html")
        await driver.js("void (document.querySelector('[href*=slow]').href = '/download/slow.csv?ms=5000')")
        await driver.refused(a.DownloadFile(selector="text=Slow file", timeout_ms=350))
        if end == "crash":
            with suppress(PlaywrightError):
                await session._stage.context.browser.close()  # pyright: ignore[reportOptionalMemberAccess]
            await eventually(lambda: not session.alive)
        else:
            await session.close(deadline_s=2)
        await eventually(lambda: not session._stage.downloads._running)
        assert [mark.name for mark in (tmp_path / COMING).iterdir()] == ["slow.csv"], session._stage.downloads.done
