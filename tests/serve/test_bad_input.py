"""What is no MCP, no JSON, no HTTP or no end: a typed answer or a closed connection, and everybody else is served on."""

import itertools
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.serve.served import ALICE, BOB, BOTH, CALLER, HEADERS, Served, answer, bearer, message_of, served, status
from tests.serve.test_guard import request
from tests.stdio.wire import ENVELOPE

DEEP = 100_000


def still_serves(server: Served) -> None:
    """Nothing crashed, nothing was thought to be our own failure, and the next caller is answered."""
    assert server.process.poll() is None
    assert not server.call(BOB, "notte_status").get("isError")
    assert b'"level": "error"' not in server.stderr


def deep(kind: str) -> bytes:
    opening, closing = {"lists": (b"[", b"]"), "objects": (b'{"a":', b"}")}[kind]
    inner = opening * DEEP + b"1" + closing * DEEP
    return b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":' + inner + b"}}"


BODIES = {
    "empty": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}',
    "NUL": b"\x00" * 100,
    "a number": b"1",
    "null": b"null",
    "an empty batch": b"[]",
    "a batch": json.dumps([{"jsonrpc": "2.0", "id": n, "method": "tools/list"} for n in range(50)]).encode(),
    "another version": b'{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
    "no method": b'{"jsonrpc":"2.0","id":1}',
    "a response": b'{"jsonrpc":"2.0","id":1,"result":{}}',
    "an id that is none": b'{"jsonrpc":"2.0","id":{"a":[1]},"method":"tools/list"}',
    "a huge number": b'{"jsonrpc":"2.0","id":' + b"9" * 10_000 + b',"method":"tools/list"}',
    "no number": b'{"jsonrpc":"2.0","id":NaN,"method":"tools/list"}',
    "a lone surrogate": b'{"jsonrpc":"2.0","id":"\\ud800","method":"tools/list"}',
    "a long method": b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 1_000_000 + b'"}',
    "params that are a list": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1,2]}',
    "deep lists": deep("lists"),
    "deep objects": deep("objects"),
}


@pytest.fixture(scope="module")
def eras(server: Served) -> dict[str, str]:
    """The session that a request of each era names: that of the older protocol has one."""
    return {"2026-07-28": "", "2025-11-25": server.begun(ALICE), "1999-01-01": "", "\x7f": "", "": ""}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_request_is_told_so(server: Served, eras: dict[str, str], body: bytes) -> None:
    """In the era of its header, or in none."""
    for era, session in eras.items():
        said = server.says(request(server, body=body, MCP_Protocol_Version=era, Mcp_Session_Id=session))

        assert 400 <= status(said) < 500 or b'"error"' in said or status(said) == 202, (era, said[:300])
    still_serves(server)


GARBAGE = {
    "zeros": b"\x00" * 5_000,
    "text": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "a header that is none": b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: x\r\n y\r\n\r\n",
    "a length that is none": b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "smuggled": b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: gzip\r\n\r\nabcd",
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
    "a line feed in a header": b"GET / HTTP/1.1\r\nHost: x\nOrigin: y\r\n\r\n",
}


@pytest.mark.parametrize("octets", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_http_is_told_so_or_hung_up_on(server: Served, octets: bytes) -> None:
    """h11 reads it; ours is that the answer is JSON."""
    said = server.says(octets)

    assert status(said) in {0, 400, 421}, said[:300]
    # What follows in the same bytes may be answered too.
    assert not said or json.JSONDecoder().raw_decode(said.partition(b"\r\n\r\n")[2].decode())[0]["next"]
    still_serves(server)


def test_a_websocket_is_refused(server: Served) -> None:
    """Nothing is upgraded here, with a token or without."""
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Key": "x" * 24,
        "Sec_WebSocket_Version": "13",
    }

    assert status(server.says(request(server, method="GET", body=b"", MCP_Protocol_Version="", **upgrade))) in {
        400,
        406,
    }
    assert status(server.says(request(server, method="GET", body=b"", Authorization="", **upgrade))) == 401
    still_serves(server)


def test_the_headers_of_one_era_and_the_body_of_the_other_are_told_apart(server: Served) -> None:
    """2026-07-28: what routes a request has to say what its body says."""
    body = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "notte_status", "arguments": {}, "_meta": ENVELOPE},
    }
    right = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "notte_status"}

    def told(**headers: str) -> int | None:
        given = {
            key: value
            for key, value in {**right, **{k.replace("_", "-"): v for k, v in headers.items()}}.items()
            if value
        }
        answered = message_of(server.post(body, token=ALICE, **given))
        code: int | None = answered.get("error", {}).get("code")
        return code

    assert told() is None
    assert told(Mcp_Method="tools/list") == -32020
    assert told(Mcp_Name="notte_stop") == -32020
    assert told(Mcp_Method="") == -32020
    assert told(MCP_Protocol_Version="2027-01-01") == -32020
    assert server.post(body, token=ALICE, MCP_Protocol_Version="2025-11-25").status_code == 400  # no session
    still_serves(server)


def test_one_id_for_two_requests_of_a_session_gives_each_its_answer_or_an_error(server: Served) -> None:
    """2025-11-25: a client's mistake is its own."""
    headers = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": server.begun(ALICE), **HEADERS, **bearer(ALICE)}
    call: Any = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "notte_status", "arguments": {}}}
    for _ in range(20):
        said = CALLER.post(server.url, json=call, headers=headers)
        assert said.status_code == 200
        assert message_of(said)["id"] == 1
    still_serves(server)


# --- who lets the server wait -------------------------------------------------------


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with deadlines of 0.6 s."""
    with served(tmp_path_factory.mktemp("impatient") / "state", module="tests.serve.impatient_server", env=BOTH) as one:
        yield one


@pytest.mark.parametrize("sent", [b"", b"G", b"POST /mcp HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
def test_a_header_that_does_not_end_is_hung_up_on(impatient: Served, sent: bytes) -> None:
    """Slowloris: uvicorn would wait for ever. What drips counts from its beginning."""
    with impatient.connected() as wire:
        wire.sendall(sent)
        wire.settimeout(0.2)
        assert _hung_up(wire, b"x" if sent else b"", within_s=10)


def _hung_up(wire: socket.socket, drop: bytes, *, within_s: float) -> bool:
    """Whether the other end closes, though it is sent something now and then."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if not wire.recv(1_000):
                return True
        except TimeoutError:
            wire.sendall(drop)
        except ConnectionError:
            return True
    return False


@given(several=st.lists(st.binary(max_size=400), min_size=1, max_size=4))
@example(several=[b"POST /mcp HTTP/1.1\r\n" * 50, b"", b"9", b"0"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_of_any_kind_harm_nobody(impatient: Served, several: list[bytes]) -> None:
    """Alone, and after a header that promised a body. What is no answer yet is waited for by all at once."""
    tokens = itertools.cycle((ALICE, BOB))  # of each no more at once than it may have
    with ExitStack() as stack:
        wires: list[tuple[socket.socket, socket.socket]] = []
        for octets, token in zip(several, tokens, strict=False):
            alone, after = (stack.enter_context(impatient.connected()) for _ in range(2))
            head = request(impatient, "Transfer-Encoding: chunked", body=b"", Content_Length="", **bearer(token))
            alone.sendall(octets + b"\r\n\r\n")
            after.sendall(head + octets + b"\r\n\r\n")
            wires.append((alone, after))
        for alone, after in wires:
            assert status(answer(alone)) in {0, 400, 404, 421}
            assert status(answer(after)) in {0, 400, 408, 413}
    assert impatient.process.poll() is None


def test_a_second_header_on_a_connection_has_a_deadline_too(impatient: Served) -> None:
    """The first request was answered."""
    with impatient.connected() as wire:
        wire.sendall(request(impatient))
        assert status(answer(wire)) == 200
        wire.sendall(b"POST /mcp HTTP/1.1\r\n")
        assert answer(wire) == b""


def test_a_body_that_does_not_come_is_told_so(impatient: Served) -> None:
    """408, and nothing was done."""
    assert status(impatient.says(request(impatient, body=b"{", Content_Length="1000"))) == 408
    assert status(impatient.says(request(impatient, "Transfer-Encoding: chunked", body=b"", Content_Length=""))) == 408


def test_connections_beyond_the_limit_are_told_so_and_the_next_one_is_let_in(impatient: Served) -> None:
    """Who holds them loses them to the deadline."""
    with ExitStack() as stack:
        wires = [stack.enter_context(impatient.connected()) for _ in range(60)]
        said = [status(answer(wire)) for wire in wires]
    assert said.count(503) >= 6
    assert status(impatient.says(request(impatient))) == 200


def test_a_token_has_its_share_of_requests_and_not_the_others(impatient: Served) -> None:
    """What listens counts. The share is free again when a listener goes away."""
    listen = {"MCP_Protocol_Version": "2025-11-25", "Mcp_Method": ""}
    sessions = [impatient.begun(ALICE) for _ in range(3)]
    _until_let_in(impatient)
    with ExitStack() as stack:
        for session in sessions:
            wire = stack.enter_context(impatient.connected())
            wire.sendall(request(impatient, method="GET", body=b"", **listen, Mcp_Session_Id=session))
            assert b"200 OK" in wire.recv(1_000)
        assert status(impatient.says(request(impatient))) == 429
        assert not impatient.call(BOB, "notte_status").get("isError")
    _until_let_in(impatient)


@pytest.mark.anyio
async def test_a_listener_of_2026_has_a_place_and_gives_it_back_when_it_leaves(impatient: Served) -> None:
    """However often: more of them come and go than there are places."""
    for _ in range(5):
        listened = ["notte://sessions"]
        async with impatient.client(ALICE, "auto") as client, client.listen(resource_subscriptions=listened):
            assert not (await client.call_tool("notte_status", {})).is_error
    _until_let_in(impatient)


def _until_let_in(server: Served) -> None:
    """What has ended is counted as open for a moment."""
    deadline = time.monotonic() + 10
    while status(server.says(request(server))) == 429:
        assert time.monotonic() < deadline


def test_who_does_not_read_its_answers_is_hung_up_on(impatient: Served) -> None:
    """Megabytes that nobody fetches wait in the server, and not for ever."""
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        wire.settimeout(20)
        wire.connect(("127.0.0.1", impatient.port))
        with pytest.raises(ConnectionError):
            _pour(wire, request(impatient) * 20, within_s=20)
    still_serves(impatient)


def _pour(wire: socket.socket, octets: bytes, *, within_s: float) -> None:
    """Ask and ask, and read nothing."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        wire.sendall(octets)
