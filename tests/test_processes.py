"""What is left of processes that were ended."""

import sys
from subprocess import PIPE
from typing import Any

import anyio
import pytest

from notte_mcp.processes import let_go

pytestmark = pytest.mark.anyio


async def test_the_pipes_of_a_process_that_was_ended_are_closed_though_nobody_reads_on() -> None:
    """By themselves they would be the garbage collector's: what the process said last is never read."""
    flood = "import sys\nwhile True: sys.stdout.write('x' * 100_000)"
    process = await anyio.open_process([sys.executable, "-c", flood], stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    with anyio.fail_after(20):
        await process.stdout.receive()
        process.kill()
        await let_go(process)
    transport: Any = getattr(getattr(process, "_process"), "_transport")  # noqa: B009 - it is nobody's business else
    pipes: list[Any] = [transport, *(transport.get_pipe_transport(number) for number in range(3))]
    assert process.returncode is not None
    assert all(pipe is None or pipe.is_closing() for pipe in pipes)
    await let_go(process)
    await let_go(None)
