"""Notte's own SDKs as judges: each in a virtual environment of its own, whose scripts are processes with it imported.

`make test` makes both environments at the repository's root; a machine without them fails, it does not skip.
A script is given where the API is and its key, and nothing else of the one who runs the tests. What it tells
are lines of JSON on stdout.
"""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, Literal

import anyio.to_thread
import pytest

from tests.forks import Forked

Sdk = Literal["1.9", "1.10"]

_ROOT: Final = Path(__file__).parents[1]

_IMPORTED: Final = ("notte_sdk", "pydantic")
_BEGIN: Final = """
import asyncio, runpy, sys
asyncio.set_event_loop(asyncio.new_event_loop())  # 1.10 makes one as it is imported, which is no other process's
"""
_RUN: Final = f"""{_BEGIN}
del sys.argv[0]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a script ended with."""

    code: int
    stdout: str
    stderr: str

    @property
    def told(self) -> list[Any]:
        """Its lines of JSON, in order; what else it printed (the SDK prints, too) is left out."""
        found: list[Any] = []
        for line in self.stdout.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found


def sdk_python(version: Sdk) -> Path:
    """The Python that has this SDK; the test fails where there is none."""
    path = _ROOT / f".venv-sdk-{version}" / "bin" / "python"
    if not path.exists():
        pytest.fail(f"{path} is missing: `make test` makes it (or `make .venv-sdk-{version}/.made`)")
    return path


def run_script(
    version: Sdk,
    script: str | Path,
    *,
    url: str,
    key: str,
    arguments: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout_s: float = 110,
    must_succeed: bool = True,
) -> Ran:
    """Run a script (its text, or its file) with one of the SDKs. A script that fails or lasts fails the test."""
    python = sdk_python(version)
    words = ["-c", _RUN, str(script)] if isinstance(script, Path) else ["-c", _BEGIN + script]
    given = _environment(python, url, key) | (environment or {})
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr, tempfile.TemporaryFile() as said:
        said.write((stdin or "").encode())
        said.seek(0)
        process = Forked(
            [*words, *arguments], env=given, stdin=said, stdout=stdout, stderr=stderr, cwd=cwd,
            of=(str(python), *_IMPORTED),
        )  # fmt: skip
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"the script did not end within {timeout_s:.0f} s\n{_tail(stdout)}\n{_tail(stderr)}")
        if must_succeed and code:
            pytest.fail(f"the script ended with {code}\n{_tail(stdout)}\n{_tail(stderr)}")
        return Ran(code, _all(stdout), _all(stderr))


async def run_script_beside(version: Sdk, script: str | Path, *, url: str, key: str, **rest: Any) -> Ran:
    """The same, for a test whose own process serves the API: its event loop goes on meanwhile."""
    return await anyio.to_thread.run_sync(partial(run_script, version, script, url=url, key=key, **rest))


def _environment(python: Path, url: str, key: str) -> dict[str, str]:
    """The API, its key, no telemetry, a home beside the SDK (it writes there). All that is not on loopback is refused
    at once: offline, the SDK's question for a newer version would else wait for a name server."""
    return {
        "NOTTE_API_URL": url,
        "NOTTE_API_KEY": key,
        "DISABLE_TELEMETRY": "true",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": os.environ["PATH"],
        "HOME": str(python.parents[1] / "home"),
        "PYTHONUNBUFFERED": "1",
    }


def _all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _tail(file: IO[bytes]) -> str:
    return _all(file)[-4000:]
