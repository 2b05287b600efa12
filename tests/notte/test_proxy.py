"""The proxy spoils what it is told to, and nothing else: what other tests conclude from it stands on that."""

from collections.abc import AsyncIterator

import anyio
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.served import NO_CERTIFICATES
from tests.notte.proxy import (
    Close,
    Cut,
    Fault,
    Half,
    Junk,
    Lose,
    Proxy,
    Refuse,
    Reply,
    Reset,
    Silence,
    Stall,
    Swap,
    proxy,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def origin() -> AsyncIterator[Proxy]:
    """A server that answers everything with what it was asked for."""
    async with proxy() as server:
        server.on("*", "*", Reply(200, {"said": "x" * 2_000}), times=None)
        yield server


@pytest.mark.parametrize(
    ("fault", "done"), [(Reset(), 0), (Lose(), 1), (Half(), 1)], ids=["before", "after", "in the answer"]
)
async def test_a_connection_breaks_where_it_is_told_to(origin: Proxy, fault: Fault, done: int) -> None:
    """A reset before the request is passed on leaves the server alone; a lost reply does not."""
    async with (
        proxy(origin.url) as between,
        httpx.AsyncClient(base_url=between.url, trust_env=False, verify=NO_CERTIFICATES) as http,
    ):
        between.on("POST", "/a/*", fault)
        assert (await http.post("/b")).status_code == 200
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await http.post("/a/b?c=d", content=b"body")
        assert origin.count("POST", "/a/b") == done
        again = await http.post("/a/b?c=d", content=b"body")
    assert (again.status_code, again.json()) == (200, {"said": "x" * 2_000})
    assert (origin.seen[-1].query, origin.seen[-1].body) == ("c=d", b"body")


async def test_answers_are_replaced_before_or_after_the_deed(origin: Proxy) -> None:
    """`Reply` keeps the request from the server, `Swap` does not; both for as many as they are told."""
    async with (
        proxy(origin.url) as between,
        httpx.AsyncClient(base_url=between.url, trust_env=False, verify=NO_CERTIFICATES) as http,
    ):
        between.on("GET", "*", Reply(503, {"detail": "no"}, {"retry-after": "3"}), times=2, skip=1)
        between.on("DELETE", "*", Swap(Reply(504, "<html>")))
        statuses = [(await http.get("/x")).status_code for _ in range(4)]
        swapped = await http.delete("/x")
    assert statuses == [200, 503, 503, 200]
    assert (swapped.status_code, swapped.headers["content-type"]) == (504, "text/html")
    assert (origin.count("GET", "/x"), origin.count("DELETE", "/x")) == (2, 1)


async def test_a_stalled_request_is_known_to_have_come(origin: Proxy) -> None:
    """A test can wait for the moment at which a client waits."""
    async with (
        proxy(origin.url) as between,
        httpx.AsyncClient(base_url=between.url, trust_env=False, verify=NO_CERTIFICATES) as http,
    ):
        between.on("*", "*", Stall(passed=True))
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(http.get, "/x")
                await between.arrived("GET", "/x")
                await origin.arrived("GET", "/x")
                group.cancel_scope.cancel()


async def _ten(socket: ServerConnection) -> None:
    for number in range(10):
        await socket.send(f"{number}")


async def _heard(fault: Fault | None) -> tuple[list[str], int | None]:
    """What a client hears of ten frames, and the code that it is closed with; None where it goes silent."""
    heard: list[str] = []
    async with serve(_ten, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with proxy(f"http://127.0.0.1:{port}") as between:
            if fault is not None:
                between.on("WS", "/logs", fault)
            url = f"{between.url.replace('http', 'ws', 1)}/logs?token=t"
            async with connect(url, proxy=None, ping_interval=None, close_timeout=0.1) as socket:
                try:
                    while True:
                        with anyio.fail_after(0.5 if isinstance(fault, Silence) else 10):
                            heard.append(str(await socket.recv()))
                except ConnectionClosed as closed:
                    return heard, closed.rcvd.code if closed.rcvd else 1006
                except TimeoutError:
                    return heard, None


@pytest.mark.parametrize(
    ("fault", "count", "code"),
    [(None, 10, 1000), (Close(1012, 3), 3, 1012), (Cut(0), 0, 1006), (Cut(4), 4, 1006), (Silence(2), 2, None)],
    ids=["whole", "closed", "cut at once", "cut", "silent"],
)
async def test_a_websocket_ends_after_the_frame_that_it_is_told(
    fault: Fault | None, count: int, code: int | None
) -> None:
    """Text frames are counted, and arrive whole before the fault."""
    assert await _heard(fault) == ([str(number) for number in range(count)], code)


async def test_junk_comes_between_frames_and_takes_none_away() -> None:
    """All that the server says still comes."""
    heard, _ = await _heard(Junk(("[1]", "no"), after=2))
    assert heard == ["0", "1", "[1]", "no", *map(str, range(2, 10))]


async def test_a_refused_websocket_says_so(origin: Proxy) -> None:
    """The handshake itself fails, with the status asked for."""
    async with proxy(origin.url) as between:
        between.on("WS", "*", Refuse(401))
        with pytest.raises(InvalidStatus, match="401"):
            await connect(between.url.replace("http", "ws", 1), proxy=None)
