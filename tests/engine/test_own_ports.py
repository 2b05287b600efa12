"""The server's browsers are kept from its own ports, whatever a page calls them."""

import itertools
import os
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from notte_mcp import actions as a
from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.engines.local.stage import SessionOptions
from notte_mcp.errors import UnsupportedUrl
from notte_mcp.records import SessionSpec
from tests.engine.conftest import Lookout
from tests.engine.eyes import Eye
from tests.site import Site

pytestmark = pytest.mark.anyio

NAMES: Final = ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "127.0.0.9", "any.localhost")


class Own(ThreadingHTTPServer):
    """A page for people, on every address of this machine; `asked` is what came, of http and of anything else."""

    address_family = socket.AF_INET6
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("::", 0), _Page)
        self.asked: list[Any] = []

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.asked.append(client_address)
        return super().verify_request(request, client_address)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name for it)
        pass


@pytest.fixture(scope="module")
def own() -> Iterator[Own]:
    with Own() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
async def kept(chromium: Path, own: Own, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Lookout]:
    """An engine that knows the port as its own."""
    folder = tmp_path_factory.mktemp("own")
    numbers = itertools.count()

    def tmp_for(name: str) -> Path:
        path = folder / f"{name}{next(numbers)}"
        path.mkdir()
        return path

    engine = LocalEngine(
        executable=chromium,
        no_sandbox=hasattr(os, "geteuid") and os.geteuid() == 0,
        tmp_for=tmp_for,
        note_process=lambda _pid: None,
        options=SessionOptions(own_ports=(own.server_port,)),
    )
    lookout = Lookout(engine, folder)
    await lookout.open()  # the browser lives as long as one session does
    yield lookout
    await engine.close(deadline_s=3)


_TRIES: Final = """async () => {
  const given = async (promise) => { try { await promise; return "open"; } catch { return "refused"; } };
  const socket = (url) => new Promise((resolve, reject) => {
    const one = new WebSocket(url);
    one.onopen = resolve;
    one.onerror = reject;
  });
  const image = (url) => new Promise((resolve, reject) => {
    const one = new Image();
    one.onload = resolve;
    one.onerror = reject;
    one.src = url;
  });
  const frame = (url) => new Promise((resolve) => {
    const one = document.createElement("iframe");
    one.onload = resolve;
    one.src = url;
    document.body.append(one);
  });
  const found = [];
  for (const place of %s) {
    found.push(await given(fetch(`http://${place}/`, { mode: "no-cors" })));
    found.push(await given(socket(`ws://${place}/`)), await given(image(`http://${place}/`)));
    await given(frame(`http://${place}/`));
  }
  return [...new Set(found)];
}"""


async def test_no_page_reaches_a_port_of_the_server_by_any_name(kept: Lookout, own: Own, site: Site) -> None:
    """Not by an address in any form, a script, a socket, a frame or a redirect; other ports answer as ever."""
    session = await kept.open()
    eye, port = Eye(session, site), own.server_port
    await eye.go("/form.html")
    assert await eye.run(_TRIES % [f"{name}:{port}" for name in NAMES]) == ["refused"]
    redirect = a.Goto(url=site.url(f"/redirect?to=http://127.0.0.1:{port}/"))
    assert not (await session.perform(redirect, timeout_ms=5_000)).success
    await session.close(deadline_s=2)
    assert own.asked == []


async def test_an_address_of_the_server_is_refused_in_words_before_anything_is_done(
    kept: Lookout, own: Own, site: Site
) -> None:
    """By `check`, and by the action itself."""
    session = await kept.open()
    await Eye(session, site).go("/form.html")
    for name in NAMES:
        with pytest.raises(UnsupportedUrl, match="own"):
            await session.check([a.Goto(url=f"http://{name}:{own.server_port}/")])
        gone = await session.perform(a.GotoNewTab(url=f"{name}:{own.server_port}/"), timeout_ms=5_000)
        assert (gone.success, gone.code) == (False, UnsupportedUrl.code)
    assert [tab.url for tab in session.position.tabs] == [site.url("/form.html")]
    await session.close(deadline_s=2)


async def test_a_proxy_is_not_asked_for_them_either(kept: Lookout, own: Own, site: Site) -> None:
    """It might stand on this machine, and reach what the browser is kept from."""
    session = await kept.open(SessionSpec(proxy=site.here))
    for port in (own.server_port, 8_999):
        await session.perform(a.EvaluateJs(code=f"location.href = 'http://localhost:{port}/'"), timeout_ms=5_000)
        asked = f"fetch('http://127.0.0.1:{port}/', {{mode: 'no-cors'}}).catch(() => 0).then(() => 0)"
        await session.perform(a.EvaluateJs(code=asked), timeout_ms=5_000)
    targets = [target for _, target, _ in site.requests]
    assert any(":8999/" in target for target in targets)
    assert [target for target in targets if f":{own.server_port}/" in target] == []
    await session.close(deadline_s=2)
    assert own.asked == []
