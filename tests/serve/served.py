"""`notte-mcp serve` as a process, and ways to talk to it: bytes, requests, and the SDK's own client in either era."""

import io
import json
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, cast

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.forks import Forked
from tests.stdio.wire import ENVELOPE, INITIALIZE, environment

ALICE, BOB = "alice-0123456789abcdef", "bob-0123456789abcdef"
TOKENS = {"alice": ALICE, "bob": BOB}
BOTH = {"NOTTE_MCP_HTTP_TOKENS": json.dumps(TOKENS)}
HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}

CALLER = httpx.Client(verify=False, timeout=20, limits=httpx.Limits(max_keepalive_connections=0))  # noqa: S501 - loopback
"""For all requests: to read the certificates that it does not need costs more than a request."""


@dataclass(slots=True)
class Served:
    """A running server. `stderr` is what it said so far."""

    process: Forked | Popen[bytes]
    state: Path
    stderr: bytearray = field(default_factory=bytearray)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def token(self) -> str:
        """The one that it made."""
        return (self.state / "http-token").read_text(encoding="ascii").strip()

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """(exit code, seconds until it was gone)."""
        begun = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout=20), time.monotonic() - begun

    # --- bytes ---------------------------------------------------------------------

    @contextmanager
    def connected(self) -> Generator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as wire:
            yield wire

    def says(self, octets: bytes) -> bytes:
        """What the server answers to these bytes, until it closes or has answered once."""
        with self.connected() as wire:
            with suppress(ConnectionError):
                wire.sendall(octets)
            return answer(wire)

    # --- requests ------------------------------------------------------------------

    def post(self, body: object, *, token: str | None = None, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {**HEADERS, **bearer(token or self.token), **{k.replace("_", "-"): v for k, v in headers.items()}}
        return CALLER.post(self.url, content=content, headers=given)

    def modern(self, token: str, method: str, **params: Any) -> dict[str, Any]:
        """A request of 2026-07-28, and its whole answer."""
        name = params.get("name") or params.get("uri") or params.get("taskId")
        headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, **({"Mcp-Name": name} if name else {})}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": ENVELOPE}}
        return message_of(self.post(body, token=token, **headers))

    def call(self, token: str, tool: str, **arguments: Any) -> dict[str, Any]:
        """A tool's result."""
        answered = self.modern(token, "tools/call", name=tool, arguments=arguments)
        return cast(dict[str, Any], answered["result"])

    def begun(self, token: str) -> str:
        """The id of a session of the older protocol."""
        answered = self.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}, token=token)
        return answered.headers["mcp-session-id"]

    @asynccontextmanager
    async def client(self, token: str, mode: str, **options: Any) -> AsyncGenerator[Client]:
        """The SDK's client, as a host has it."""
        http = httpx2.AsyncClient(headers=bearer(token), timeout=30, verify=False)
        async with (
            http,
            Client(streamable_http_client(self.url, http_client=http), mode=cast(Any, mode), **options) as one,
        ):
            yield one


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def message_of(response: httpx.Response) -> dict[str, Any]:
    """The last message of an answer, which is JSON or a stream."""
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    message: dict[str, Any] = json.loads(lines[-1] if lines else response.text)
    return message


def session_of(started: Any) -> str:
    """The id of the session in an answer of the SDK's client."""
    return str(started.structured_content["session_id"])


def text(result: Mapping[str, Any]) -> str:
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")


def answer(wire: socket.socket) -> bytes:
    """One whole answer, or what came before the other end closed."""
    got = b""
    with suppress(ConnectionError, TimeoutError):
        while chunk := wire.recv(65_536):
            got += chunk
            head, end, body = got.partition(b"\r\n\r\n")
            if end and (size := re.search(rb"content-length: (\d+)", head.lower())) and len(body) >= int(size[1]):
                break
            if b"chunked" in head and body.endswith(b"0\r\n\r\n"):
                break
    return got


def status(octets: bytes) -> int:
    """The status of an answer in bytes; 0 where there is none."""
    found = re.match(rb"HTTP/1\.1 (\d{3})", octets)
    return int(found[1]) if found else 0


@contextmanager
def served(
    state: Path, *flags: str, module: str = "tests.serve.scripted_server", env: Mapping[str, str] | None = None
) -> Generator[Served]:
    """A server on a free port, killed at the end whatever happens; the command itself is begun anew, as by its user."""
    words = ["-m", module, "--state-dir", str(state), "serve", "--port", "0", *flags]
    given = {**environment(), **(env or {})}
    if module == "notte_mcp":
        process = Popen([sys.executable, *words], env=given, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    else:
        process = Forked(words, env=given, stderr=PIPE)
    one = Served(process, state)
    listening = threading.Thread(target=_listen, args=(one,), daemon=True)
    try:
        one.port = _port(one)
        listening.start()
        yield one
    finally:
        process.kill()
        process.wait()
        if listening.ident is not None:
            listening.join()
        assert process.stderr is not None
        process.stderr.close()


def _port(one: Served) -> int:
    assert one.process.stderr is not None
    while line := one.process.stderr.readline():
        one.stderr += line
        if found := re.search(rb"http://\S+:(\d+)/mcp", line):
            return int(found[1])
    raise AssertionError(f"the server does not serve: {one.stderr.decode()}")


def _listen(one: Served) -> None:
    assert one.process.stderr is not None
    while chunk := cast(io.BufferedReader, one.process.stderr).read1(65_536):
        one.stderr += chunk
