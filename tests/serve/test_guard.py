import json
import socket
from typing import Any

import httpx
import pytest

from notte_mcp import __version__
from notte_mcp.http.address import CannotListen, bind
from notte_mcp.http.guard import MAX_BODY_BYTES, Guard, Names
from notte_mcp.http.listener import Listener
from notte_mcp.http.tokens import Tokens
from tests.serve.served import ALICE, HEADERS, Served, answer, bearer, status
from tests.stdio.wire import ENVELOPE

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": ENVELOPE}}


def request(
    server: Served, *lines: str, method: str = "POST", path: str = "/mcp", body: bytes | None = None, **headers: str
) -> bytes:
    """A request in bytes that is let in, unless `lines` or `headers` make it another one; a header may be left out by ""."""
    content = json.dumps(LIST).encode() if body is None else body
    usual = {
        "Host": f"127.0.0.1:{server.port}",
        **bearer(ALICE),
        "Content-Type": HEADERS["content-type"],
        "Accept": HEADERS["accept"],
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/list",
        "Content-Length": str(len(content)),
    }
    told = {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items() if value), *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + content


def test_who_says_all_that_is_due_is_let_in(server: Served) -> None:
    """What the refusals below differ from in one thing each."""
    assert status(server.says(request(server))) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:1",
        "localhost:{port}@evil.example",
        "localhost:{port}.evil.example",
        "localhost.:{port}",
        "evil.example:{port}",
        "0.0.0.0:{port}",
        "2130706433:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "127.0.0.1:{port},evil.example",
        "127.0.0.1:0{port}",
    ],
)
def test_another_name_for_this_server_is_not_answered(server: Served, host: str) -> None:
    """DNS rebinding: a page whose name leads here is told by the name. The SDK's `localhost:*` would let one pass."""
    said = server.says(request(server, Host=host.format(port=server.port)))
    health = server.says(request(server, Host=host.format(port=server.port), method="GET", path="/health"))

    assert (status(said), status(health)) == (421, 421)
    assert b"--allowed-host" in said


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_names_of_loopback_are_this_server(server: Served, host: str) -> None:
    """Which of them a host is given is its user's choice."""
    assert status(server.says(request(server, Host=host.format(port=server.port)))) == 200


def test_a_host_that_is_missing_or_said_twice_is_refused(server: Served) -> None:
    """Two names leave open which one a proxy before it went by."""
    twice = f"Host: 127.0.0.1:{server.port}"
    old = f"GET /health HTTP/1.0\r\n{twice}\r\n{twice}\r\n\r\n".encode()

    assert status(server.says(request(server, Host=""))) == 400
    assert status(server.says(request(server, twice))) == 400
    assert status(server.says(b"GET /health HTTP/1.0\r\n\r\n")) == 421
    assert status(server.says(old)) == 400


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "file://",
        "http://localhost:1",
        "http://localhost:{port}@evil.example",
        "http://localhost:1@evil.example",
        "http://127.0.0.1:{port}.evil.example",
        "https://127.0.0.1:{port}",
        "https://app.example.com.evil.example",
        "https://app.example.com:444",
        "http://app.example.com",
    ],
)
def test_a_page_of_another_origin_may_not_call(server: Served, origin: str) -> None:
    """A token in a browser does not make every page its owner's."""
    assert status(server.says(request(server, Origin=origin.format(port=server.port)))) == 403


def test_an_origin_that_is_listed_may_call_and_the_browser_is_told_so(server: Served) -> None:
    """`--allowed-origin`; an own page needs no leave, and two origins are none."""
    page = "https://app.example.com"
    asked: dict[str, Any] = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,mcp-method",
    }
    before = server.says(request(server, method="OPTIONS", Authorization="", Origin=page, **asked))
    called = server.says(request(server, Origin=page))

    assert (status(before), status(called)) == (200, 200)
    assert b"access-control-allow-origin: https://app.example.com" in called.lower()
    assert b"authorization" in before.lower()
    assert status(server.says(request(server, Origin=f"http://127.0.0.1:{server.port}"))) == 200
    assert status(server.says(request(server, f"Origin: {page}", Origin=page))) == 403


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer wrong-0123456789abcdef",
        f"Bearer {ALICE}x",
        f"Bearer {ALICE[:-1]}",
        f"Basic {ALICE}",
        ALICE,
        f"Bearer {ALICE} x",
    ],
)
def test_without_a_token_nothing_is_answered(server: Served, given: str) -> None:
    """On loopback too: others use this machine."""
    said = server.says(request(server, Authorization=given))

    assert status(said) == 401
    assert b'www-authenticate: bearer realm="notte-mcp"' in said.lower()
    assert b"Authorization: Bearer TOKEN" in said or b"state folder" in said


def test_two_tokens_are_none_and_one_in_the_address_is_none(server: Served) -> None:
    """Addresses are written into logs and histories."""
    twice = f"Authorization: Bearer {ALICE}"

    assert status(server.says(request(server, twice))) == 401
    assert (
        status(server.says(request(server, path=f"/mcp?token={ALICE}&access_token={ALICE}", Authorization=""))) == 401
    )
    assert ALICE.encode() not in server.stderr


def test_a_token_is_told_by_all_of_it() -> None:
    """Compared as digests, all of them each time."""
    tokens = Tokens({"a": "token-of-a", "b": "token-of-b"})

    assert (tokens.whose([b"Bearer token-of-b"]), tokens.whose([b"bearer  token-of-a "])) == ("b", "a")
    assert [tokens.whose(each) for each in ([], [b""], [b"Bearer token-of-"], [b"Bearer \xff"])] == [None] * 4


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_a_method_that_has_no_meaning_here_is_refused_by_name(server: Served, method: str) -> None:
    """RFC 9110: 405 comes with Allow."""
    said = server.says(request(server, method=method, body=b""))

    assert status(said) == 405
    assert b"allow: POST, GET, DELETE" in said


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data; boundary=x"],
)
def test_a_body_that_a_form_could_send_is_not_read(server: Served, kind: str) -> None:
    """What a page may send anywhere without asking has one of these."""
    assert status(server.says(request(server, Content_Type=kind))) == 415


def test_two_kinds_of_body_are_none_and_parameters_are_let_pass(server: Served) -> None:
    """`application/json; charset=utf-8` is what many clients say."""
    assert status(server.says(request(server, "Content-Type: text/plain"))) == 415
    assert status(server.says(request(server, Content_Type="application/json; charset=utf-8"))) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/mcp/",
        "/mcp/x",
        "//mcp",
        "/MCP",
        "/../mcp",
        "http://127.0.0.1/mcp",
        "/.well-known/oauth-protected-resource",
    ],
)
def test_another_path_is_nothing_and_says_what_there_is(server: Served, path: str) -> None:
    """With a token or without one."""
    said = server.says(request(server, path=path, Authorization=""))

    assert status(said) == 404
    assert b"/mcp, /health" in said


def test_health_tells_the_version_and_nothing_else(server: Served) -> None:
    """Whoever asks needs no token for it."""
    said = server.says(request(server, method="GET", path="/health", Authorization="", body=b""))

    assert json.loads(said.partition(b"\r\n\r\n")[2]) == {"status": "ok", "version": __version__}


def test_a_body_above_four_mebibytes_is_refused_however_it_comes(server: Served) -> None:
    """Said before it is sent, or counted while it comes; the caller hears of it, though it is still sending."""
    whole = b"x" * (MAX_BODY_BYTES + 1)
    chunk = b"%x\r\n%s\r\n" % (len(whole), whole)
    counted = request(server, "Transfer-Encoding: chunked", Content_Length="", body=b"") + chunk + b"0\r\n\r\n"

    assert status(server.says(request(server, body=whole))) == 413
    assert status(server.says(counted)) == 413
    assert server.post(b"x" * 50_000_000, token=ALICE).status_code == 413
    assert status(server.says(request(server, body=b"", Content_Length="99999999999999999999"))) == 413


def test_a_connection_serves_on_after_a_refusal(server: Served) -> None:
    """The rest of a refused body is passed over."""
    with server.connected() as wire:
        wire.sendall(request(server, body=b"x" * (MAX_BODY_BYTES + 1)))
        first = status(answer(wire))
        wire.sendall(request(server))
        second = status(answer(wire))

    assert (first, second) == (413, 200)


def test_the_socket_listens_on_loopback_alone(server: Served) -> None:
    """The address of the machine on its network has nobody."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        own = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no network")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((own, server.port), timeout=5)


@pytest.mark.anyio
async def test_health_is_told_on_ipv6_loopback_too_and_says_when_the_server_is_ending() -> None:
    """Who watches it is told by the status alone."""
    try:
        address = bind("::1", 0)
    except CannotListen:
        pytest.skip("this machine has no IPv6")
    port = int(address.getsockname()[1])
    guard = Guard({}, Names.of(port), Tokens({}))
    listener = Listener(guard, address)
    await listener.open()
    async with httpx.AsyncClient(base_url=f"http://[::1]:{port}") as client:
        lives = await client.get("/health")
        guard.ending = True
        ending = await client.get("/health")
    await listener.close(grace_s=1)

    assert (lives.status_code, lives.json()["status"]) == (200, "ok")
    assert (ending.status_code, ending.json()["status"]) == (503, "ending")


def test_who_is_let_in_waits_for_no_acknowledgement() -> None:
    """An answer's head and body are two writes; the second must not wait 40 ms for word of the first."""
    with bind("127.0.0.1", 0) as address, socket.create_connection(address.getsockname()):
        address.setblocking(True)
        caller, _ = address.accept()
        with caller:
            assert caller.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
