"""Whatever a host sends: on the keeper's socket, through the relay, and to the server in one process."""

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.types import JSONRPCNotification, JSONRPCRequest

from notte_mcp.keeper import flight, frames
from tests.keeper.kept import keepers, raw, relay
from tests.stdio.wire import ENVELOPE, INITIALIZE, Wire, server

KEYS = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "_meta", "name", "arguments"])


class Line:
    """One connection, spoken to in bytes; `pid` is the process that reads them first."""

    def __init__(self, send: Callable[[bytes], None], line: Callable[[], bytes], pid: int) -> None:
        self.send = send
        self._line = line
        self.pid = pid

    def answer(self) -> dict[str, Any]:
        """The next message. Whatever comes has to be one."""
        message: dict[str, Any] = json.loads(self._line())
        assert message["jsonrpc"] == "2.0"
        return message

    def outcome(self) -> tuple[object, object]:
        """The next answer's id, and its error's code or "result"."""
        message = self.answer()
        return message["id"], message["error"]["code"] if "error" in message else "result"


Connect = Callable[[], AbstractContextManager[Line]]


@pytest.fixture(params=["socket", "relay", "one process"])
def connect(request: pytest.FixtureRequest, kept: Path, tmp_path: Path) -> Connect:
    """A new connection of this kind."""

    @contextmanager
    def socket() -> Generator[Line]:
        with raw(kept) as connection:
            assert connection.greet(kept).startswith("ok ")
            yield Line(connection.send, connection.line, keepers(kept)[0].pid)

    @contextmanager
    def process() -> Generator[Line]:
        with server(tmp_path / "state") if request.param == "one process" else relay(kept) as wire:
            yield _line(wire)
            assert wire.process.stdin is not None
            wire.process.stdin.close()
            code, _ = wire.end()
            # What is still open is told that the connection is closed.
            assert {one["error"]["code"] for one in wire.rest()} <= {frames.CLOSED}
            assert (code, wire.errors()) == (0, "")

    return socket if request.param == "socket" else process


def _line(wire: Wire) -> Line:
    to, back = wire.process.stdin, wire.process.stdout
    assert to is not None
    assert back is not None

    def send(octets: bytes) -> None:
        to.write(octets)
        to.flush()

    return Line(send, back.readline, wire.process.pid)


def asking(number: object, method: str = "tools/list", **params: Any) -> bytes:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": ENVELOPE}}
    return json.dumps(message).encode() + b"\n"


def plain(number: object, method: str, params: dict[str, Any] | None = None) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}).encode() + b"\n"


NO_JSON = (b"garbage", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"\0\0\0", b'{"id":' + b"9" * 5_000 + b"}")
NO_MESSAGE = (
    b"[]",
    plain(1, "ping").strip().join((b"[", b"]")),
    b"5",
    b"{}",
    b'{"jsonrpc":"2.0","method":7}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":{},"method":"ping"}',
    b'{"jsonrpc":"2.0","id":7,"result":5}',
)


def test_a_line_that_is_no_message_is_answered_with_its_error_and_harms_nothing_else(connect: Connect) -> None:
    """Garbage, deep nesting, NULs, no UTF-8, batches, odd ids: also before the era is known."""
    with connect() as line:
        for octets in NO_JSON:
            line.send(octets + b"\n")
            assert line.outcome() == (None, -32_700), octets[:40]
        for octets in NO_MESSAGE:
            line.send(octets + b"\n")
            assert line.outcome() == (None, -32_600), octets
        line.send(b'{"jsonrpc":"1.0","id":5,"method":"ping"}\n\n\n' + asking(6))
        assert [line.outcome(), line.outcome()] == [(5, -32_600), (6, "result")]
        line.send(asking(7) + asking(7) + asking("7") + asking(10**130) + asking(8, "no/such"))
        found = sorted((line.outcome() for _ in range(5)), key=str)
        assert found == sorted(
            [(7, "result"), (7, "result"), ("7", "result"), (10**130, "result"), (8, -32_601)], key=str
        )
        line.send(plain(9, "initialize", INITIALIZE) + asking(11, "tools/list", x=[[[["deep"]]]]))
        assert sorted((line.outcome(), line.outcome()), key=str) == [(11, "result"), (9, -32_022)]


def test_a_handshake_may_be_late_and_come_twice_but_not_change_the_era(connect: Connect) -> None:
    """What an older client gets wrong is an error of its own."""
    with connect() as line:
        line.send(plain(1, "tools/list"))
        assert line.outcome()[1] != "result"
        for number in (2, 3):
            line.send(plain(number, "initialize", INITIALIZE))
            assert line.outcome() == (number, "result")
        line.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n' + asking(4) + plain(5, "tools/list"))
        assert sorted((line.outcome(), line.outcome()), key=str) == [(4, -32_600), (5, "result")]


ODD = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
        max_leaves=9,
    ).map(lambda value: json.dumps(value).encode()),
)


def test_whatever_the_lines_hold_all_that_comes_is_protocol_and_the_next_request_is_answered(connect: Connect) -> None:
    """The members of messages with values of any kind, and bytes that are no text, all on one connection."""
    with connect() as line:
        line.send(asking("first"))
        assert line.outcome() == ("first", "result")

        @settings(max_examples=60, deadline=None)
        @given(st.lists(ODD, max_size=5))
        def send(lines: list[bytes]) -> None:
            line.send(b"".join(each.replace(b"\n", b"") + b"\n" for each in lines) + asking("last", "no/such"))
            while line.answer().get("id") != "last":
                pass

        send()


def test_a_line_of_fifty_megabytes_is_refused_and_the_next_is_served(connect: Connect) -> None:
    """P10: it is never held in memory, and its sender is told."""
    with connect() as line:
        line.send(asking(49))
        line.answer()
        before = psutil.Process(line.pid).memory_info().rss
        line.send(b'{"jsonrpc":"2.0","id":50,"method":"tools/list","params":{"x":"')
        for _ in range(50):
            line.send(b"x" * 1_000_000)
        line.send(b'"}}\n' + asking(51))

        assert [line.outcome(), line.outcome()] == [(50, frames.INVALID), (51, "result")]
        assert psutil.Process(line.pid).memory_info().rss - before < 60_000_000


def test_of_many_requests_at_once_each_is_answered_and_of_too_many_subscriptions_the_last_is_refused(
    connect: Connect,
) -> None:
    """P10: what waits is bounded, and nobody is left without an answer."""
    listen = {"notifications": {"resourceSubscriptions": ["notte://sessions"]}}
    with connect() as line:
        line.send(b"".join(asking(number, "prompts/list") for number in range(300)))
        assert sorted(str(line.outcome()) for _ in range(300)) == sorted(str((n, "result")) for n in range(300))
        line.send(b"".join(asking(number, flight.LISTEN, **listen) for number in range(flight.MAX_OPEN + 1)))
        answers = [line.answer() for _ in range(flight.MAX_OPEN + 1)]
        (refused,) = [one for one in answers if "error" in one]
        assert "subscriptions, and no more" in refused["error"]["message"]
        line.send(asking(999))
        assert line.outcome() == (999, "result")


def test_of_the_requests_of_a_connection_so_many_begin_more_wait_in_order_and_the_rest_is_refused() -> None:
    """P10; a cancelled one gives up its place, also among those that wait."""
    requests = [JSONRPCRequest(jsonrpc="2.0", id=n, method="tools/call") for n in range(flight.MAX_BEGUN + 5)]
    air = flight.Flight()

    assert {air.admit(one, 9) for one in requests[: flight.MAX_BEGUN]} == {"begin"}
    assert {air.admit(one, 9) for one in requests[flight.MAX_BEGUN :]} == {"wait"}
    assert air.admit(requests[0], flight.MAX_WAITING_BYTES) == "refuse"
    assert air.next() is None
    gone = {"requestId": flight.MAX_BEGUN}
    assert air.admit(JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled", params=gone), 9) == "begin"
    begun: list[object] = []
    for number in range(flight.MAX_BEGUN):
        air.settle(number)
        begun += [one.id for one in iter(air.next, None)]
    assert begun == list(range(flight.MAX_BEGUN + 1, flight.MAX_BEGUN + 5))
