import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.stdio.wire import Wire, environment, send_signals, server

# A machine that runs more than it has processors for is slower by that much.
SLOWNESS = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))

LIMIT_S = 2.0 * SLOWNESS
"""Promise P5: the process is gone within 2 s after whatever ends it."""


@pytest.fixture(params=["idle", "opened"])
def busy(request: pytest.FixtureRequest) -> bool:
    """Whether the App was opened before the end."""
    return request.param == "opened"


def begin(wire: Wire, *, busy: bool) -> None:
    wire.modern("tools/list")
    if busy:
        wire.open_app()


def nothing_is_left(state: Path) -> None:
    """Ours: no lock or temporary folder of the ended server."""
    run = state / "run"
    assert not run.exists() or list(run.iterdir()) == []


def test_the_end_of_input_ends_the_server(tmp_path: Path, busy: bool) -> None:
    """P5; the protocol's own way to say goodbye."""
    with server(tmp_path / "state") as wire:
        begin(wire, busy=busy)
        wire.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        code, seconds = wire.end()
        errors = wire.errors()

    assert (code, errors) == (0, "")
    assert seconds < LIMIT_S
    nothing_is_left(tmp_path / "state")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server(tmp_path: Path, busy: bool, number: signal.Signals) -> None:
    """P5; the SDK alone dies uncleaned on one and hangs on the other."""
    with server(tmp_path / "state") as wire:
        begin(wire, busy=busy)
        wire.process.send_signal(number)
        code, seconds = wire.end()
        errors = wire.errors()

    assert (code, errors) == (0, "")
    assert seconds < LIMIT_S
    nothing_is_left(tmp_path / "state")


def test_a_second_signal_does_not_break_the_drain(tmp_path: Path, busy: bool) -> None:
    """Claude Code sends SIGINT, 0.1 s later SIGTERM, and 0.5 s later SIGKILL."""
    with server(tmp_path / "state") as wire:
        begin(wire, busy=busy)
        begun = time.monotonic()
        send_signals(wire.process, signal.SIGINT, signal.SIGTERM, apart_s=0.1)
        code, _ = wire.end()
        seconds = time.monotonic() - begun

    assert code == 0
    assert seconds < 0.6 * SLOWNESS
    nothing_is_left(tmp_path / "state")


def test_a_closed_stdout_ends_the_server(tmp_path: Path, busy: bool) -> None:
    """P5; the SDK alone is still there after 12 s."""
    with server(tmp_path / "state") as wire:
        begin(wire, busy=busy)
        wire.process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]
        code, seconds = wire.end()

    assert code == 0
    assert seconds < LIMIT_S
    nothing_is_left(tmp_path / "state")


def test_a_signal_while_the_server_is_still_starting_ends_it(tmp_path: Path) -> None:
    """Ours: a host that gives up early is obeyed, with no traceback on the way."""
    with server(tmp_path / "state", is_forked=False) as wire:
        _wait_until_python_runs_us(wire.process.pid)
        wire.process.send_signal(signal.SIGTERM)
        code, seconds = wire.end()

    assert code in (0, -signal.SIGTERM)
    assert seconds < LIMIT_S


PARENT = """
import os, subprocess, sys, time
state, keep = sys.argv[1], int(sys.argv[2])
child = subprocess.Popen([sys.executable, "-m", "notte_mcp", "--in-process", "--state-dir", state], stdin=keep, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_dead_parent_ends_the_server_though_its_pipe_is_held_open(tmp_path: Path) -> None:
    """P5; a third process that holds the pipe keeps EOF from ever coming."""
    read_end, write_end = os.pipe()
    command = [sys.executable, "-c", PARENT, str(tmp_path / "state"), str(read_end)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[read_end], env=environment())
    try:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        _wait_until_serving(child)
        parent.kill()
        parent.wait()
        _, alive = psutil.wait_procs([child], timeout=LIMIT_S)
        for process in alive:
            process.kill()
    finally:
        parent.kill()
        parent.wait()
        assert parent.stdout is not None
        parent.stdout.close()
        os.close(read_end)
        os.close(write_end)

    assert alive == []


def _wait_until_serving(process: psutil.Process) -> None:
    """Until the reader of stdin has its thread: serving has begun then, and the parent is being watched."""
    _poll(lambda: process.num_threads() > 1)


def _wait_until_python_runs_us(pid: int) -> None:
    process = psutil.Process(pid)
    _poll(lambda: any("pydantic_core" in one.path for one in process.memory_maps()))


def _poll(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)
