"""Pages that hold too much: giant strings, nodes, memory, threads, answers that unpack to a gigabyte, downloads for ever.

The machine must not swap, so pages get little memory here. Below: pages, ward. Above: table.
"""

from pathlib import Path
from typing import Final

import anyio
import psutil

from tests.e2e.whole import browsers_below
from tests.faults.fault import Counts, Fault
from tests.faults.pages import LOOK_S, MORE_S, on
from tests.faults.ward import Ward

PAGE_MB: Final = 400
GIANT_PAGE_MB: Final = 1_500
SERVER_MB: Final = 50
MAX_DOWNLOAD_BYTES: Final = 2_000_000

GIANTS: Final = ("Giant title", "Giant text", "Giant attribute", "Many nodes")


async def _giant(here: Ward, number: int) -> None:
    """What is giant is not taken into the server, and a look at it is bounded."""
    await _too_much(here, GIANTS[number % len(GIANTS)])


async def _console(here: Ward, _number: int) -> None:
    """Chromium takes each line to its main thread, listened to or not: what shares the browser waits while it lasts."""
    await _too_much(here, "Console")


async def _too_much(here: Ward, name: str) -> None:
    before = _rss(here.pid)
    done = await here.click(name, timeout_ms=15_000)
    here.tally.expect(done.seconds < 15 + MORE_S + LOOK_S, f"{name}: {done.seconds:.1f} s")
    seen = await here.observe()
    here.tally.most("looked s at most", round(seen.seconds, 1))
    here.tally.expect(seen.seconds < LOOK_S + MORE_S, f"{name}: a look took {seen.seconds:.1f} s")
    here.tally.expect(len(seen.text) < 20_000, f"{name}: a look of {len(seen.text)} characters")
    told = seen.is_error or "Popups" in seen.text or "max_page_mb" in seen.text
    here.tally.expect(told, f"{name}: neither the page nor an error: {seen.text[:300]}")
    if seen.is_error:
        here.tally.note(f"{name} not seen")
    more = (_rss(here.pid) - before) / 1_000_000
    here.tally.most("server MB more at most", round(more))
    here.tally.expect(more < SERVER_MB, f"{name}: the server holds {more:.0f} MB more")


def _rss(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


async def _ended(here: Ward, what: str) -> None:
    """The page is ended for its memory, and that is said."""
    most, said = 0.0, ""
    with anyio.move_on_after(30):
        while "memory" not in said:
            seen = await here.observe()
            said = seen.text
            held = [_held(browser) for browser in browsers_below(here.pid)]
            most = max([most, *held])
            await anyio.sleep(0.2)
    here.tally.most("browser MB at most", round(most / 1_000_000))
    here.tally.expect("memory" in said, f"{what}: its end is not told: {said[:300]}")


def _held(browser: psutil.Process) -> int:
    total = 0
    for one in [browser, *browser.children(recursive=True)]:
        try:
            total += int(one.memory_info().rss - one.memory_info().shared)
        except psutil.Error:
            continue
    return total


async def _heap(here: Ward, _number: int) -> None:
    await here.click("Memory", timeout_ms=3_000)
    await _ended(here, "heap bomb")


async def _gzip(here: Ward, _number: int) -> None:
    went = await here.goto("/gzip-bomb", timeout_ms=20_000)
    here.tally.expect(went.seconds < 20 + MORE_S + LOOK_S, f"gzip bomb: {went.seconds:.1f} s")
    if "memory" not in went.text:
        await _ended(here, "gzip bomb")


async def _download(here: Ward, number: int) -> None:
    """Endless ones are cut, and names that lead elsewhere do not."""
    files = here.grounds.state / "sessions" / here.sick / "files"
    match number % 4:
        case 0:
            await _cut(here)
        case 1:
            await here.goto("/download/evil", timeout_ms=3_000)
        case 2:
            await here.goto("/download/empty.txt", timeout_ms=3_000)
        case _:
            await here.goto("/wild.html")
            await here.click("Blob download")
            await here.click("Data download")
    if number % 4:
        with anyio.move_on_after(5):
            while not (files.is_dir() and any(files.iterdir())):  # noqa: ASYNC110 - the server's own file
                await anyio.sleep(0.1)
        kept = sorted(path.name for path in files.iterdir()) if files.is_dir() else []
        here.tally.expect(kept, "what was downloaded is not there")
        out = [path for path in here.grounds.folder.rglob("*evil*") if path.parent.name != "files"]
        here.tally.expect(not out, f"a download got out: {out}")
    here.tally.expect(_size(files) <= MAX_DOWNLOAD_BYTES, f"{_size(files)} bytes are kept")


async def _cut(here: Ward) -> None:
    most, before, said = 0, _size(here.grounds.state), ""

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, _size(here.grounds.state) - before)
            await anyio.sleep(0.05)

    async with anyio.create_task_group() as watching:
        watching.start_soon(watch)
        said = (await here.goto("/download/endless.bin?kb=200000&ms=1", timeout_ms=10_000)).text
        with anyio.move_on_after(20):
            while "larger than" not in said:
                said = (await here.act({"type": "wait", "time_ms": 200})).text
        watching.cancel_scope.cancel()
    here.tally.most("MB on disk at most", round(most / 1_000_000))
    here.tally.expect("larger than" in said, f"an endless download is not told of: {said[:300]}")
    here.tally.expect(most < 20 * MAX_DOWNLOAD_BYTES, f"{most} bytes on disk")


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


async def _crowd(here: Ward, number: int) -> None:
    name = "Workers" if number % 2 else "Frames"
    done = await here.click(name, timeout_ms=8_000)
    here.tally.expect(done.seconds < 8 + MORE_S + LOOK_S, f"{name}: {done.seconds:.1f} s")
    seen = await here.observe()
    here.tally.most("looked s at most", round(seen.seconds, 1))
    here.tally.expect(seen.seconds < LOOK_S + MORE_S * 2, f"{name}: a look took {seen.seconds:.1f} s")
    here.tally.expect(seen.is_error or "Popups" in seen.text, f"{name}: {seen.text[:300]}")


FAULTS: Final = (
    Fault(
        name="giant-title",
        promises=("P4", "P6", "P10"),
        does="100 MB of title, text and attribute, 200,000 nodes",
        run=on("/wild.html", _giant, NOTTE_MCP_MAX_PAGE_MB=str(GIANT_PAGE_MB)),
        counts=Counts(gate=0, short=len(GIANTS), full=4 * len(GIANTS)),
        seconds=240,
    ),
    Fault(
        name="console-flood",
        promises=("P4", "P6"),
        does="200,000 lines of console (sessions in the same browser wait for it; status, stop and other browsers do not)",
        run=on("/wild.html", _console, apart=True),
        counts=Counts(gate=0, short=1, full=10),
        seconds=120,
    ),
    Fault(
        name="heap-bomb",
        promises=("P6", "P10"),
        does="a script's memory grows without end",
        run=on("/wild.html", _heap, NOTTE_MCP_MAX_PAGE_MB=str(PAGE_MB)),
        counts=Counts(gate=0, short=2, full=20),
        seconds=120,
    ),
    Fault(
        name="gzip-bomb",
        promises=("P6", "P10"),
        does="1 MB of answer that unpacks to 1 GB of page",
        run=on("/form.html", _gzip, NOTTE_MCP_MAX_PAGE_MB=str(PAGE_MB)),
        counts=Counts(gate=0, short=1, full=10),
        seconds=120,
    ),
    Fault(
        name="endless-download",
        promises=("P4", "P10"),
        does="a download without end, ../ in its name, no bytes, blob: and data:",
        run=on("/form.html", _download, NOTTE_MCP_MAX_DOWNLOAD_BYTES=str(MAX_DOWNLOAD_BYTES)),
        counts=Counts(gate=0, short=4, full=40),
        seconds=120,
    ),
    Fault(
        name="crowds",
        promises=("P4", "P6"),
        does="500 frames, 100 workers that compute",
        run=on("/wild.html", _crowd, NOTTE_MCP_MAX_PAGE_MB=str(GIANT_PAGE_MB)),
        counts=Counts(gate=0, short=2, full=10),
        seconds=150,
    ),
)
"""Faults of what is too much."""
