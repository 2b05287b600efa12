"""Rendered pytest files, run for real: another pytest, a real Chromium, and what the server saw."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notte_mcp.receipts import Download, Locators, Target
from notte_mcp.records import SessionSpec
from notte_mcp.workflows import generalise, write
from tests.workflows.desk import Desk
from tests.workflows.recording import Recording, button, element, textbox
from tests.workflows.test_playwright_scripts import CODE, SENT, request


@pytest.fixture(name="desk")
def _desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


def run(
    code: str, folder: Path, chromium: Path, *, secrets: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Another pytest on the file, outside of this project."""
    (folder / "cv.pdf").write_text("I can do it")
    (folder / "test_it.py").write_text(code, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("NOTTE_", "PYTEST_"))}
    env |= {"NOTTE_MCP_BROWSER": str(chromium)} | ({"NOTTE_MCP_NO_SANDBOX": "1"} if os.geteuid() == 0 else {})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-s", "test_it.py"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env=env | (secrets or {}), cwd=folder
    )


def written(recording: Recording, *seen: str) -> str:
    """The recording's test, which ends with what was seen."""
    return write(generalise(recording.steps, SessionSpec(), seen=seen), target="pytest").code


def test_a_test_does_again_what_was_recorded_and_takes_other_rows(desk: Desk, tmp_path: Path, chromium: Path) -> None:
    """Ours: the recorded row, and one that a reader added below it; both end where the recording did."""
    code = written(request(desk), "Order number 7", "Ada", "Invoice")
    row = code[code.index("        pytest.param(") : code.index("    ],\n)")]
    other = row.replace("South", "North").replace("recorded", "other")
    done = run(code.replace(row, row + other), tmp_path, chromium, secrets={"ACCESS_CODE": CODE})

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert desk.arrived == [SENT, SENT | {"district": "n"}]


def test_a_test_fails_by_what_is_not_there_at_the_end(desk: Desk, tmp_path: Path, chromium: Path) -> None:
    """Ours: assertions that can fail."""
    recording = Recording().goto(desk.url("/odd")).click(button("B5", "Work"))
    done = run(written(recording, "All is lost"), tmp_path, chromium)

    assert done.returncode == 1
    assert 'get_by_text("All is lost")' in done.stdout
    assert "Locator expected to be visible" in done.stdout


def test_a_missing_secret_fails_the_test_by_name(desk: Desk, tmp_path: Path, chromium: Path) -> None:
    """Ours: a skipped test would seem to pass."""
    done = run(written(request(desk)), tmp_path, chromium)

    assert done.returncode == 1
    assert "Set these in the environment first: ACCESS_CODE" in done.stdout
    assert desk.opened == []


def test_what_a_step_sends_is_answered_before_the_test_goes_on(desk: Desk, tmp_path: Path, chromium: Path) -> None:
    """Ours: tabs, files, and a request that would be cut off by the end."""
    recording = Recording().goto(desk.url("/sent?code=me"))
    invoice = element("L1", "link", "Invoice")
    recording.add({"type": "download_file", "id": "L1"}, invoice, downloads=(Download("invoice.txt", 12),))
    recording.click(element("L2", "link", "Details"), to=desk.url("/details/7"), new_tab=1)
    recording.click(button("B3", "Close this"), to=desk.url("/sent?code=me"), tab_closed=True)
    recording.goto(desk.url("/odd")).fill(textbox("I1", "Search"), "lamp")
    recording.add({"type": "evaluate_js", "code": "document.title"}, data="Odd ends")
    recording.click(button("B4", "Bold"), sent=(f"GET {desk.url('/hit/pressed')}",))
    done = run(written(recording), tmp_path, chromium)

    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.hits == ["pressed"]
    assert '"Odd ends"' in done.stdout


def test_a_frame_is_named_once_while_its_page_is_the_same() -> None:
    """Ours: a name that is given twice in a row is noise."""
    place = Locators(role=("button", "B" * 70), frame=("#outer-frame-of-the-application", "#inner-frame"))
    press = Target("B1", "button", "B" * 70, place)
    recording = Recording().goto("http://h.test/").click(press).click(press)
    code = written(recording)
    again = written(
        recording.add({"type": "goto_new_tab", "url": "http://h.test/b"}, to="http://h.test/b").click(press)
    )

    assert (code.count("frame = "), again.count("frame = ")) == (1, 2)
