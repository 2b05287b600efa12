import json
import stat
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
import pytest

from notte_mcp.keeper import places
from notte_mcp.keeper.door import Door
from notte_mcp.keeper.link import Gone, reach
from tests.keeper.kept import keepers, raw
from tests.stdio.wire import ENVELOPE

pytestmark = pytest.mark.anyio


def asking(number: object, method: str = "tools/list") -> bytes:
    return (
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": ENVELOPE}}).encode() + b"\n"
    )


def test_only_its_owner_gets_to_the_socket(kept: Path) -> None:
    """Ours: P7; whoever connects may do what the assistant may."""
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (kept, kept / "keeper", *(kept / "keeper").iterdir())}

    assert modes["keeper"] == modes["state"] == 0o700
    assert {modes[name] for name in ("socket", "log", "life.lock", "start.lock")} == {0o600}
    assert not [
        c
        for c in psutil.Process(keepers(kept)[0].pid).net_connections()
        if c.status == psutil.CONN_LISTEN and c.family != 1
    ]


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n',
        b"notte-mcp 1 999999999\n",
        b"notte-mcp 1 -5\n",
        b"notte-mcp 1 4\n\xff\x00\xfe\x00",
        b"\0" * 5_000,
    ],
)
def test_who_does_not_greet_is_not_let_in(kept: Path, octets: bytes) -> None:
    """Ours: closed, without an answer and without harm."""
    with raw(kept) as line:
        line.send(octets)

        assert line.line() == b""


def test_another_version_is_refused_with_the_command_that_mends_it(kept: Path) -> None:
    """P7: an upgraded package finds the keeper of the one before."""
    with raw(kept) as line:
        said = line.greet(kept, version="99.0")

    assert said.startswith("refused ")
    assert "is version" in said
    assert "notte-mcp keeper stop" in said


def test_a_connection_that_ends_within_a_line_ends_alone(kept: Path) -> None:
    """A relay may be killed at any byte."""
    for octets in (b"", asking(1)[:-20], asking(1) * 20):
        with raw(kept) as line:
            assert line.greet(kept).startswith("ok ")
            line.send(octets)


async def test_where_there_are_no_such_sockets_a_port_on_loopback_wants_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: the token stands in a file that only its owner reads, and is compared before anything is done."""
    monkeypatch.chdir(tmp_path)
    door = await Door.open(unix=False)
    said: list[bool] = []
    pids: list[int] = []

    found = (tmp_path / places.PORT).stat()

    async def meet() -> None:
        async with await door.listener.accept() as stream:
            block = (await stream.receive()).partition(b"\n")[2]
            token = dict(zip(*[iter(block.decode().split("\0"))] * 2, strict=False))["token"]
            said.extend([door.lets_in(stream, token), door.lets_in(stream, ""), door.lets_in(stream, token[:-1])])
            await stream.send(b"ok 7\n")

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(meet)
            link = await anyio.to_thread.run_sync(reach, {"kind": "status"})
            pids.append(link.pid)
            link.close()
    mode = stat.S_IMODE(found.st_mode)
    await door.close()

    assert (pids, said, mode) == ([7], [True, False, False], 0o600)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - as above
    with pytest.raises(Gone):
        reach({"kind": "status"})
