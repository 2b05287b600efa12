"""A script in the async form played in this process, on a Chromium that runs: all of it but the start of its browser.

What a script does with a process of its own (the browser that it starts, its options and exit code as its user has
them) is shown by those that are run as one (`test_playwright_scripts`): each such start costs seconds of a processor.

Below: Playwright. Above: tests that look at what a script left behind.
"""

import contextlib
import io
import os
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it, as of a process."""

    returncode: int
    stdout: str
    stderr: str


async def play(
    code: str, folder: Path, browser: Browser, *, options: Sequence[str] = (), secrets: Mapping[str, str] | None = None
) -> Played:
    """Play it in `folder`, with these options and this much more environment; its contexts are gone in the end."""

    @asynccontextmanager
    async def lent(*_: object) -> AsyncGenerator[Browser]:
        before = set(browser.contexts)
        try:
            yield browser
        finally:
            for context in set(browser.contexts) - before:
                await context.close()

    async def launch(*_: object) -> Any:
        return lent()

    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    names: dict[str, Any] = {"__name__": "recorded", "__file__": str(script)}
    out, err = io.StringIO(), io.StringIO()
    with _as_its_own([str(script), *options], folder, secrets or {}, out, err):
        exec(compile(code, script, "exec"), names)  # noqa: S102 - what was written is what is tested
        names |= {"async_playwright": lent, "launch": launch}
        code_of_end: int = await names["main"]()
    return Played(code_of_end, out.getvalue(), err.getvalue())


@contextmanager
def _as_its_own(
    arguments: list[str], folder: Path, environment: Mapping[str, str], out: io.StringIO, err: io.StringIO
) -> Generator[None]:
    """What a process has of its own is this one's for a while."""
    kept = os.environ.copy(), sys.argv
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        os.environ.update(environment)
        sys.argv = arguments
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept[0])
            sys.argv = kept[1]
