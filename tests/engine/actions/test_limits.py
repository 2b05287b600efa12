"""What bounds a session from below: its files, what a page is given, and memory."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.engines.local.memory import Memory
from notte_mcp.engines.local.session import LocalSession
from notte_mcp.errors import UploadRefused
from notte_mcp.receipts import Download
from tests.engine.actions.conftest import MakeEngine
from tests.engine.actions.driver import Driver, eventually, opened
from tests.site import Site
from tests.site.downloads import REPORT

pytestmark = pytest.mark.anyio

PAGE_MB = 150
FILLS = """(() => {
  window.kept = [];
  setInterval(() => { for (let i = 0; i < 4; i++) window.kept.push(new Uint8Array(8e6).fill(7)) }, 50);
  return 1;
})()"""


class Disk:
    """A disk that may be short of room."""

    short = ""

    async def shortage(self) -> str:
        return self.short


class Neighbours(NamedTuple):
    """Two sessions in a browser whose pages may hold little."""

    engine: LocalEngine
    one: Driver
    two: Driver


@pytest.fixture(scope="module")
async def neighbours(
    make_engine: MakeEngine, site_server: Site, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Neighbours]:
    engine, folder = make_engine(max_page_mb=PAGE_MB), tmp_path_factory.mktemp("neighbours")
    for name in ("one", "two"):
        (folder / name).mkdir()
    async with opened(engine, folder / "one") as one, opened(engine, folder / "two") as two:
        yield Neighbours(engine, Driver(one, site_server, folder), Driver(two, site_server, folder))
    await engine.close(deadline_s=3)


async def test_what_would_make_a_sessions_files_too_many_or_too_large_is_cut_and_says_why(
    engine: LocalEngine, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P10: bytes of all, their number, and room on the disk, each by its setting's name; what is there stays."""
    disk = Disk()
    bounds = replace(
        engine._options, max_session_files=3, max_session_bytes=140, max_upload_bytes=60, shortage=disk.shortage
    )
    monkeypatch.setattr(engine, "_options", bounds)
    async with opened(engine, tmp_path) as session:
        driver = Driver(session, site, tmp_path / "files")
        await driver.open("/downloads.html")
        report = a.DownloadFile(selector="text=/^Report$/")
        disk.short = "The disk is full."
        assert "The disk is full." in (await driver.refused(report)).message
        disk.short = ""
        await driver.act(report)
        await driver.act(report)
        assert "would have more than 140 (max_session_bytes)" in (await driver.refused(report)).message
        (driver.files / "empty").touch()
        assert "the session has 3 files, and may have 3 (max_session_files)" in (await driver.refused(report)).message
        assert [path.stat().st_size for path in sorted(driver.files.iterdir())] == [0, len(REPORT), len(REPORT)]
        (driver.files / "large").write_bytes(b"x" * 61)
        with pytest.raises(UploadRefused, match=r"at most 60 \(max_upload_bytes\)"):
            await session.check([a.UploadFile(selector="#file", path="large")])


async def test_a_download_of_a_neighbour_does_not_cut_ones_own(engine: LocalEngine, site: Site, tmp_path: Path) -> None:
    """Each has the limit for itself, in one browser: together these two pass it."""
    came: list[tuple[Download, ...]] = []

    async def load(session: LocalSession) -> None:
        driver = Driver(session, site, tmp_path)
        await driver.open("/downloads.html")
        frame = f"document.body.append(Object.assign(document.createElement('iframe'), {{src: '{url}'}}))"
        told = (await driver.act(a.EvaluateJs(code=frame))).downloads  # where the script took as long as that
        assert await session._stage.downloads.one_begun(0, 20)
        assert await session._stage.downloads.finished(20)
        came.append(told + session._stage.downloads.take())

    url = "/download/endless.bin?kb=700&ms=30"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with (
        opened(engine, tmp_path / "one") as one,
        opened(engine, tmp_path / "two") as two,
        anyio.create_task_group() as group,
    ):
        assert len({id(home) for home in engine._homes.values()}) == 1
        group.start_soon(load, one)
        group.start_soon(load, two)
    assert [[got.failure for got in each] for each in came] == [[None], [None]]


async def test_a_page_that_fills_its_memory_is_ended_and_its_session_and_neighbours_live_on(
    neighbours: Neighbours,
) -> None:
    """P10: of two sessions in one browser one fills its memory; it says why its page is gone."""
    bad, good = neighbours.one, neighbours.two
    await good.open("/downloads.html")
    await bad.open("/downloads.html")
    await bad.act(a.EvaluateJs(code=FILLS))
    # Whoever acts in it meanwhile is told as well, and at once.
    cut = await bad.refused(a.WaitFor(value="what never comes", timeout_ms=14_000), timeout_ms=14_000)
    assert "The page was ended, since it held" in cut.message
    (told,) = bad.session.take_events()
    assert "was ended, since it held" in told
    assert "above max_page_mb; its tab was closed" in told
    assert bad.session.alive
    await bad.open("/downloads.html")
    assert (await good.act(a.EvaluateJs(code="1 + 1"))).data == 2
    assert good.session.take_events() == ()


async def test_a_browser_that_holds_too_much_loses_its_largest_page_and_no_other(neighbours: Neighbours) -> None:
    """P10: the sum over all of its processes; the page that holds most of it goes."""
    driver, site = neighbours.one, neighbours.one.site
    await driver.open("/downloads.html")
    await driver.act(a.GotoNewTab(url=site.url("/dialogs.html").replace("127.0.0.1", "localhost")))
    await driver.act(a.EvaluateJs(code="window.kept = new Uint8Array(9e7).fill(7), 1"))
    (home,) = neighbours.engine._browsers.values()
    assert home.process is not None
    memory = Memory(page_mb=10_000, browser_mb=1)
    memory._watched[home.process.pid] = home.process
    # A limit that the browser passes by half of what its largest page holds.
    memory._browser = sum(sizes := _sizes(memory, home.process.pid)) - max(sizes) // 2
    memory._look()
    assert "above max_browser_mb, and it was the largest page" in memory.why(home.process)
    await eventually(lambda: len(driver.session.position.tabs) == 1)
    assert driver.session.position.url == site.url("/downloads.html")
    memory._look()
    assert len(memory._kills) == 1
    driver.session.take_events()


def _sizes(memory: Memory, pid: int) -> list[int]:
    from notte_mcp.engines.local import memory as m

    return [m.held(process) for process in m._below(memory._watched[pid], m._children())]
