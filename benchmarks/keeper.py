"""The keeper, as a host meets it while one runs: the tool list, the first page, and what the relay adds to a call.

Below: host, wire, rows. Above: `__main__`.
"""

import json
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from benchmarks.host import HELLO, Host
from benchmarks.rows import Outcome, Run, paired
from benchmarks.starting import FLOORS, time_to_tools
from benchmarks.wire import BenchmarkFailed, python, wire
from notte_mcp.keeper.link import greeting
from notte_mcp.keeper.relay import hello

RELAY: Final = python("-m", "notte_mcp")

ANSWERS: Final = """
import sys, json
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        print(json.dumps({"id": asked["id"], "result": {"tools": []}}), flush=True)
"""
BARE: Final = python("-c", ANSWERS)
"""The floor of a relay: a Python that answers by itself."""

CALLS: Final = 200
MAX_LINE: Final = 1_000_000


class Kept(NamedTuple):
    """A keeper that runs: the environment that finds it, and a host that stays."""

    env: dict[str, str]
    host: Host


async def tool_list_time(run: Run) -> Outcome:
    """From the start of the relay to the answer, beside a Python that does nothing else."""
    async with _keeper() as kept:
        if not run.short:
            await time_to_tools(RELAY, kept.env)  # the first one reads everything from the disk
        pairs = [(await time_to_tools(RELAY, kept.env), await time_to_tools(BARE)) for _ in run.times(15)]
    return paired(pairs)


async def first_observation(run: Run) -> Outcome:
    """From the start of the relay to what a page shows, where another session's browser runs."""
    pairs: list[tuple[float, float]] = []
    url = run.site.url("/form.html")
    async with _keeper() as kept, wire(FLOORS) as floors:
        await kept.host.start(url)
        await floors.ask("open", {"url": url})
        for _ in run.times(7):
            begun = time.perf_counter()
            async with wire(RELAY, kept.env) as line:
                host = Host(line)
                await host.hello()
                opened = await host.start(url)
                ours = (time.perf_counter() - begun) * 1_000
                await host.stop(opened.facts["session_id"])
            begun = time.perf_counter()
            await floors.ask("open", {"url": url})
            pairs.append((ours, (time.perf_counter() - begun) * 1_000))
    return paired(pairs)


async def added(run: Run) -> Outcome:
    """The same call through the relay and at the socket itself, in turn: the difference of the medians."""
    relayed: list[float] = []
    direct: list[float] = []
    async with _keeper() as kept, _socket(kept.env) as socket:
        await kept.host.call("notte_status", {})
        await socket.ask()
        for _ in run.times(CALLS):
            relayed.append((await kept.host.call("notte_status", {})).ms)
            direct.append(await socket.ask())
    return Outcome({"ms": max(0.001, median(relayed) - median(direct))}, {"ms": median(direct)}, note="added to it")


@asynccontextmanager
async def _keeper() -> AsyncGenerator[Kept]:
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        # Should this be killed, the keeper does not stay for long.
        env = {"NOTTE_MCP_STATE_DIR": str(Path(folder) / "state"), "NOTTE_MCP_KEEPER_IDLE_MINUTES": "1"}
        try:
            async with wire(RELAY, env) as line:
                host = Host(line)
                await host.hello()
                yield Kept(env, host)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.run_process(python("-m", "notte_mcp", "keeper", "stop"), env={**os.environ, **env})


class _Socket:
    """A connection to the keeper without a relay."""

    def __init__(self, stream: anyio.abc.SocketStream | anyio.abc.UNIXSocketStream) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)
        self._number = 0

    async def greet(self, values: dict[str, str]) -> None:
        await self._stream.send(greeting(values))
        said = await self._lines.receive_until(b"\n", MAX_LINE)
        if not said.startswith(b"ok "):
            raise BenchmarkFailed(said.decode())
        await self._send("initialize", HELLO)

    async def ask(self) -> float:
        """The same call as the relay's host makes; its time (ms)."""
        begun = time.perf_counter()
        await self._send("tools/call", {"name": "notte_status", "arguments": {}})
        return (time.perf_counter() - begun) * 1_000

    async def _send(self, method: str, params: dict[str, Any]) -> None:
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        await self._stream.send(json.dumps(message).encode() + b"\n")
        answer = json.loads(await self._lines.receive_until(b"\n", MAX_LINE))
        if answer.get("id") != self._number or "error" in answer:
            raise BenchmarkFailed(str(answer))


@asynccontextmanager
async def _socket(env: dict[str, str]) -> AsyncGenerator[_Socket]:
    state = env["NOTTE_MCP_STATE_DIR"]
    async with await anyio.connect_unix(f"{state}/keeper/socket") as stream:
        socket = _Socket(stream)
        await socket.greet(hello({}, {**os.environ, **env}, state))
        yield socket
