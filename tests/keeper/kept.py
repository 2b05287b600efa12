"""Relays and their keeper as processes, on a state folder of the test's own."""

import json
import os
import signal
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import psutil

from notte_mcp.keeper.link import greeting
from notte_mcp.keeper.relay import hello
from tests.stdio.wire import Wire, run, spawned

KEY = "sk-canary-1234"
FLAGS = ("--no-sandbox",) if os.geteuid() == 0 else ()


@contextmanager
def relay(state: Path, *flags: str, env: Mapping[str, str] | None = None) -> Generator[Wire]:
    """A relay as a host runs it: killed at the end, which is nothing to the keeper."""
    with spawned("--state-dir", str(state), *FLAGS, *flags, env=env) as wire:
        yield wire


def pid_of(state: Path) -> int:
    """The process that was a keeper of this folder last."""
    return int((state / "keeper" / "life.lock").read_text(encoding="ascii"))


def kill(state: Path) -> None:
    """End the keeper as nothing can be prepared for, and wait until it is gone."""
    keeper = psutil.Process(pid_of(state))
    keeper.send_signal(signal.SIGKILL)
    psutil.wait_procs([keeper], timeout=10)


def keepers(state: Path) -> list[psutil.Process]:
    """Every process that is a keeper of this folder."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "notte_mcp.keeper" in (words := process.cmdline()) and f"--state-dir={state}" in words:
                found.append(process)
    return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]


def command(state: Path, what: str) -> str:
    """What `notte-mcp keeper status` or `stop` says."""
    done = run("--state-dir", str(state), "keeper", what)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


async def until_gone(state: Path, *, within_s: float = 15) -> None:
    """Wait until no keeper of this folder lives."""
    with anyio.fail_after(within_s):
        while keepers(state):  # noqa: ASYNC110 - the end of a process that is nobody's child is no event of ours
            await anyio.sleep(0.05)


class Raw:
    """A connection to the keeper's socket, spoken to in bytes."""

    def __init__(self, state: Path) -> None:
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._wire.settimeout(20)
        folder = os.open(state / "keeper", os.O_RDONLY)
        try:
            self._wire.connect(f"/proc/self/fd/{folder}/socket")  # a long path's short name
        finally:
            os.close(folder)
        self._file = self._wire.makefile("rb")

    def send(self, octets: bytes) -> None:
        self._wire.sendall(octets)

    def line(self) -> bytes:
        """The next line; nothing once the keeper has closed."""
        with suppress(ConnectionError):
            return self._file.readline()
        return b""

    def answer(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(self.line())
        return message

    def greet(self, state: Path, **values: str) -> str:
        """Say who one is, as a relay of this test does; gives the answer."""
        flags = {"state_dir": str(state), **({"no_sandbox": "true"} if FLAGS else {})}
        self.send(greeting({**hello(flags, dict(os.environ), str(state)), **values}))
        return self.line().decode().strip()

    def close(self) -> None:
        self._file.close()
        self._wire.close()


@contextmanager
def raw(state: Path) -> Generator[Raw]:
    """A connection of one's own."""
    connection = Raw(state)
    try:
        yield connection
    finally:
        connection.close()
