"""A script in a process of its own: what it is given, what is told of it, and that nothing of it stays."""

import sys
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from notte_mcp.registry import Redactor
from notte_mcp.runs.scripts import Errand, Place, Script, run_script
from notte_mcp.runs.values import Values
from notte_mcp.workflow_records import ScriptRun
from tests.runs.conftest import place

pytestmark = pytest.mark.anyio

VALUES = Values(
    {"city_name": "--Oslo", "cv": "cv.pdf"}, {"SECRET_CODE": "correct horse"}, {"city_name": "--Oslo"}, {"cv": b"%PDF"}
)
HANGS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""
LEAVES = HANGS.replace("child.wait()", "")


def errand(text: str, **fields: Any) -> Errand:
    return Errand(Script(fields.pop("target", "playwright"), text), VALUES, **fields)


async def ran(text: str, where: Place, **fields: Any) -> ScriptRun:
    redact = Redactor()
    redact.add("SECRET_CODE", "correct horse")
    with anyio.fail_after(60):
        return await run_script(errand(text, **fields), where, redact=redact)


def running(where: Path) -> list[int]:
    """Processes that have their temporary files below this folder."""
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR", "").startswith(str(where)):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def left_in(folder: Path) -> list[str]:
    """The names of what is in a folder."""
    return [path.name for path in folder.iterdir()]


async def test_a_script_gets_the_values_and_the_secrets_it_names_and_nothing_else_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it prints of a secret is taken out; its folder is gone afterwards."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-nobody")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    text = "import os, sys; print(sys.argv[1:], sorted(os.environ), os.environ['SECRET_CODE']); sys.exit(3)"
    done = await ran(text, place(tmp_path))
    assert (done.passed, done.exit_code, done.message) == (False, 3, "exit code 3")
    assert "['--city-name=--Oslo', '--cv=" in done.output
    assert "'SECRET_CODE'" in done.output
    assert "[secret SECRET_CODE]" in done.output
    assert "correct horse" not in done.output
    assert "ANTHROPIC" not in done.output
    assert "PYTEST" not in done.output
    assert left_in(tmp_path) == []


async def test_only_the_end_of_what_a_script_says_is_kept(tmp_path: Path) -> None:
    """Two thousand characters of each stream."""
    done = await ran("import sys\nfor n in range(100_000): print(n)\nprint('oh', file=sys.stderr)", place(tmp_path))
    assert (done.passed, done.errors, len(done.output)) == (True, "oh\n", 2_000)
    assert done.output.endswith("99999\n")


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
@pytest.mark.parametrize("text", [HANGS, LEAVES], ids=["hangs", "leaves a child behind"])
async def test_a_script_is_ended_with_all_that_it_started(tmp_path: Path, text: str) -> None:
    """Also what has a process group of its own, as a browser has."""
    done = await ran(text, place(tmp_path), deadline_s=3 if text is HANGS else 60)
    child = int(done.output)
    assert done.passed is (text is LEAVES)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    assert running(tmp_path) == []


async def test_a_script_whose_run_is_cancelled_is_ended_too(tmp_path: Path) -> None:
    """As when a run is stopped, or the server ends."""
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: ran(HANGS, place(tmp_path), deadline_s=600))
            while len(running(tmp_path)) < 2:  # noqa: ASYNC110 - another process says nothing when it starts
                await anyio.sleep(0.05)
            group.cancel_scope.cancel()
    assert running(tmp_path) == []
    assert left_in(tmp_path) == []


ROWS = """
from pathlib import Path
import pytest

@pytest.mark.parametrize(("city_name", "cv"), [pytest.param("Rome", Path("cv.pdf"), id="recorded")])
def test_it(city_name: str, cv: Path) -> None:
    assert (city_name, cv.read_bytes()) == ("--Oslo", b"%PDF")
"""


async def test_a_test_is_run_by_pytest_with_the_values_of_the_run_and_no_configuration_of_the_project(
    tmp_path: Path,
) -> None:
    """They take the place of the row that was recorded; the test itself stays as it was written."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    done = await ran(ROWS, place(tmp_path), target="pytest")
    assert (done.passed, done.message) == (True, ""), done.output
    failed = await ran(ROWS.replace("--Oslo", "Rome"), place(tmp_path), target="pytest")
    assert (failed.passed, failed.exit_code) == (False, 1)
    assert "--Oslo" in failed.output


async def test_a_file_to_upload_is_an_option_and_nothing_that_a_script_could_import(tmp_path: Path) -> None:
    """A page chose its name."""
    values = Values({"cv": "json.py"}, {}, {}, {"cv": b"raise SystemExit(9)"})
    text = "import json, sys; path = sys.argv[1]; print(path, open(path.partition('=')[2]).read())"
    with anyio.fail_after(60):
        done = await run_script(Errand(Script("playwright", text), values), place(tmp_path), redact=Redactor())
    assert (done.exit_code, "/files/json.py raise SystemExit(9)" in done.output) == (0, True)
    assert left_in(tmp_path) == []
