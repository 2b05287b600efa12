"""Memory: how much each page and each browser of ours holds, and the end of those that hold too much.

A page that fills its memory fills the machine's, and takes the other sessions and the user's
programs along. So a thread of its own looks every second, whatever the event loop, the driver
or the page are stuck in, and kills the renderer that is too large: its page is gone, as after
a crash of its own, and the session lives on.

What is counted is what a process holds alone: anonymous and shared-memory pages and what of
them was swapped out (RssAnon + RssShmem + VmSwap of /proc/PID/status). RSS would count
Chromium's own code, some 150 MB, once for each process; USS and PSS are truer, but the kernel
walks all page tables for them, tens of milliseconds for a large process, in which that process
stands still; these are counters (20 us a process). Shared memory may be counted for two
processes. Elsewhere than on Linux it is the RSS.

Below: logs. Above: engine.
"""

import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from notte_mcp.logs import Log

LOOK_S: Final = 1.0
"""Between two looks."""

LOOK_CLOSELY_S: Final = 0.25
"""The same while something is above half of its limit: a page can take a gigabyte in a second."""

TOLD_S: Final = 5.0
"""How long after a kill a crash in that browser is told as its consequence."""

log = Log("local")

_MB: Final = 1_000_000
_COUNTED: Final = (b"RssAnon:", b"RssShmem:", b"VmSwap:")


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that was ended: in which browser, why (a part of a sentence), when (monotonic seconds)."""

    browser: int
    why: str
    at: float


def held(process: psutil.Process) -> int:
    """Bytes that a process holds alone (see the module); 0 where it is gone."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_bytes()
    except OSError:
        return _resident(process)
    counted = [int(line.split()[1]) for line in status.splitlines() if line.startswith(_COUNTED)]
    return sum(counted) * 1024 if counted else 0


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return process.memory_info().rss
    return 0


class Memory:
    """Watches the browsers that are `add`ed, from a thread that runs while there are any. Limits in megabytes."""

    def __init__(self, *, page_mb: int, browser_mb: int) -> None:
        self._page = page_mb * _MB
        self._browser = browser_mb * _MB
        self._lock = threading.Lock()
        self._watched: dict[int, psutil.Process] = {}
        self._kills: list[Kill] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, browser: psutil.Process | None) -> None:
        """Watch a browser from now on; it is forgotten when it is gone."""
        if browser is None:
            return
        with self._lock:
            self._watched[browser.pid] = browser
            if self._thread is None or not self._thread.is_alive():
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stop,), name="memory of browsers", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Watch nothing any more. Idempotent; waits for nothing."""
        with self._lock:
            self._watched.clear()
            self._stop.set()
            self._thread = None

    def why(self, browser: psutil.Process | None) -> str:
        """Why something in this browser is gone, where it was ended here a moment ago; else ""."""
        now = time.monotonic()
        recent = [k for k in self._kills if browser is not None and k.browser == browser.pid and now - k.at < TOLD_S]
        return recent[-1].why if recent else ""

    def _run(self, stop: threading.Event) -> None:
        wait = LOOK_S
        while not stop.wait(wait):
            # No fault in here may end the watch; what goes while it is looked at is an error of psutil's.
            with suppress(psutil.Error, OSError, ValueError):
                wait = LOOK_CLOSELY_S if self._look() else LOOK_S

    def _look(self) -> bool:
        """One look at all browsers; gives whether any of it is above half of its limit."""
        with self._lock:
            for pid in [pid for pid, browser in self._watched.items() if not browser.is_running()]:
                del self._watched[pid]
            watched = list(self._watched.values())
            if not watched:
                # Under the lock, so that who adds one now finds the thread's end decided, and starts another.
                self._stop.set()
                self._thread = None
                return False
        children = _children()
        near = [self._look_at(browser, _below(browser, children)) for browser in watched]
        return any(near)

    def _look_at(self, browser: psutil.Process, tree: list[psutil.Process]) -> bool:
        sizes = {process.pid: held(process) for process in tree}
        close = False
        for process in tree:
            if process is not browser and (size := sizes[process.pid]) > self._page / 2:
                close = True
                if size > self._page and _is_renderer(process):
                    self._end(browser, process, size, f"it held {size // _MB} MB of memory, above max_page_mb")
                    sizes[process.pid] = 0
        total = sum(sizes.values())
        if total > self._browser:
            self._relieve(browser, tree, sizes, total)
        return close or total > self._browser / 2

    def _relieve(self, browser: psutil.Process, tree: list[psutil.Process], sizes: dict[int, int], total: int) -> None:
        """End the largest renderer; where not even all of them are what makes it too large, the browser."""
        renderers = [p for p in tree if p is not browser and sizes[p.pid] and _is_renderer(p)]
        why = f"its browser held {total // _MB} MB of memory, above max_browser_mb"
        if renderers and total - sum(sizes[p.pid] for p in renderers) <= self._browser:
            largest = max(renderers, key=lambda process: sizes[process.pid])
            self._end(browser, largest, sizes[largest.pid], f"{why}, and it was the largest page")
        else:
            self._end(browser, browser, total, why)

    def _end(self, browser: psutil.Process, process: psutil.Process, size: int, why: str) -> None:
        # Noted first: the crash may be told before the next line here runs.
        self._kills = [*self._kills[-9:], Kill(browser.pid, why, time.monotonic())]
        process.kill()
        log.warning("memory.ended", pid=process.pid, bytes=size, why=why)


def _children() -> dict[int, list[psutil.Process]]:
    """The processes of the machine by their parent's number: one pass for all browsers."""
    found: dict[int, list[psutil.Process]] = defaultdict(list)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found[process.ppid()].append(process)
    return found


def _below(browser: psutil.Process, children: dict[int, list[psutil.Process]]) -> list[psutil.Process]:
    """A browser and everything below it."""
    tree = [browser]
    for process in tree:  # grows while it is gone through
        tree += children.get(process.pid, [])
    return tree


def _is_renderer(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "--type=renderer" in process.cmdline()
    return False
