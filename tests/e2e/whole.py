"""The whole server as a host runs it, with a real browser: calls by tool name, and what runs below it."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil

from tests.stdio.wire import Wire, server


@contextmanager
def whole(state: Path, *flags: str, env: Mapping[str, str] | None = None) -> Generator[Wire]:
    """A server that may start a browser on this machine."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with server(state, *sandbox, *flags, env=env) as wire:
        yield wire


def call(wire: Wire, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """A tool's result as it is on the wire."""
    result: dict[str, Any] = wire.modern("tools/call", name=tool, arguments=arguments)["result"]
    return result


def facts(wire: Wire, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """A control tool's structured result; an error fails the test with its text."""
    result = call(wire, tool, **arguments)
    assert not result.get("isError"), text(result)
    content: dict[str, Any] = result["structuredContent"]
    return content


def told(wire: Wire, tool: str, /, **arguments: Any) -> str:
    """A reading tool's text; an error fails the test with its text."""
    result = call(wire, tool, **arguments)
    assert not result.get("isError"), text(result)
    return text(result)


def refused(wire: Wire, tool: str, /, **arguments: Any) -> str:
    """An error's text; an answer that is none fails the test."""
    result = call(wire, tool, **arguments)
    assert result.get("isError"), text(result)
    return text(result)


def text(result: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")


def below(pid: int) -> list[psutil.Process]:
    """Every living process below one."""
    return [p for p in psutil.Process(pid).children(recursive=True) if alive(p)]


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def browsers_below(pid: int) -> list[psutil.Process]:
    """The browser's main processes below one: those that are no helper of another."""
    found: list[psutil.Process] = []
    for process in below(pid):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if any("--remote-debugging-pipe" in word for word in words) and not any(w.startswith("--type=") for w in words):
            found.append(process)
    return found


async def gone(processes: list[psutil.Process], *, within_s: float) -> None:
    """Wait until none of these lives."""
    with anyio.fail_after(within_s):
        while any(alive(p) for p in processes):  # noqa: ASYNC110 - the end of another's child is no event of ours
            await anyio.sleep(0.02)
