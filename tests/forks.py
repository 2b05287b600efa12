"""Processes of ours without the second that their imports take: forked from one that has imported everything.

A server that a test starts is a process of its own all the same, with its own environment, pipes and exit code; what it
does from its first line on is what `python -m` does. Where the start itself is what a test is about, it is not for it.
(Its environment and command line, as the system tells them to others, are those of the process it comes from.)

This module is both ends: `Forked` asks, and `python -m tests.forks FD MODULE...` is asked. It stands on nothing but the
standard library, since another Python that has none of ours may be asked, too.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

ROOT: Final = Path(__file__).parents[1]

IMPORTED: Final = (
    "anyio._backends._asyncio",
    "notte_mcp.api.serving",
    "notte_mcp.app",
    "notte_mcp.cli",
    "notte_mcp.commands",
    "notte_mcp.doctor.commands",
    "notte_mcp.engines.local.engine",
    "notte_mcp.keeper.commands",
    "notte_mcp.keeper.relay",
    "notte_mcp.replaying",
    "notte_mcp.serve.listening",
    "notte_mcp.serve.serving",
    "notte_mcp.stdio",
    "notte_mcp.store.sql",
    "playwright.async_api",
    "rich.logging",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tests.tools.conftest",
)

PIPE: Final = subprocess.PIPE

_REQUEST_BYTES: Final = 150_000
_FDS: Final = 4

_LINES: Final[dict[tuple[str, ...], socket.socket]] = {}
"""To what forks, by the Python and what it has imported."""


class Forked:
    """What `subprocess.Popen([sys.executable, *words], ...)` is, as far as tests use it. `words` begin with `-m` and a
    module, or `-c` and a program. `of`: another Python, and what it has imported."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.DEVNULL,
        stderr: int | IO[Any] | None = None,
        cwd: Path | None = None,
        text: bool = False,
        of: tuple[str, ...] = (sys.executable, *IMPORTED),
    ) -> None:
        with Path(os.devnull).open("r+b") as nothing:
            theirs: list[int] = []
            ours: list[IO[Any] | None] = []
            for number, wanted in enumerate((stdin, stdout, stderr)):
                given, kept = _end(wanted, nothing.fileno(), number, text=text)
                theirs.append(given)
                ours.append(kept)
            told, tell = os.pipe()
            self._told = os.fdopen(told, "rb")
            request = {"words": list(words), "env": dict(env), "cwd": str(cwd or Path.cwd())}
            if of not in _LINES:
                _LINES[of] = _begun(of, env)
            _ask(_LINES[of], request, [*theirs, tell])
            os.close(tell)
            for wanted, given in zip((stdin, stdout, stderr), theirs, strict=True):
                if wanted == subprocess.PIPE:
                    os.close(given)
        self.stdin, self.stdout, self.stderr = ours
        self.pid = int(self._told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended."""
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing happens if it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """As Popen's: its pipes are closed and it is waited for."""
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self.wait()

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            with selectors.DefaultSelector() as ready:
                ready.register(self._told, selectors.EVENT_READ)
                if not ready.select(timeout):
                    return None
            said = self._told.readline()
            self._told.close()
            assert said, "what forks has ended"
            self.returncode = int(said)
        return self.returncode


def _end(wanted: int | IO[Any] | None, nothing: int, number: int, *, text: bool) -> tuple[int, IO[Any] | None]:
    """The descriptor that the process gets, and our end of the pipe where it is one."""
    if wanted == subprocess.PIPE:
        read, write = os.pipe()
        kind = "" if text else "b"
        return (read, os.fdopen(write, f"w{kind}")) if number == 0 else (write, os.fdopen(read, f"r{kind}"))
    if wanted == subprocess.DEVNULL:
        return nothing, None
    if wanted is None:
        return number, None
    return wanted if isinstance(wanted, int) else wanted.fileno(), None


def _ask(line: socket.socket, request: dict[str, Any], fds: list[int]) -> None:
    sent = json.dumps(request).encode()
    assert len(sent) < _REQUEST_BYTES
    socket.send_fds(line, [sent], fds)


def _begun(of: tuple[str, ...], env: Mapping[str, str]) -> socket.socket:
    """The line to the process that forks, which is started for the first who asks and ends with us. One of another Python
    has nothing of our environment, but what it is asked with first."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    python, *imported = of
    environ = {**os.environ, "PYTHONWARNINGS": "error"} if python == sys.executable else dict(env)
    environ["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen(
        [python, "-m", "tests.forks", str(there.fileno()), *imported],
        pass_fds=[there.fileno()],
        stdin=subprocess.DEVNULL,
        env=environ,
    )
    there.close()

    def end() -> None:
        here.close()
        process.wait()

    atexit.register(end)
    return here


# --- what is asked ----------------------------------------------------------------


def _serve(line: socket.socket) -> Callable[[], None] | None:
    """Fork whatever is asked for until nobody is there to ask. Gives what is to be run, in a process that was forked."""
    with selectors.DefaultSelector() as ready:
        ready.register(line, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is not line:
                    ready.unregister(key.fd)
                    _tell_end(key.fd, *key.data)
                    continue
                request, fds, _, _ = socket.recv_fds(line, _REQUEST_BYTES, _FDS)
                if not request:
                    return None
                if (pid := os.fork()) == 0:
                    return functools.partial(_be, json.loads(request), fds)
                for fd in fds[:-1]:
                    os.close(fd)
                _say(fds[-1], pid)
                ready.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, fds[-1]))


def _tell_end(pidfd: int, pid: int, tell: int) -> None:
    _, status = os.waitpid(pid, 0)
    _say(tell, os.waitstatus_to_exitcode(status))
    os.close(tell)
    os.close(pidfd)


def _say(tell: int, number: int) -> None:
    with suppress(BrokenPipeError):
        os.write(tell, b"%d\n" % number)


def _be(request: dict[str, Any], fds: list[int]) -> None:
    """Be what was asked for, with nothing open but what it was given."""
    for number, fd in enumerate(fds[:-1]):
        os.dup2(fd, number)
    for fd in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if fd > 2:
            with suppress(OSError):  # the listing's own
                os.close(fd)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    kind, what, *rest = request["words"]
    sys.argv = [what if kind == "-m" else kind, *rest]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a program of a test


def main() -> None:
    """See the module."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what a child's collector does not touch is not copied for it
    line = socket.socket(fileno=int(sys.argv[1]))
    be = _serve(line)
    line.detach()
    if be is not None:
        be()


if __name__ == "__main__":
    main()
