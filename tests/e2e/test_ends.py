"""What is left when a session ends, or a server whose browser does not run. (A killed server: `test_restart`.)"""

import time
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from tests.e2e.whole import below, browsers_below, call, facts, gone, whole
from tests.site import Site
from tests.stdio.wire import Wire

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Generator[Wire]:
    """A server that is not killed, with no session between two tests."""
    with whole(tmp_path_factory.mktemp("lasting") / "state") as wire:
        yield wire


async def test_a_stopped_browser_dies_with_a_killed_server(tmp_path: Path, site: Site) -> None:
    """P4: a browser that does not run cannot notice its pipe's end; the parent-death signal ends it all the same."""
    with whole(tmp_path / "state") as wire:
        facts(wire, "notte_start", url=site.url("/form.html"))
        main = browsers_below(wire.process.pid)
        for browser in main:
            browser.suspend()
        processes = below(wire.process.pid)
        for process in [psutil.Process(wire.process.pid), *(p for p in processes if p not in main)]:
            process.kill()
        await gone(main, within_s=3)


async def test_stop_is_done_within_four_seconds_when_the_browser_does_not_run(lasting: Wire, site: Site) -> None:
    """P4: a graceful close of a suspended browser takes half a minute; ours does not wait for it."""
    session = facts(lasting, "notte_start", url=site.url("/form.html"))["session_id"]
    processes = browsers_below(lasting.process.pid)
    for browser in processes:
        browser.suspend()
    begun = time.monotonic()
    stopped = facts(lasting, "notte_stop", id=session)
    seconds = time.monotonic() - begun
    assert stopped["state"] == "stopped"
    assert seconds < 4.2
    await gone(processes, within_s=1)


async def test_a_session_that_is_stopped_leaves_no_process_of_its_own(lasting: Wire, site: Site) -> None:
    """P4: the browser ends with its last session, while the server lives on."""
    first = facts(lasting, "notte_start", url=site.url("/form.html"))["session_id"]
    second = facts(lasting, "notte_start", url=site.url("/form.html"))["session_id"]
    assert len(browsers_below(lasting.process.pid)) == 1
    facts(lasting, "notte_stop", id=first)
    assert len(browsers_below(lasting.process.pid)) == 1
    processes = browsers_below(lasting.process.pid)
    facts(lasting, "notte_stop", id=second)
    await gone(processes, within_s=1)
    assert call(lasting, "notte_observe").get("isError")
