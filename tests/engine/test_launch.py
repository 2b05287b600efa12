"""How Chromium is started: what Playwright turns off stays off, and no tab brings a process of the browser's own."""

import psutil
import pytest

from tests.engine.eyes import Eye

pytestmark = pytest.mark.anyio

OFF = "--disable-features="


def chromiums() -> list[list[str]]:
    """The command lines of all of our browsers' processes."""
    found: list[list[str]] = []
    for process in psutil.Process().children(recursive=True):
        try:
            found.append(process.cmdline())
        except psutil.Error:
            continue
    return [line for line in found if line and "chrom" in line[0]]


async def test_what_playwright_turns_off_stays_off(eye: Eye) -> None:
    """Chromium heeds the last of several lists only, and ours comes last."""
    await eye.go("/form.html")
    browsers = [line for line in chromiums() if sum(given.startswith(OFF) for given in line) > 1]
    assert browsers
    for line in browsers:
        theirs, ours = (set(given.removeprefix(OFF).split(",")) for given in line if given.startswith(OFF))
        assert theirs < ours


async def test_a_tab_brings_no_page_of_the_browsers_own(eye: Eye) -> None:
    """Measured: a hidden page for the address bar's suggestions cost more than the tab itself."""
    await eye.go("/form.html")
    await eye.look()
    assert not [line for line in chromiums() if "--top-chrome-webui" in line]
