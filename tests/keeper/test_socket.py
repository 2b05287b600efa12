import json
import stat
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notte_mcp.keeper import frames, places
from notte_mcp.keeper.door import Door
from notte_mcp.keeper.link import Gone, reach
from tests.keeper.kept import keepers, raw
from tests.stdio.wire import ENVELOPE

pytestmark = pytest.mark.anyio


KEYS = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "_meta", "name", "arguments"])


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


def test_lines_that_are_no_messages_harm_only_themselves(kept: Path) -> None:
    """Bad input: garbage, deep nesting, wrong types, the other era, ids that are used twice."""
    with raw(kept) as line:
        assert line.greet(kept).startswith("ok ")
        for octets in (
            b"garbage\n",
            b"[" * 200_000 + b"\n",
            b"\xff\xfe\n",
            b"\n\n",
            b'{"jsonrpc":"2.0","method":7}\n',
            b"[]\n",
        ):
            line.send(octets)
        line.send(asking(1))
        assert "tools" in line.answer()["result"]
        line.send(asking(2) + asking(2) + asking("two"))
        assert sorted(str(line.answer()["id"]) for _ in range(3)) == ["2", "2", "two"]
        line.send(asking(3, "no/such"))
        assert line.answer()["error"]["code"] == -32_601
        line.send(b'{"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}\n')
        assert "error" in line.answer()


ODD = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
        max_leaves=9,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ODD, max_size=5))
def test_whatever_the_lines_hold_the_next_request_is_answered(kept: Path, lines: list[bytes]) -> None:
    """Bad input: the members of messages with values of any kind, and bytes that are no text."""
    with raw(kept) as line:
        assert line.greet(kept).startswith("ok ")
        line.send(b"".join(each.replace(b"\n", b"") + b"\n" for each in lines) + asking("last"))
        answer = line.answer()
        while answer.get("id") != "last":
            answer = line.answer()


def test_a_line_of_fifty_megabytes_is_refused_and_the_next_is_served(kept: Path) -> None:
    """P10: it is never held in memory, and its sender is told."""
    keeper = keepers(kept)[0]
    before = keeper.memory_info().rss
    with raw(kept) as line:
        assert line.greet(kept).startswith("ok ")
        line.send(b'{"jsonrpc":"2.0","id":50,"method":"tools/list","params":{"x":"')
        for _ in range(50):
            line.send(b"x" * 1_000_000)
        line.send(b'"}}\n' + asking(51))
        refused, served = line.answer(), line.answer()

    assert (refused["id"], refused["error"]["code"]) == (50, frames.INVALID)
    assert (served["id"], "tools" in served["result"]) == (51, True)
    assert keeper.memory_info().rss - before < 60_000_000


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
