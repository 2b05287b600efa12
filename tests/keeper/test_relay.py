import json
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import anyio
import psutil
import pytest

from notte_mcp import __version__
from notte_mcp.keeper.connection import MAX_GUESTS
from tests.keeper.kept import FLAGS, KEY, command, keepers, kill, pid_of, raw, relay, until_gone
from tests.stdio.wire import ENVELOPE, Wire, environment, process_of

pytestmark = pytest.mark.anyio

LISTEN = {"notifications": {"resourceSubscriptions": ["notte://sessions"]}}


def listening(wire: Wire) -> int:
    """Ask for something that has no answer yet; gives its id. (It is acknowledged at once.)"""
    number = 4711
    wire.send(
        {"jsonrpc": "2.0", "id": number, "method": "subscriptions/listen", "params": {**LISTEN, "_meta": ENVELOPE}}
    )
    assert "id" not in wire.line()
    return number


async def test_hosts_of_both_eras_are_served_by_one_keeper_that_outlives_them(anyones: Path) -> None:
    """P7. Ten that start at once start one; what it serves is what the server in one process serves."""
    command(anyones, "stop")
    with ExitStack() as stack:
        wires = [stack.enter_context(relay(anyones)) for _ in range(10)]
        first = wires[0].modern("server/discover")["result"]
        hello = wires[1].handshake()["result"]
        tools = [
            wires[0].modern("tools/list"),
            wires[1].request("tools/list", {}),
            *(w.modern("tools/list") for w in wires[2:]),
        ]
        assert len(keepers(anyones)) == 1
        assert f"connections  {len(wires)}" in command(anyones, "status")
        # A host that kills its children, and what those started, does not get at the keeper.
        assert {psutil.Process(pid_of(anyones)).ppid()}.isdisjoint({w.process.pid for w in wires})

    assert "2026-07-28" in first["supportedVersions"]
    assert (hello["protocolVersion"], hello["serverInfo"]["version"]) == ("2025-11-25", __version__)
    assert all(answer["result"]["tools"][0]["name"] == "notte_start" for answer in tools)
    assert len(keepers(anyones)) == 1


@pytest.mark.parametrize("how", ["eof", "term", "int", "stdout", "partial line"])
async def test_a_relay_ends_with_its_host_and_the_keeper_stays(kept: Path, how: str) -> None:
    """P5, and P7: the end of a connection is the end of nothing else."""
    with relay(kept) as wire:
        wire.modern("tools/list")
        assert wire.process.stdin is not None
        assert wire.process.stdout is not None
        match how:
            case "term" | "int":
                wire.process.send_signal(signal.SIGTERM if how == "term" else signal.SIGINT)
            case "stdout":
                wire.process.stdout.close()
            case _:
                wire.process.stdin.write(b'{"jsonrpc":"2.0","id":9,"method":"tools/l' if how == "partial line" else b"")
                wire.process.stdin.close()
        code, _ = wire.end()
        errors = wire.errors()

    assert (code, errors) in ((0, ""), (-signal.SIGTERM, ""))
    assert len(keepers(kept)) == 1


async def test_when_the_keeper_dies_what_was_asked_is_answered_and_the_next_call_has_a_new_one(anyones: Path) -> None:
    """Never silence: an error for what was under way, and the handshake of an older host is said again for it."""
    with relay(anyones) as modern, relay(anyones) as legacy:
        asked = listening(modern)
        legacy.handshake()
        before = pid_of(anyones)
        kill(anyones)
        died = modern.line()
        again = modern.modern("tools/call", name="notte_status", arguments={})["result"]
        tools = legacy.request("tools/list", {})["result"]["tools"]
        assert len(keepers(anyones)) == 1

    assert (died["id"], died["error"]["code"]) == (asked, -32_000)
    assert "notte_status" in died["error"]["message"]
    assert again["structuredContent"] == {"sessions": [], "agents": []}
    assert tools[0]["name"] == "notte_start"
    assert pid_of(anyones) != before


async def test_a_keeper_ends_by_itself_and_leaves_nothing_that_says_where_it_was(state: Path) -> None:
    """P7: nothing live and nobody connected for a while."""
    env = {"NOTTE_MCP_KEEPER_IDLE_MINUTES": "0.005"}
    with relay(state, env=env) as wire:
        wire.open_app()
    await until_gone(state)

    left = {path.name for path in (state / "keeper").iterdir()}
    assert left == {"life.lock", "log", "start.lock"}
    assert list((state / "run").iterdir()) == []
    logged = list(map(json.loads, (state / "keeper" / "log").read_text(encoding="utf-8").splitlines()))
    assert {line["level"] for line in logged} == {"info"}, logged
    assert (logged[-1]["event"], logged[-1]["code"]) == ("server.left", 0)


IMPATIENT = """
import os, sys
from notte_mcp.keeper import relay, wanted
relay.SILENT_S = relay.ALIVE_S = 0.5
relay.run(wanted.server_flags(sys.argv[1:]), os.getppid())
"""


def test_a_keeper_is_looked_at_and_ended_by_commands_and_one_that_stands_still_is_not_waited_for(anyones: Path) -> None:
    """`notte-mcp keeper status` and `stop`; P6: what a keeper that does not answer owes is answered by the relay."""
    command(anyones, "stop")
    assert "No keeper runs" in command(anyones, "status")
    assert "No keeper runs" in command(anyones, "stop")
    with process_of("-c", IMPATIENT, "--state-dir", str(anyones), *FLAGS) as wire, relay(anyones) as other:
        other.handshake()
        wire.modern("tools/list")
        asked = listening(wire)
        assert str(pid_of(anyones)) in command(anyones, "status")
        psutil.Process(pid_of(anyones)).suspend()
        silent = wire.line()
        again = wire.modern("tools/list")["error"]
        assert "was killed" in command(anyones, "stop")
        assert keepers(anyones) == []
        for each in (wire.modern("tools/list"), other.request("tools/list", {})):
            assert "result" in each
        assert "has ended; nothing was live in it." in command(anyones, "stop")
        assert keepers(anyones) == []

    assert (silent["id"], silent["error"]["code"]) == (asked, -32_000)
    for error in (silent["error"], again):
        assert "does not answer" in error["message"]
        assert "notte-mcp keeper stop" in error["message"]


async def test_a_keeper_whose_folder_was_removed_is_followed_by_another(anyones: Path) -> None:
    """P3: what it did would be on no record. A log that cannot be written (the disk is full) is no reason to end."""
    with relay(anyones) as wire:
        wire.modern("tools/list")
        first = keepers(anyones)
        shutil.rmtree(anyones)
        with anyio.fail_after(15):
            while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in first):  # noqa: ASYNC110
                await anyio.sleep(0.05)
        for folder in (anyones, anyones / "keeper"):
            folder.mkdir(mode=0o700)
        (log := anyones / "keeper" / "log").symlink_to("/dev/full")
        wire.open_app()
        assert len(keepers(anyones)) == 1
        assert pid_of(anyones) != first[0].pid
        assert log.is_symlink()
        assert "has ended" in command(anyones, "stop")
    shutil.rmtree(anyones)


def test_one_connection_more_than_a_keeper_has_is_refused_in_words(kept: Path) -> None:
    """P10; and when one has gone there is room again."""
    with ExitStack() as stack:
        said: list[str] = []
        while not said or said[-1].startswith("ok "):
            said.append(stack.enter_context(raw(kept)).greet(kept))
    assert f"has {MAX_GUESTS} connections, and no more" in said[-1]
    with relay(kept) as wire:
        assert "result" in wire.modern("tools/list")


async def test_other_settings_of_the_process_are_refused_in_words_and_a_free_keeper_gives_way(anyones: Path) -> None:
    """P7: a mismatch is said, with what mends it; a keeper that holds nothing is simply followed by the next."""
    with relay(anyones) as one:
        one.modern("tools/list")
        first = pid_of(anyones)
        with relay(anyones, env={"NOTTE_MCP_MAX_SESSIONS": "3"}) as other:
            refused = other.modern("tools/list")["error"]
        with relay(anyones, env={"NOTTE_MCP_VIEWPORT_WIDTH": "500"}) as another:
            assert "result" in another.modern("tools/list")
    with relay(anyones, env={"NOTTE_MCP_MAX_SESSIONS": "3"}) as other:
        assert "result" in other.modern("tools/list")

    assert "max_sessions = 16 (not 3)" in refused["message"]
    assert "notte-mcp keeper stop" in refused["message"]
    assert pid_of(anyones) != first


@pytest.mark.parametrize("runs", [True, False])
async def test_a_wrong_setting_ends_the_relay_with_two_and_one_sentence(kept: Path, tmp_path: Path, runs: bool) -> None:
    """As the server in one process; whether a keeper runs already or not."""
    with relay(kept if runs else tmp_path / "state", env={"NOTTE_MCP_MAX_SESSIONS": "many"}) as wire:
        code, _ = wire.end()
        errors = wire.errors()

    assert (code, len(errors.splitlines())) == (2, 1)
    assert "NOTTE_MCP_MAX_SESSIONS" in errors
    await until_gone(tmp_path / "state")


async def test_a_folder_that_can_hold_no_keeper_is_served_in_one_process(tmp_path: Path) -> None:
    """Who would tell what is wrong with it, were there no server?"""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with relay(tmp_path / "file" / "state") as wire:
        answer = wire.modern("tools/call", name="notte_status", arguments={})["result"]

        assert wire.process.stdin is not None
        wire.process.stdin.close()
        assert "no keeper can live there" in wire.errors()

    assert answer["isError"]
    assert str(tmp_path / "file") in answer["content"][0]["text"]


async def test_a_model_key_is_in_no_environment_and_no_log_of_the_keeper(kept: Path) -> None:
    """P7, P9: it comes with a connection, and goes to the provider as an argument."""
    environ = psutil.Process(pid_of(kept)).environ()
    files = [path for path in (kept / "keeper").iterdir() if path.is_file()]

    assert KEY not in environ.values()
    assert all(KEY.encode() not in path.read_bytes() for path in files)
    assert (
        json.loads((kept / "keeper" / "log").read_text(encoding="utf-8").splitlines()[0])["event"] == "keeper.started"
    )


PARENT = """
import subprocess, sys, time
command = [sys.executable, "-m", "notte_mcp", "--state-dir", sys.argv[1], *sys.argv[2:]]
child = subprocess.Popen(command, stdin=0, stdout=subprocess.PIPE)
print(child.pid, flush=True)
child.stdout.readline()
print("answered", flush=True)
time.sleep(60)
"""


def test_a_dead_host_ends_the_relay_though_its_pipe_is_held_open(kept: Path) -> None:
    """P5: this test holds the other end, so that there is no end of input."""
    command = [sys.executable, "-c", PARENT, str(kept), *FLAGS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode() + b"\n")
        parent.stdin.flush()
        parent.stdout.readline()
        parent.kill()
        _, alive = psutil.wait_procs([child], timeout=5)

    assert alive == []
