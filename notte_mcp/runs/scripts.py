"""The rendered script itself, run as the file that a user would have: in a process and a folder of its own.

Its environment holds what it takes to find a browser, and the secrets that it names. It ends at its deadline, with
all that it started, and its folder goes with it.

Below: processes, values, workflows. Above: run.
"""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
from anyio.abc import Process

from notte_mcp.caller import environment
from notte_mcp.processes import let_go
from notte_mcp.registry import Redactor
from notte_mcp.runs.processes import Tail, begin, end_tree
from notte_mcp.runs.values import Values
from notte_mcp.workflow_records import ScriptRun
from notte_mcp.workflows import Target

DEADLINE_S: Final = 120.0
"""How long a script may take, or three times what the steps took where that is longer."""

TAIL_CHARS: Final = 2_000
"""Characters of what it said that are kept."""

_KEPT: Final = ("PATH", "HOME", "LANG", "PLAYWRIGHT_BROWSERS_PATH", "SYSTEMROOT")
_PYTEST: Final = "pytest_playwright"
_STATE_OPTION: Final = "--storage-state"
_LOGIN: Final = "login.json"

_ROW: Final = """\
GIVEN = {given!r}


def pytest_collection_modifyitems(items):
    for item in items:
        params = item.callspec.params
        params.update((name, type(params[name])(text)) for name, text in GIVEN.items())
"""
"""The values of this run in place of the recorded row's, beside a test that stays as it was written."""

# What a script is not run for, and why.
_NOT_RUN: Final = {
    "notte": "not run: this form drives a browser in the Notte cloud, or of a `notte-mcp api`, by its address and key; "
    "its steps were verified, by the engine that they were recorded with",
    "json": "there is no program in it",
}


@dataclass(frozen=True, slots=True)
class Script:
    """A rendered script that is to be run as it is: its language and its whole text."""

    target: Target
    text: str


@dataclass(frozen=True, slots=True)
class Errand:
    """A script with what it is run with. `login` is the state that it begins with, in Playwright's form."""

    script: Script
    values: Values
    login: dict[str, Any] | None = None
    deadline_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True)
class Place:
    """Where scripts are run: the browser that they are given (None: their own way of finding one), whether
    without its sandbox, and folders for their files: `tmp_for` gives a fresh one (0700), `drop_tmp` takes it
    back. `note_process` remembers a process that a later server ends should this one not be able to. `secrets` are the
    values of secrets that no session knows, by NAME, as whoever calls has them."""

    browser: Path | None
    no_sandbox: bool
    tmp_for: Callable[[str], Path]
    drop_tmp: Callable[[Path], None]
    note_process: Callable[[int], None]
    secrets: Callable[[], Mapping[str, str]] = environment


def unrunnable(script: Script) -> str:
    """Why this script is not run, or ""."""
    if script.target == "pytest" and importlib.util.find_spec(_PYTEST) is None:
        return (
            f"not run: pytest-playwright is not installed beside notte-mcp; {sys.executable} -m pip install "
            "pytest-playwright, then verify again"
        )
    return _NOT_RUN.get(script.target, "")


async def run_script(errand: Errand, place: Place, *, redact: Redactor) -> ScriptRun:
    """Run it to its end, or to the deadline; cancelling ends it too."""
    folder = await anyio.to_thread.run_sync(place.tmp_for, "script")
    process: Process | None = None
    try:
        command = await anyio.to_thread.run_sync(_lay_out, errand, folder)
        process = await begin(command, cwd=str(folder), env=_environment(errand, place, folder))
        place.note_process(process.pid)
        began = time.monotonic()
        output, errors = await _watched(process, str(folder), errand.deadline_s)
        seconds = time.monotonic() - began
        return _told(errand, process.returncode, seconds, redact.text(output), redact.text(errors))
    finally:
        with anyio.CancelScope(shield=True):
            if process is not None:
                await anyio.to_thread.run_sync(end_tree, process.pid, str(folder))
                await process.aclose()
                await let_go(process)
            await anyio.to_thread.run_sync(place.drop_tmp, folder)


async def _watched(process: Process, folder: str, deadline_s: float) -> tuple[str, str]:
    """What it said until its end, which comes at the deadline at the latest."""
    out, err = Tail(), Tail()
    async with anyio.create_task_group() as reading:
        reading.start_soon(out.keep, process.stdout)
        reading.start_soon(err.keep, process.stderr)
        with anyio.move_on_after(deadline_s):
            await process.wait()
        # Whoever is left of it might hold the streams open.
        await anyio.to_thread.run_sync(end_tree, process.pid, folder)
    await process.wait()
    return out.text, err.text


def _told(errand: Errand, code: int | None, seconds: float, output: str, errors: str) -> ScriptRun:
    late = seconds >= errand.deadline_s
    if late:
        message = f"ended after {errand.deadline_s:.0f} s: it takes too long"
    elif code:
        message = f"exit code {code}"
    else:
        message = ""
    return ScriptRun(
        code == 0, message, None if late else code, round(seconds, 3), output[-TAIL_CHARS:], errors[-TAIL_CHARS:]
    )


def _lay_out(errand: Errand, folder: Path) -> list[str]:
    """Write the files; gives the command."""
    script, login = errand.script, folder / _LOGIN
    file = folder / ("test_recorded.py" if script.target == "pytest" else "recorded.py")
    _write(file, script.text)
    given = errand.values.given | _files(errand.values, folder / "files")
    if errand.login is not None:
        _write(login, json.dumps(errand.login))
    if script.target == "pytest":
        # So that no configuration further up is found.
        _write(folder / "pytest.ini", "[pytest]\n")
        if given:
            _write(folder / "conftest.py", _ROW.format(given=given))
        how = ["-q", "-p", "no:cacheprovider", f"--rootdir={folder}", f"--confcutdir={folder}"]
        return [sys.executable, "-m", "pytest", *how, str(file)]
    options = [f"--{name.replace('_', '-')}={text}" for name, text in given.items()]
    state = [f"{_STATE_OPTION}={login}"] if errand.login is not None and _STATE_OPTION in script.text else []
    return [sys.executable, str(file), *options, *state]


def _files(values: Values, folder: Path) -> dict[str, str]:
    """Lay out what is uploaded; gives the paths by the parameter's name. A page may have named them, so they stand
    where nothing is imported from."""
    folder.mkdir(mode=0o700)
    paths = {name: folder / values.texts[name] for name in values.files}
    for name, path in paths.items():
        path.write_bytes(values.files[name])
    return {name: str(path) for name, path in paths.items()}


def _write(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def _environment(errand: Errand, place: Place, folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    browser = {"NOTTE_MCP_BROWSER": str(place.browser)} if place.browser is not None else {}
    sandbox = {"NOTTE_MCP_NO_SANDBOX": "1"} if place.no_sandbox else {}
    login = {"NOTTE_MCP_STORAGE_STATE": str(folder / _LOGIN)} if errand.login is not None else {}
    return {**kept, **browser, **sandbox, **login, "TMPDIR": str(folder), **errand.values.secrets}
