"""Where a fault is tried: a state folder of its own, pages to drive, servers as processes, and what they leave.

Below: talk, tests.site, tests.e2e.whole, tests.keeper.kept, tests.stdio.wire. Above: fault, and the files of faults.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import anyio
import psutil

from tests.e2e.whole import whole
from tests.faults.talk import Talk
from tests.keeper.kept import relay
from tests.site import Site
from tests.stdio.wire import Wire

MARK: Final = "NOTTE_FAULTS_MARK"
"""An environment variable by which all processes that a fault began are known, whoever their parent is by now."""

LEAVE_S: Final = 5.0
"""How long what was ended may take to be gone."""


class Grounds:
    """See the module. `folder` is made; `state` does not exist yet."""

    def __init__(self, folder: Path, site: Site, shared: Talk | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.state = folder / "state"
        self.site = site
        self._shared = shared
        self.mark = secrets.token_hex(8)
        self._begun: list[psutil.Process] = []  # a forked one's environment is not to be seen

    @contextmanager
    def server(self, *flags: str, **env: str) -> Generator[Wire]:
        """A server of one process on the state folder, killed at the end."""
        with whole(self.state, *flags, env={**env, MARK: self.mark}) as wire:
            self._note(wire)
            yield wire

    @contextmanager
    def talk(self, *flags: str, **env: str) -> Generator[Talk]:
        """To a server of its own; to the one that goes on where there is such, and it needs no settings of its own."""
        if self._shared is not None and not flags and not env:
            yield self._shared
            return
        with self.server(*flags, **env) as wire:
            yield Talk(wire)

    @contextmanager
    def host(self, *flags: str, **env: str) -> Generator[Wire]:
        """A host's relay to the keeper of the state folder (which is started if there is none), killed at the end."""
        with relay(self.state, *flags, env={**env, MARK: self.mark}) as wire:
            self._note(wire)
            yield wire

    def _note(self, wire: Wire) -> None:
        with suppress(psutil.NoSuchProcess):  # it may have ended at once
            self._begun.append(psutil.Process(wire.process.pid))

    def processes(self) -> list[psutil.Process]:
        """All living processes that were begun from here."""
        found = [one for one in self._begun if one.is_running()]
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and process not in found and process.environ().get(MARK) == self.mark:
                    found.append(process)
        return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]

    async def left(self) -> list[str]:
        """What is left of what was begun here, in words: processes at once, sockets and folders after the next start."""
        found = await self._until_none(self._processes_left)
        if any((self.state / "run").glob("*/")):
            with self.server() as wire:
                wire.modern("tools/call", name="notte_status", arguments={})
                _end(wire)
        return [*found, *await self._until_none(self._files_left)]

    async def _until_none(self, look: Callable[[], list[str]]) -> list[str]:
        until = time.monotonic() + LEAVE_S
        while (found := look()) and time.monotonic() < until:  # noqa: ASYNC110 - the end of another's child is no event
            await anyio.sleep(0.05)
        return found

    def _processes_left(self) -> list[str]:
        found: list[str] = []
        for process in self.processes():
            with suppress(psutil.Error):
                found.append(f"process {process.pid} is left: {' '.join(process.cmdline())[:120]}")
        return found

    def _files_left(self) -> list[str]:
        sockets = [path for path in self.state.rglob("*") if path.is_socket()]
        links = [path for path in Path(tempfile.gettempdir()).glob("nm-*") if self.state in path.resolve().parents]
        left = [*sockets, *links, *(self.state / "run").glob("*/")]
        return [f"{path} is left" for path in left]


def _end(wire: Wire) -> None:
    assert wire.process.stdin is not None
    wire.process.stdin.close()
    wire.process.wait(timeout=LEAVE_S)
