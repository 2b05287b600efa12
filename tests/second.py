"""A second process to test against: what holds between processes is tried between processes."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from tests.forks import PIPE, Forked


@contextmanager
def second_process(code: str, *arguments: str) -> Generator[Forked]:
    """Run Python code in a process of its own, with its stdin and stdout as pipes of text; it is killed at the end."""
    with Forked(["-c", code, *arguments], env=os.environ, stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: Forked) -> str:
    """The process's next line; waits for it."""
    assert process.stdout is not None
    line: str = process.stdout.readline()
    return line.rstrip("\n")


def tell(process: Forked, line: str = "") -> None:
    """Send the process a line."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
