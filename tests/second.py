"""A second process to test against: what holds between processes is tried between processes."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def second_process(code: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """Run Python code in a process of its own, with its stdin and stdout as pipes; it is killed at the end."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: subprocess.Popen[str]) -> str:
    """The process's next line; waits for it."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def tell(process: subprocess.Popen[str], line: str = "") -> None:
    """Send the process a line."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
