"""The server as a process, spoken to line by line: what no client library would let a test send or see."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryFile
from typing import Any

from tests.forks import Forked

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
}
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "wire", "version": "1"},
}
START_S = 30.0
"""How long a start may take on a busy machine; the tests' own limits are about ends."""


class Wire:
    """A running server and its three pipes."""

    def __init__(self, process: subprocess.Popen[bytes] | Forked) -> None:
        self.process = process
        self._number = 0

    def send(self, line: str | dict[str, Any]) -> None:
        assert self.process.stdin is not None
        text = line if isinstance(line, str) else json.dumps(line)
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and give its answer; what comes before it must be protocol too."""
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        while True:
            message = self.line()
            if message.get("id") == self._number:
                return message

    def line(self) -> dict[str, Any]:
        """The next message. Whatever is on stdout has to be one."""
        assert self.process.stdout is not None
        raw = self.process.stdout.readline()
        assert raw, f"the server closed stdout; stderr: {self.errors()}"
        message: dict[str, Any] = json.loads(raw)
        assert message["jsonrpc"] == "2.0"
        return message

    def modern(self, method: str, **params: Any) -> dict[str, Any]:
        return self.request(method, {**params, "_meta": ENVELOPE})

    def handshake(self) -> dict[str, Any]:
        answer = self.request("initialize", INITIALIZE)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def open_app(self) -> None:
        """Make the first tool call, so that there is something to close."""
        answer = self.modern("tools/call", name="notte_status", arguments={})
        assert answer["result"]["structuredContent"]["sessions"] == []

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def end(self) -> tuple[int, float]:
        """(exit code, seconds from now until it is gone)."""
        begun = time.monotonic()
        code = self.process.wait(timeout=10)
        return code, time.monotonic() - begun

    def rest(self) -> list[dict[str, Any]]:
        """What was still on stdout."""
        assert self.process.stdout is not None
        return [json.loads(line) for line in self.process.stdout.read().splitlines()]


@contextmanager
def server(state: Path, *flags: str, env: Mapping[str, str] | None = None, is_forked: bool = True) -> Generator[Wire]:
    """The real server as a process of its own, gone at the end whatever happens."""
    words = ("-m", "notte_mcp", "--in-process", "--state-dir", str(state), *flags)
    with process_of(*words, env=env, is_forked=is_forked) as wire:
        yield wire


@contextmanager
def spawned(*flags: str, env: Mapping[str, str] | None = None) -> Generator[Wire]:
    """The command line as a host runs it, killed at the end."""
    with process_of("-m", "notte_mcp", *flags, env=env) as wire:
        yield wire


@contextmanager
def process_of(*arguments: str, env: Mapping[str, str] | None = None, is_forked: bool = True) -> Generator[Wire]:
    """This Python with these arguments, killed at the end; begun anew where the beginning matters."""
    given = {**environment(), **(env or {})}
    if is_forked:
        process = Forked(arguments, env=given, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    else:
        process = subprocess.Popen([sys.executable, *arguments], env=given, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        yield Wire(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                _close(pipe)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "error"}


def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    words, given = ["-m", "notte_mcp", *arguments], {**environment(), **(env or {})}
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        if given["PYTHONPATH"] == environment()["PYTHONPATH"]:
            process = Forked(words, env=given, stdout=out, stderr=err)
        else:  # it finds other modules, and has to look for them
            process = subprocess.Popen([sys.executable, *words], env=given, stdin=DEVNULL, stdout=out, stderr=err)
        try:
            code = process.wait(timeout=START_S)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, code, out.read(), err.read())


def send_signals(process: subprocess.Popen[bytes] | Forked, *signals: signal.Signals, apart_s: float) -> None:
    """One signal after the other, as a host sends them that loses patience."""
    for number, each in enumerate(signals):
        if number:
            time.sleep(apart_s)
        process.send_signal(each)


def _close(pipe: Any) -> None:
    with suppress(BrokenPipeError):
        pipe.close()
