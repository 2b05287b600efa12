"""Rendered pytest files, run for real: another pytest, a real Chromium, and what the server saw.

All of them in one run of it: its start and its browser's are most of what a test costs.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from notte_mcp.receipts import Locators, Target
from notte_mcp.records import SessionSpec
from notte_mcp.workflows import generalise, write
from tests.workflows.desk import Desk
from tests.workflows.recording import Recording, button, textbox
from tests.workflows.test_playwright_scripts import HITS, PRINTED, odd_ends, tabs

PIN = "hunter2"


def written(recording: Recording, *seen: str) -> str:
    """The recording's test, which ends with what was seen."""
    return write(generalise(recording.steps, SessionSpec(), seen=seen), target="pytest").code


def searched(desk: Desk) -> str:
    """A secret told to the server and a search, in two rows: the recorded one, and one that a reader added below it."""
    recording = Recording().goto(desk.url("/odd"))
    recording.fill(textbox("I2", "E-mail", css="#mail"), {"secret": "PIN"})
    recording.add({"type": "evaluate_js", "code": "fetch('/hit/' + mail.value).then(() => 1)"}, data=1)
    recording.fill(textbox("I1", "Search"), "red lamp")
    recording.add({"type": "press_key", "key": "Enter"}, to=desk.url("/odd?q=red+lamp"))
    code = written(recording, "Menu")
    rows = code[code.index("        pytest.param(") : code.index("    ],\n)")]
    return code.replace(rows, rows + rows.replace("red lamp", "oil").replace("recorded", "other"))


def unset(desk: Desk) -> str:
    """A secret that nobody has set."""
    return written(Recording().goto(desk.url("/odd")).fill(textbox("I1", "Search"), {"secret": "ACCESS_CODE"}))


def lost(desk: Desk) -> str:
    """An end that does not come."""
    return written(Recording().goto(desk.url("/odd")).click(button("B5", "Work")), "All is lost")


CASES: dict[str, Callable[[Desk], str]] = {
    "searched": searched,
    "unset": unset,
    "lost": lost,
    "tabs": lambda desk: written(tabs(desk)),
    "odd_ends": lambda desk: written(odd_ends(desk)),
}


@dataclass(frozen=True)
class Ran:
    """A file's tests, and its site: what each printed, and how each failed ("" where it did not)."""

    desk: Desk
    printed: list[str]
    failures: list[str]


@pytest.fixture(name="ran", scope="module")
def _ran(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> Iterator[dict[str, Ran]]:
    """Another pytest on all files, outside of this project."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "cv.pdf").write_text("I can do it")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("NOTTE_", "PYTEST_"))}
    env |= {"NOTTE_MCP_BROWSER": str(chromium), "PIN": PIN}
    env |= {"NOTTE_MCP_NO_SANDBOX": "1"} if os.geteuid() == 0 else {}
    with ExitStack() as served:
        desks = {name: served.enter_context(Desk()) for name in CASES}
        for name, code in CASES.items():
            (folder / f"test_{name}.py").write_text(code(desks[name]), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=told.xml"]
        command += ["-o", "junit_logging=system-out"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env=env, cwd=folder)
        assert (done.returncode, done.stderr) == (1, ""), done.stdout + done.stderr
        told = ET.parse(folder / "told.xml")  # noqa: S314 - our own pytest wrote it
        tests = {name: told.findall(f".//testcase[@classname='test_{name}']") for name in CASES}
        yield {
            name: Ran(
                desks[name],
                [test.findtext("system-out", "") for test in of],
                [test.findtext("failure", "") + test.findtext("error", "") for test in of],
            )
            for name, of in tests.items()
        }


def test_a_test_does_again_what_was_recorded_and_takes_other_rows(ran: dict[str, Ran]) -> None:
    """Ours: the recorded row, and one that a reader added below it; both end where the recording did."""
    searched = ran["searched"]

    assert searched.failures == ["", ""]
    assert [path for path in searched.desk.opened if "q=" in path] == ["/odd?q=red+lamp", "/odd?q=oil"]
    assert searched.desk.hits == [PIN, PIN]


def test_a_missing_secret_fails_the_test_by_name(ran: dict[str, Ran]) -> None:
    """Ours: a skipped test would seem to pass."""
    (failure,) = ran["unset"].failures

    assert "Set these in the environment first: ACCESS_CODE" in failure
    assert ran["unset"].desk.opened == []


def test_a_test_fails_by_what_is_not_there_at_the_end(ran: dict[str, Ran]) -> None:
    """Ours: assertions that can fail."""
    (failure,) = ran["lost"].failures
    assert 'get_by_text("All is lost")' in failure
    assert "Locator expected to be visible" in failure


def test_tabs_files_frames_and_shadow_roots_are_followed_as_by_a_script(ran: dict[str, Ran]) -> None:
    """Ours: in the sync form; a file lies in the test's own folder, and what is sent last is answered before the end."""
    followed = ran["tabs"]

    assert followed.failures == [""]
    assert sorted(followed.desk.hits) == ["frame", "pressed", "second"]
    assert "\nDownloaded " in followed.printed[0]
    assert followed.printed[0].strip().endswith("invoice.txt")


def test_every_other_action_has_its_effect_as_in_a_script(ran: dict[str, Ran]) -> None:
    """Ours: in the sync form."""
    done = ran["odd_ends"]

    assert done.failures == [""]
    assert sorted(done.desk.hits) == sorted(HITS)
    assert [line for line in done.printed[0].splitlines() if line and "Captured" not in line] == PRINTED


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
