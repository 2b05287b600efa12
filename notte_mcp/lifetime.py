"""How long things live: what opens at the first call, and how the process ends.

`OnDemand` opens something once, whoever asks first, in a task of its own, so that
an abandoned call neither opens it half nor ends it. `serve_until_left` runs a
server beside a leaver that does not wait for it: the SDK's stdio loop has a thread
in a blocking read that nothing can end, so the process is left by `os._exit` after
a bounded drain. (The loop alone dies uncleaned on SIGTERM and hangs on SIGINT, on
a closed stdout, and when the parent is dead but its pipe is held by another.)

Knows neither MCP nor sessions. Below: logs. Above: server, keeper, commands.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, Generic, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
from anyio.abc import TaskGroup

from notte_mcp.logs import Log

T = TypeVar("T")
log = Log("lifetime")

DRAIN_S: Final = 1.3
"""How long closing may take once the process is to end. A client of the SDK sends SIGTERM after 2 s."""

BACKSTOP_S: Final = 1.6
"""When a thread ends the process whatever the event loop is stuck in."""

POLL_S: Final = 0.2
"""How often the host is looked after: only polling tells of a pipe's closed other end."""

EOF_GRACE_S: Final = 0.2
"""After a hang-up on stdin, lines that are still unread get this long to be read."""


@dataclass(slots=True)
class _Attempt(Generic[T]):
    opened: anyio.Event = field(default_factory=anyio.Event)
    leave: anyio.Event = field(default_factory=anyio.Event)
    closed: anyio.Event = field(default_factory=anyio.Event)
    value: T | None = None
    error: Exception | None = None


class OnDemand(Generic[T]):
    """Something costly that is opened when it is first asked for, once.

    It can be asked for within `running()`.
    """

    def __init__(self, opener: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._opener = opener
        self._group: TaskGroup | None = None
        self._attempt: _Attempt[T] | None = None
        self._closing = anyio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[TaskGroup]:
        """The time in which it may be opened; it is closed at the end.

        Gives the task group it lives in, for other work that outlives a call; that is cancelled at the end.
        """
        self._closing = anyio.Event()
        async with anyio.create_task_group() as self._group:
            try:
                yield self._group
            finally:
                with anyio.CancelScope(shield=True):
                    await self.close()
                self._group.cancel_scope.cancel()
        self._group = None

    @property
    def opened(self) -> T | None:
        """The thing itself if it is open, and None before, after, and while it is being opened."""
        return self._attempt.value if self._attempt is not None and self._attempt.opened.is_set() else None

    async def get(self) -> T:
        """The thing itself, opened if it is not yet. A failure is raised to everyone who waits for that
        attempt; the next caller begins another.

        Raises: whatever opening it raises; RuntimeError when it is being closed.
        """
        while (attempt := self._attempt) is not None and attempt.leave.is_set() and not self._closing.is_set():
            await attempt.closed.wait()
        if attempt is None:
            if self._group is None or self._closing.is_set():
                raise RuntimeError("the server is ending")
            attempt = self._attempt = _Attempt[T]()
            self._group.start_soon(self._hold, attempt)
        await attempt.opened.wait()
        if attempt.value is None:
            raise attempt.error or RuntimeError("the server is ending")
        return attempt.value

    async def close(self) -> None:
        """Close it if it was opened, and open it no more. Returns when it is closed."""
        self._closing.set()
        await self.rest()

    async def rest(self) -> None:
        """Close it if it was opened; whoever asks next opens it anew. Returns when it is closed."""
        if (attempt := self._attempt) is not None:
            attempt.leave.set()
            await attempt.closed.wait()

    async def _hold(self, attempt: _Attempt[T]) -> None:
        """Open, tell, stay until told to close: in one task, since a context manager must be left where it
        was entered. Shielded, since whoever cancels the group must not tear what is open."""
        with anyio.CancelScope(shield=True):
            try:
                async with self._opener() as attempt.value:
                    attempt.opened.set()
                    await attempt.leave.wait()
            except Exception as error:  # handed to whoever waits, or logged where nobody does
                attempt.error = error
                if attempt.opened.is_set():
                    log.exception("app.close_failed")
            finally:
                attempt.value = self._attempt = None
                attempt.opened.set()
                attempt.closed.set()


# --- the end of the process -----------------------------------------------------


async def serve_until_left(
    serve: Callable[[], Awaitable[None]], drain: Callable[[], Awaitable[None]], *, parent: int | None
) -> None:
    """Run `serve` until it ends or the process is to end; then drain, and end the process.

    It is to end on SIGTERM, SIGINT and SIGHUP, at the end of `serve` (EOF on stdin), when stdout or stdin is
    hung up, and when the process `parent` has died; without a parent it has no host, and those are nothing to it. The
    exit code is 0 for all of these, 1 when `serve` failed by itself.
    """
    leave, wires = _Leave(), None if parent is None else _Wires(parent)
    leave.on_signals()
    async with anyio.create_task_group() as group:
        if wires is not None:
            group.start_soon(wires.watch, leave)
        group.start_soon(_run, serve, leave, wires)
        await leave.wanted.wait()
        leave.arm_backstop()
        with anyio.CancelScope(shield=True), anyio.move_on_after(DRAIN_S) as scope:
            await drain()
        log.info("server.left", reason=leave.reason, code=leave.code, drained=not scope.cancelled_caught)
        _exit(leave.code)


async def _run(serve: Callable[[], Awaitable[None]], leave: "_Leave", wires: "_Wires | None") -> None:
    try:
        await serve()
    except Exception:  # a host that went away raises through the transport, and that is no failure
        if not (leave.wanted.is_set() or (wires is not None and wires.lost())):
            log.exception("server.failed")
            leave.code = 1
        leave.now("transport failed")
    else:
        leave.now("end of input" if wires is not None else "its time is over")


_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)


class _Leave:
    """The wish to end the process, wherever it comes from."""

    def __init__(self) -> None:
        self.wanted = anyio.Event()
        self.reason = ""
        self.code = 0
        self._token = anyio.lowlevel.current_token()
        self._armed = False

    def now(self, reason: str) -> None:
        """On the event loop only. The first reason counts."""
        if not self.wanted.is_set():
            self.reason = reason
            self.wanted.set()

    def on_signals(self) -> None:
        """From now on these signals end the process in order; a second one changes nothing."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def arm_backstop(self) -> None:
        """End the process soon even if the event loop never runs again."""
        if not self._armed:
            self._armed = True
            timer = threading.Timer(BACKSTOP_S, _exit, (self.code,))
            timer.daemon = True
            timer.start()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Not through the loop's own signal handlers, which wait for a loop that may be stuck in a long call.
        self.arm_backstop()
        threading.Thread(target=self._tell, args=(signal.Signals(number).name,), daemon=True).start()

    def _tell(self, reason: str) -> None:
        anyio.from_thread.run_sync(self.now, reason, token=self._token)


_LOST: Final = getattr(select, "POLLERR", 0) | getattr(select, "POLLHUP", 0) | getattr(select, "POLLNVAL", 0)


class _Wires:
    """Whether the host is still there: its two pipes, and its process."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        # Duplicates, since the SDK points the standard descriptors elsewhere while it serves.
        self._in, self._out = os.dup(0), os.dup(1)
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            # Asked for no event, poll tells errors and hang-ups alone.
            self._poll.register(self._in, 0)
            self._poll.register(self._out, 0)

    def lost(self) -> str:
        """What is lost, or ""."""
        gone = {fd for fd, event in self._poll.poll(0) if event & _LOST} if self._poll is not None else set[int]()
        if self._out in gone:
            return "stdout closed"
        if os.getppid() != self._parent:
            return "parent died"
        return "stdin closed" if self._in in gone else ""

    async def watch(self, leave: _Leave) -> None:
        """Look every `POLL_S` until something is lost."""
        while not (reason := self.lost()):  # noqa: ASYNC110 - there is no event to wait for: see POLL_S
            await anyio.sleep(POLL_S)
        if reason == "stdin closed":
            await anyio.sleep(EOF_GRACE_S)
        leave.now(reason)


def _exit(code: int) -> None:
    try:
        sys.stderr.flush()
    finally:
        os._exit(code)
