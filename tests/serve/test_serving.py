import json
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import psutil
import pytest

from notte_mcp import commands, logs
from tests.serve.served import ALICE, BOTH, Served, served, session_of, status, text
from tests.serve.test_guard import request
from tests.site import Site
from tests.stdio.wire import ENVELOPE, environment, run
from tests.tools.conftest import FILL_AND_SEND, FORM, SLOW

pytestmark = pytest.mark.anyio

SLOWNESS = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_host_of_either_era_does_the_whole_job(server: Served, mode: str) -> None:
    """The calls of the README, through the SDK's own client."""
    async with server.client(ALICE, mode) as client:
        started = await client.call_tool("notte_start", {"url": FORM})
        session = session_of(started)
        acted = await client.call_tool("notte_execute", {"session_id": session, "actions": FILL_AND_SEND})
        code = await client.call_tool("notte_workflow_code", {"id": session, "target": "playwright"})
        steps = await client.read_resource(f"notte://sessions/{session}/steps")
        stopped = await client.call_tool("notte_stop", {"id": session})

    assert not acted.is_error
    assert "def run" in (code.structured_content or {})["code"]
    assert len(steps.contents) == 1
    assert (stopped.structured_content or {})["state"] == "stopped"


async def test_who_hangs_up_in_the_middle_ends_its_call_and_nothing_else(server: Served) -> None:
    """The agent works in the App's group; the session that a call waited in is free for the next."""
    session = server.call(ALICE, "notte_start", url=SLOW)["structuredContent"]["session_id"]
    agent = server.call(ALICE, "notte_start", url=FORM, task="Send it.", model="slow", max_steps=50)[
        "structuredContent"
    ]["agent_id"]
    begun = server.call(ALICE, "notte_status", id=agent)["structuredContent"]["step_count"]
    waits = {"name": "notte_execute", "arguments": {"session_id": session, "actions": [{"type": "click", "id": "B1"}]}}
    follows = {"name": "notte_status", "arguments": {"id": agent, "wait_seconds": 40, "until": "done"}}
    for call in (waits, follows):
        with server.connected() as wire:
            body = json.dumps(
                {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**call, "_meta": ENVELOPE}}
            ).encode()
            wire.sendall(request(server, body=body, Mcp_Method="tools/call", Mcp_Name=str(call["name"])))
            await anyio.sleep(0.3)  # so that it is in the middle; nothing tells when
    seen = server.call(ALICE, "notte_observe", session_id=session)
    ended = server.call(ALICE, "notte_status", id=agent, wait_seconds=40, until="done")["structuredContent"]

    assert not seen.get("isError"), text(seen)
    assert (ended["state"], ended["answer"]) == ("completed", "It is sent.")
    assert ended["step_count"] > begun


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds_whoever_is_connected(tmp_path: Path, number: signal.Signals) -> None:
    """P5: listeners, waiting calls and half requests are no reason to stay."""
    with served(tmp_path / "state") as one, one.connected() as listening, one.connected() as half:
        one.call(one.token, "notte_start", url=FORM)
        old = {"Mcp_Session_Id": one.begun(one.token), "MCP_Protocol_Version": "2025-11-25", "Mcp_Method": ""}
        listening.sendall(request(one, method="GET", body=b"", Authorization=f"Bearer {one.token}", **old))
        assert b"200 OK" in listening.recv(1_000)
        half.sendall(b"POST /mcp HTTP/1.1\r\n")
        code, seconds = one.end(number)

    assert code == 0
    assert seconds < 2.0 * SLOWNESS
    assert list((tmp_path / "state" / "run").iterdir()) == []


def test_what_is_being_answered_at_the_end_is_answered(tmp_path: Path) -> None:
    """A call that is nearly done gets its time; then nobody is let in."""
    with served(tmp_path / "state") as one:
        token = one.token
        one.call(token, "notte_start", url=FORM)
        pause = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "notte_execute", "arguments": {"actions": [{"type": "wait", "time_ms": 150}]}, "_meta": ENVELOPE}}).encode()  # fmt: skip
        with one.connected() as wire:
            wire.sendall(
                request(
                    one, body=pause, Authorization=f"Bearer {token}", Mcp_Method="tools/call", Mcp_Name="notte_execute"
                )
            )
            wire.settimeout(5)
            until = time.monotonic() + 10
            while time.monotonic() < until:
                told = one.call(token, "notte_status")["structuredContent"]["sessions"][0]
                if told["state"] == "busy" or told["step_count"] > 1:
                    break
            one.process.send_signal(signal.SIGTERM)
            said = b""
            while chunk := wire.recv(65_536):
                said += chunk
        assert one.process.wait(timeout=10) == 0
    assert status(said) == 200
    assert b'"isError":true' not in said.replace(b" ", b"")


def test_the_token_is_made_once_for_its_owner_and_never_said(tmp_path: Path) -> None:
    """What is said is where it lies; `--show-token` says it, and nothing else does."""
    with served(tmp_path / "state", "--allowed-origin", "https://x.example") as one:
        first = one.token
        assert one.post({}, token="wrong-0123456789abcdef").status_code == 401
        deadline = time.monotonic() + 10
        while b"inputs" not in one.stderr:
            assert time.monotonic() < deadline
        said = one.stderr.decode()
    shown = run("--state-dir", str(tmp_path / "state"), "serve", "--show-token")
    with served(tmp_path / "state") as one:
        again = one.token

    assert (again, shown.stdout.strip(), shown.stderr) == (first, first, "")
    assert stat.S_IMODE((tmp_path / "state" / "http-token").stat().st_mode) == 0o600
    assert first not in said
    assert str(tmp_path / "state" / "http-token") in said
    assert "claude mcp add --transport http" in said


@pytest.fixture
def logging_as_it_is(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Keep what is logged, and where to, from what a command sets."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(logs._State, "threshold", logs._State.threshold)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("flags", "env", "said"),
    [
        (["--host", "0.0.0.0"], {}, "NOTTE_MCP_HTTP_TOKEN"),
        (["--host", "::"], {}, "NOTTE_MCP_HTTP_TOKEN"),
        (["--host", "0.0.0.0"], {"NOTTE_MCP_HTTP_TOKEN": ALICE}, "--allowed-host"),
        (["--host", "example.com"], {}, "no address"),
        (["--host", "192.0.2.1", "--allowed-host", "x"], {"NOTTE_MCP_HTTP_TOKEN": ALICE}, "no address of this machine"),
        ([], {"NOTTE_MCP_HTTP_TOKEN": "short"}, "16 characters"),
        ([], {"NOTTE_MCP_HTTP_TOKENS": json.dumps({"../x": ALICE})}, "lower-case"),
        ([], {"NOTTE_MCP_HTTP_TOKENS": json.dumps({"a": ALICE, "b": ALICE})}, "same token"),
        ([], {"NOTTE_MCP_HTTP_TOKENS": ALICE}, "http_tokens"),
    ],
)
def test_what_would_not_be_safe_does_not_start_and_is_told_in_a_sentence(
    tmp_path: Path,
    flags: list[str],
    env: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logging_as_it_is: None,
) -> None:
    """T5: nothing listens beyond loopback without tokens and names from its user; no token is repeated."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("", 0)) as taken:  # what were let through would find its port taken, and not serve
        port = str(taken.getsockname()[1])
        code = commands.run(["--state-dir", str(tmp_path / "state"), "serve", "--port", port, *flags], parent=0)
    told = capsys.readouterr()

    assert code in {1, 2}
    assert said in told.err
    assert (len(told.err.splitlines()), told.out) == (1, "")
    assert ALICE not in told.err


def test_a_port_that_is_taken_and_a_token_that_others_may_read_are_told_so(tmp_path: Path, server: Served) -> None:
    """One sentence each, and the exit code."""
    taken = run("--state-dir", str(tmp_path / "state"), "serve", "--port", str(server.port))
    (tmp_path / "state" / "http-token").chmod(0o644)
    seen = run("--state-dir", str(tmp_path / "state"), "serve", "--port", "0")

    assert (taken.returncode, len(taken.stderr.splitlines())) == (1, 1)
    assert "is taken" in taken.stderr
    assert (seen.returncode, "not yours alone" in seen.stderr) == (1, True)


def test_leftovers_of_a_killed_server_are_ended_at_the_next_start_of_it(tmp_path: Path) -> None:
    """Of every principal, before anybody asks for what is his."""
    folder = tmp_path / "state" / "principals" / "alice"
    with served(tmp_path / "state", env=BOTH) as one:
        one.call(ALICE, "notte_start", url=FORM)
        (run_dir,) = [path for path in (folder / "run").iterdir() if path.is_dir()]
        tmp = run_dir / "left"
        tmp.mkdir()
        left = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**environment(), "TMPDIR": str(tmp)}
        )
        one.process.kill()
        one.process.wait()
    try:
        with served(tmp_path / "state", env=BOTH) as one:
            assert left.wait(timeout=20) == -signal.SIGKILL
            deadline = time.monotonic() + 10
            while run_dir.exists():
                assert time.monotonic() < deadline
            found = one.call(ALICE, "notte_status")["structuredContent"]["sessions"]
    finally:
        left.kill()
        assert left.stdin is not None
        left.stdin.close()
        left.wait()

    assert [session["state"] for session in found] == ["interrupted"]


async def test_a_real_browser_over_http_from_start_to_stop(tmp_path: Path, site: Site, chromium: Path) -> None:
    """The whole, as a user has it; nothing of it is left. Health answers all the while."""
    flags = {"NOTTE_MCP_BROWSER": str(chromium), **({"NOTTE_MCP_NO_SANDBOX": "1"} if os.geteuid() == 0 else {})}
    with served(tmp_path / "state", module="notte_mcp", env=flags) as one:
        async with one.client(one.token, "auto") as client:
            started = await client.call_tool("notte_start", {"url": site.url("/form")})
            assert not started.is_error
            session = session_of(started)
            below = psutil.Process(one.process.pid).children(recursive=True)
            hung = [{"type": "evaluate_js", "code": "const until = Date.now() + 3000; while (Date.now() < until) {}"}]
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "notte_execute", {"session_id": session, "actions": hung})
                begun = time.monotonic()
                health = await anyio.to_thread.run_sync(httpx.get, f"http://127.0.0.1:{one.port}/health")
                assert (health.status_code, time.monotonic() - begun < 1.0 * SLOWNESS) == (200, True)
            stopped = await client.call_tool("notte_stop", {"id": session})
        code, _ = one.end()

    assert ((stopped.structured_content or {})["state"], code) == ("stopped", 0)
    assert [process for process in below if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_what_a_principal_has_open_is_closed_when_nothing_lives_in_it_and_opens_again(tmp_path: Path) -> None:
    """Fifty tokens are not fifty databases; a live session is a reason to stay."""
    run_dir = tmp_path / "state" / "principals" / "alice" / "run"
    with served(tmp_path / "state", env={**BOTH, "NOTTE_MCP_KEEPER_IDLE_MINUTES": "0.01"}) as one:
        session = one.call(ALICE, "notte_start", url=FORM)["structuredContent"]["session_id"]
        time.sleep(1.5)  # more than it waits, so that what is still there stayed for the session
        assert [*run_dir.iterdir()] != []
        one.call(ALICE, "notte_stop", id=session)
        deadline = time.monotonic() + 20
        while [*run_dir.iterdir()]:
            assert time.monotonic() < deadline
        found = one.call(ALICE, "notte_status", id=session)["structuredContent"]
        owner = one.call(ALICE, "notte_start", url=FORM)

    assert found["state"] == "stopped"
    assert not owner.get("isError")
