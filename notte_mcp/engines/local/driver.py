"""Playwright's driver: the Node process that holds every browser of this server, started, watched and ended.

Its end is told by its process, since Playwright goes on to call its browsers connected. On Linux it dies with this
server, and the browsers with it: by itself it waits for a browser that has been stopped for half a minute.

Below: `launch`, errors. Above: `engine`.
"""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self, cast

import anyio
import anyio.to_thread
import psutil
from playwright.async_api import Playwright, async_playwright

from notte_mcp.engines.local.launch import children_of, end_tree, first_line
from notte_mcp.errors import BrowserLaunchFailed
from notte_mcp.processes import let_go

_LOOK_S: Final = 0.5
"""How often its process is looked at where the system does not tell of its end."""

_NODE: Final = "PLAYWRIGHT_NODEJS_PATH"
_COMPILED: Final = "NODE_COMPILE_CACHE"


class Driver:
    """See the module. Made by `start`; `process` is None where it could not be found."""

    def __init__(self, playwright: Playwright, process: psutil.Process | None, ended: Callable[[], None]) -> None:
        self.playwright = playwright
        self.process = process
        self._ended = ended
        self._watching: Callable[[], object] = lambda: None
        self._inner: object = None

    @classmethod
    async def start(cls, folder: Path, *, cache: Path | None, ended: Callable[[], None]) -> Self:
        """Start it with its temporary files in `folder`, and its compiled code in `cache`, unless the environment
        names another folder for it. `ended` is called on the event loop when its process ends without `close`.

        Raises:
            BrowserLaunchFailed.
        """
        before = [p.pid for p in children_of(os.getpid())]
        variables = {"TMPDIR": str(folder)}
        if cache and _COMPILED not in os.environ:
            await anyio.to_thread.run_sync(_make_private, cache)
            variables[_COMPILED] = str(cache)
        if (node := await anyio.to_thread.run_sync(_bound, folder)) is not None:
            variables[_NODE] = str(node)
        try:
            with _environment(**variables):
                manager = async_playwright()
                playwright = await manager.start()
        except BaseException as error:
            for left in children_of(os.getpid(), before):
                end_tree(left)
            if not isinstance(error, Exception):
                raise
            raise BrowserLaunchFailed(
                f"Playwright's driver did not start: {first_line(error)}.",
                next_call="notte_start again; `notte-mcp doctor` looks for the reason",
            ) from error
        started = children_of(os.getpid(), before)
        driver = cls(playwright, started[-1] if started else None, ended)
        driver._watch()
        transport = getattr(getattr(manager, "_client", None), "_transport", None)
        driver._inner = getattr(transport, "_proc", None)
        _hear_end(transport)
        return driver

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        try:
            return self.process is None or self.process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def children(self, known: Sequence[psutil.Process] = ()) -> list[psutil.Process]:
        """What it has started and what lives, but for what is known."""
        return children_of(self.process.pid, [one.pid for one in known]) if self.process is not None else []

    def end_children(self, known: Sequence[psutil.Process]) -> None:
        """End what it has started, but for what is known."""
        for child in self.children(known):
            end_tree(child)

    def _watch(self) -> None:
        if self.process is None:
            return
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.pidfd_open(self.process.pid)
        except (AttributeError, OSError):  # another system, or an older kernel
            self._watching = loop.call_later(_LOOK_S, self._look).cancel
            return

        def forget() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)

        loop.add_reader(descriptor, self._gone)
        self._watching = forget

    def _look(self) -> None:
        self._watching = lambda: None
        if self.alive:
            self._watching = asyncio.get_running_loop().call_later(_LOOK_S, self._look).cancel
        else:
            self._gone()

    def _gone(self) -> None:
        self._unwatch()
        self._ended()

    def _unwatch(self) -> None:
        watching, self._watching = self._watching, lambda: None
        watching()

    async def close(self, *, deadline_s: float) -> None:
        """End it. Never raises."""
        self._unwatch()
        with anyio.move_on_after(deadline_s), suppress(Exception):
            await self.playwright.stop()
        await anyio.to_thread.run_sync(end_tree, self.process)
        await let_go(self._inner)


def _hear_end(transport: object) -> None:
    """Hear the error that its connection ends with: nobody else does, and asyncio would log it as never retrieved."""
    ended: object = getattr(transport, "on_error_future", None)
    if isinstance(ended, asyncio.Future):
        cast("asyncio.Future[None]", ended).add_done_callback(lambda it: None if it.cancelled() else it.exception())


def _make_private(cache: Path) -> None:
    # Node would make it open to others. Without it the driver starts more slowly, and no worse.
    with suppress(OSError):
        cache.mkdir(mode=0o700, exist_ok=True)


def _bound(folder: Path) -> Path | None:
    """A script that runs Playwright's Node so that it dies with this process, where the system can.

    The signal is for the end of the thread that starts it, which is the event loop's.
    """
    import playwright

    setpriv = shutil.which("setpriv")
    node = Path(os.environ.get(_NODE) or Path(playwright.__file__).parent / "driver" / "node")
    if setpriv is None or not node.is_file():
        return None
    script = folder / "node"
    script.write_text(f"#!/bin/sh\nexec {setpriv} --pdeathsig KILL -- '{node}' \"$@\"\n", encoding="utf-8")
    script.chmod(stat.S_IRWXU)
    return script


@contextmanager
def _environment(**variables: str) -> Generator[None]:
    """Set environment variables while a process starts that takes its own from ours: the driver offers no other way."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
