"""A process that is spoken to by JSON lines: the server as a host speaks to it, or a floor to compare it with.

Raw JSON-RPC and no client library, so that only the server is measured. Every request
is bounded in time; the process and whatever it started are gone when the block is left.

Below: nothing of the package. Above: host and the rows.
"""

import json
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any, Final

import anyio
import psutil
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

ROOT: Final = Path(__file__).parents[1]

ASK_S: Final = 60.0
"""How long an answer may take: hosts give up after about a minute."""

LEAVE_S: Final = 5.0
"""How long a process may take to end after its stdin is closed."""

MAX_LINE: Final = 64_000_000


class BenchmarkFailed(Exception):
    """What was to be measured did not happen; the text is the reason."""


class Wire:
    """One process. Several requests may be under way at once."""

    def __init__(self, process: Process, errors: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.pid = process.pid
        self._errors = errors
        self._stdin = process.stdin
        self._stdout = BufferedByteReceiveStream(process.stdout)
        self._asked = 0
        self._waiting: dict[int, anyio.Event] = {}
        self._answers: dict[int, dict[str, Any]] = {}

    async def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """The result of a request.

        Raises:
            BenchmarkFailed: an error came, or nothing within 60 s, or the process ended.
        """
        self._asked += 1
        number = self._asked
        self._waiting[number] = come = anyio.Event()
        await self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params or {})})
        with anyio.move_on_after(ASK_S):
            await come.wait()
        answer = self._answers.pop(number, {"error": "no answer"})
        if "error" in answer:
            raise BenchmarkFailed(f"{method}: {answer['error']}{self.last_words()}")
        return answer["result"]

    async def tell(self, method: str) -> None:
        """Send a notification."""
        await self._send({"jsonrpc": "2.0", "method": method})

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._stdin.send(json.dumps(message).encode() + b"\n")

    async def read(self) -> None:
        """Hand each answer to who waits for it, until the process ends."""
        with suppress(anyio.EndOfStream, anyio.IncompleteRead, anyio.ClosedResourceError):
            while True:
                line = json.loads(await self._stdout.receive_until(b"\n", MAX_LINE))
                if (come := self._waiting.pop(line.get("id"), None)) is not None:
                    self._answers[line["id"]] = line
                    come.set()
        for come in self._waiting.values():
            come.set()

    def last_words(self) -> str:
        """The end of what the process said on stderr."""
        self._errors.seek(0)
        return "".join(f" | {line}" for line in self._errors.read().decode(errors="replace").splitlines()[-4:])

    def memory_mb(self) -> float:
        """Memory of the whole tree in MB: proportional shares where the system tells them, else resident sizes."""
        tree = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        return sum(map(_bytes_of, tree)) / 1e6

    def cpu_ms(self) -> float:
        """CPU time of the whole tree as it lives now, in ms."""
        spent = 0.0
        for process in [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]:
            with suppress(psutil.Error):
                times = process.cpu_times()
                spent += times.user + times.system
        return spent * 1_000


@asynccontextmanager
async def wire(command: Sequence[str], settings: Mapping[str, str] | None = None) -> AsyncGenerator[Wire]:
    """Start a process with these variables added to its environment; end it and all its children."""
    with tempfile.TemporaryFile() as errors:
        env = {**os.environ, **(settings or {})}
        process = await anyio.open_process(command, stdin=PIPE, stdout=PIPE, stderr=errors, cwd=ROOT, env=env)
        line = Wire(process, errors)
        async with anyio.create_task_group() as group:
            group.start_soon(line.read)
            try:
                yield line
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)
                group.cancel_scope.cancel()


def python(*arguments: str) -> list[str]:
    """The command that runs this Python."""
    return [sys.executable, *arguments]


async def _end(process: Process) -> None:
    started = _tree(process.pid)
    if process.stdin is not None:
        with suppress(OSError, anyio.BrokenResourceError):
            await process.stdin.aclose()
    with anyio.move_on_after(LEAVE_S):
        await process.wait()
    for one in started:
        with suppress(psutil.Error):
            one.kill()
    await process.aclose()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _bytes_of(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0
