"""Playwright scripts, run for real: on a real Chromium, by what the server saw; two of them as files, in a process of their
own. The sync form of the others is in `test_pytest_scripts`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread
import pytest

from notte_mcp.receipts import Download, Locators, Target
from notte_mcp.records import SessionSpec
from notte_mcp.workflows import Style, write_code
from tests.browsers import Browsers
from tests.workflows.desk import Desk
from tests.workflows.playing import Played, play
from tests.workflows.recording import Recording, button, element, textbox

pytestmark = pytest.mark.anyio

CODE = "correct horse"


@pytest.fixture(name="desk")
def _desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


def written(recording: Recording, style: Style) -> str:
    """Its script."""
    return write_code(recording.steps, SessionSpec(), target="playwright", style=style).code


class Runner:
    """Writes a recording's script to a folder and runs it there."""

    def __init__(self, folder: Path, chromium: Path, browsers: Browsers) -> None:
        self.folder = folder
        self._chromium = chromium
        self._browsers = browsers

    async def play(self, recording: Recording, *options: str, secrets: dict[str, str] | None = None) -> Played:
        """What came of it, in the async form, on the Chromium of these tests."""
        browser = (await self._browsers.home()).browser
        return await play(written(recording, "async"), self.folder, browser, options=options, secrets=secrets)

    async def run(
        self, recording: Recording, *options: str, style: Style, secrets: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """The finished process. Chromium is named on the command line, and in nothing else."""
        (self.folder / "script.py").write_text(written(recording, style), encoding="utf-8")
        env = {name: value for name, value in os.environ.items() if not name.startswith("NOTTE_")} | secrets
        if os.geteuid() == 0:
            env["NOTTE_MCP_NO_SANDBOX"] = "1"
        command = [sys.executable, "script.py", "--browser", str(self._chromium), *options]
        return await anyio.to_thread.run_sync(
            lambda: subprocess.run(
                command, capture_output=True, text=True, timeout=100, check=False, env=env, cwd=self.folder
            )
        )


@pytest.fixture(name="runner")
def _runner(tmp_path: Path, chromium: Path, browsers: Browsers) -> Runner:
    (tmp_path / "cv.pdf").write_text("I can do it")
    return Runner(tmp_path, chromium, browsers)


def request(desk: Desk) -> Recording:
    """A permit requested: every control of the form, a dialog answered, the page it leads to."""
    recording = Recording().goto(desk.url("/form"))
    recording.fill(textbox("I1", "Applicant"), "Ada").fill(textbox("I1", "Applicant"), 'Ada "L" \\ 名\u202e')
    recording.fill(element("I2", "password", "Access code", label="Access code"), {"secret": "ACCESS_CODE"})
    recording.fill(textbox("I3", "Note"), "soon", clear_before_fill=False)
    district = element("I4", "combobox", "District", role=("combobox", "District"), css='select[name="district"]')
    recording.add({"type": "select_dropdown_option", "id": "I4", "value": "South"}, district)
    recording.add(
        {"type": "select_dropdown_option", "id": "I5", "value": "oslo"}, element("I5", "combobox", "City"), value="Oslo"
    )
    recording.add({"type": "check", "id": "B1"}, element("B1", "checkbox", "I accept the terms"))
    recording.add(
        {"type": "upload_file", "id": "I6", "path": "cv.pdf"}, element("I6", "file", "Your CV", label="Your CV")
    )
    keyed = textbox("I7", "Key by key", placeholder="Key by key")
    recording.add({"type": "fallback_fill", "id": "I7", "value": "abcd"}, keyed)
    recording.add({"type": "scroll_down"}).add({"type": "handle_dialog", "value": "accept"})
    return recording.click(button("B2", "Send request"), to=desk.url("/sent?number=7&code=[secret ACCESS_CODE]"))


SENT = {
    "applicant": 'Ada "L" \\ 名\u202e',
    "code": CODE,
    "note": "Note: soon",
    "district": "s",
    "terms": "on",
    "cv": "I can do it",
    "city": "Oslo",
    "keyed": "abcd",
    "keys": "4",
}


async def test_a_script_does_again_what_was_recorded(desk: Desk, runner: Runner) -> None:
    """Ours: the server receives what it received when it was recorded, and the secret from the environment."""
    done = await runner.run(request(desk), style="sync", secrets={"ACCESS_CODE": CODE})

    assert (done.returncode, done.stderr) == (0, "")
    assert desk.arrived == [SENT]
    # The address and the title hold the secret; what is printed does not (P9).
    assert done.stdout.splitlines() == [desk.url("/sent?number=1042&code=correct%20horse"), "Sent by [ACCESS_CODE]"]


async def test_options_take_the_place_of_what_was_typed(desk: Desk, runner: Runner) -> None:
    """Ours: each typed text is the default of an option."""
    (runner.folder / "other.txt").write_text("me too")
    options = ["--applicant=-B-", "--district=North", "--city", "Oslo West", "--your-cv", "other.txt"]
    done = await runner.run(request(desk), *options, style="async", secrets={"ACCESS_CODE": "x"})

    assert (done.returncode, done.stderr) == (0, "")
    assert desk.arrived == [
        SENT | {"applicant": "-B-", "code": "x", "district": "n", "city": "Oslo West", "cv": "me too"}
    ]
    assert done.stdout.splitlines() == [desk.url("/sent?number=1042&code=[ACCESS_CODE]"), "Sent by [ACCESS_CODE]"]


async def test_a_missing_secret_is_named_before_anything_is_done(desk: Desk, runner: Runner) -> None:
    """Ours: exit code 1, and the variable to set."""
    done = await runner.play(request(desk))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Set these in the environment first: ACCESS_CODE\n"
    assert desk.opened == []


async def test_a_script_that_cannot_go_on_says_why_and_ends_with_1(desk: Desk, runner: Runner) -> None:
    """P9: also when the reason holds the secret."""
    recording = Recording().goto(desk.url("/form"))
    recording.fill(element("I2", "password", "Access code", label="Access code"), {"secret": "ACCESS_CODE"})
    recording.goto("http://127.0.0.1:1/[secret ACCESS_CODE]")
    done = await runner.play(recording, secrets={"ACCESS_CODE": "hunter2"})

    assert (done.returncode, done.stdout) == (1, "")
    assert "http://127.0.0.1:1/[ACCESS_CODE]" in done.stderr
    assert "hunter2" not in done.stderr


def tabs(desk: Desk) -> Recording:
    """What receipts tell of other places: frames, shadow roots, a file, tabs that come, go and are gone back to, and
    in the end a request that would be cut off by it."""
    recording = Recording().goto(desk.url("/sent?code=me"))
    inside = Locators(role=("button", "Press me"), frame=("#outer", 'iframe[name="inner"]'))
    recording.click(Target("B1", "button", "Press me", inside))
    shadow = Locators(role=("button", "Open"), css="#second >> button", shadow=True)
    recording.click(Target("B2", "button", "Open", shadow))
    invoice = element("L1", "link", "Invoice")
    recording.add({"type": "download_file", "id": "L1"}, invoice, downloads=(Download("invoice.txt", 12),))
    recording.click(element("L2", "link", "Details"), to=desk.url("/details/7"), new_tab=1)
    recording.click(button("B3", "Close this"), to=desk.url("/sent?code=me"), tab_closed=True)
    recording.add({"type": "goto_new_tab", "url": desk.url("/odd")}, to=desk.url("/odd"), new_tab=1)
    recording.add({"type": "switch_tab", "tab_index": 0}, to=desk.url("/sent?code=me"))
    recording.add({"type": "switch_tab", "tab_index": -1}, to=desk.url("/odd"))
    recording.add({"type": "close_tab"}, to=desk.url("/sent?code=me"))
    recording.add({"type": "wait_for", "value": "order NUMBER"}).goto(desk.url("/odd"))
    return recording.click(button("B4", "Bold"), sent=(f"GET {desk.url('/hit/pressed')}",))


async def test_tabs_files_frames_and_shadow_roots_are_followed(desk: Desk, runner: Runner) -> None:
    """Ours: what the receipts say an action brought is waited for where it comes."""
    done = await runner.play(tabs(desk), "--downloads", "files")

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(desk.hits) == ["frame", "pressed", "second"]
    assert (runner.folder / "files" / "invoice.txt").read_text() == "1042: 12 EUR"
    lines = [f"Downloaded {Path('files', 'invoice.txt')}", desk.url("/odd"), "Odd ends"]
    assert done.stdout.splitlines() == lines


def odd_ends(desk: Desk) -> Recording:
    """Pointer, keys, dialogs, scripts, waiting, forms; in the end a navigation to where the page already is: its
    address cannot tell the two pages apart, only the navigation can."""
    odd = desk.url("/odd")
    recording = Recording().goto(desk.url("/odd").removeprefix("http://"))
    recording.add({"type": "hover", "id": "M1"}, element("M1", "clickable", "Menu", text="Menu", css="#menu"))
    recording.click(button("B1", "Hidden entry"))
    card = element("M2", "clickable", "Card", css="#card")
    recording.add(
        {"type": "drag", "id": "M2", "to_id": "M3"}, card, destination=element("M3", "clickable", "Pile", css="#pile")
    )
    recording.add({"type": "double_click", "id": "M4"}, element("M4", "clickable", "Twice", css="#twice"))
    recording.add({"type": "handle_dialog", "value": "accept", "answer": "because of it"}).click(button("B2", "Ask"))
    recording.add({"type": "handle_dialog", "value": "accept"}).click(button("B2", "Ask"))
    recording.add({"type": "check", "id": "B3"}, button("B3", "Bold"))
    recording.add({"type": "upload_file", "id": "B4", "path": "cv.pdf"}, button("B4", "Choose a file"))
    recording.click(button("B5", "Work")).add({"type": "wait_for", "value": "All done"})
    recording.add({"type": "wait_for", "gone": "Working"}).add({"type": "wait", "time_ms": 9_000})
    recording.add({"type": "form_fill", "value": {"first_name": "Ada", "email": "a@h.test", "country": "Norway"}})
    script = "const all = [...document.querySelectorAll('form:last-of-type :is(input, select)')];\nreturn all.map(e => e.value)"
    recording.add({"type": "evaluate_js", "code": script}, data=["Ada"])
    recording.add({"type": "evaluate_js", "code": "const two = ['a', 'b']; two.length;"}, data=2)
    recording.add({"type": "evaluate_js", "code": "{ one: 1 };"}, data={"one": 1})
    recording.fill(textbox("I1", "Search"), "lamp")
    recording.add({"type": "press_key", "key": "Enter"}, to=odd + "?q=lamp").add({"type": "reload"}, to=odd + "?q=lamp")
    search = {"type": "fill", "id": "I1", "value": "oil", "press_enter": True}
    recording.add(search, textbox("I1", "Search"), to=odd + "?q=oil")
    return recording.add({"type": "scrape", "selector": "#pile"}, data="Pile")


HITS = ["menu", "drop", "twice", "because%20of%20it", "because", "pressed", "cv.pdf"]
"""What arrives of them, in any order."""

PRINTED = ['["Ada", "a@h.test", "Norway"]', "2", '{"one": 1}', "Pile"]


async def test_every_other_action_has_its_effect(desk: Desk, runner: Runner) -> None:
    """Ours: what was read is printed, where it led to last."""
    done = await runner.play(odd_ends(desk))

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(desk.hits) == sorted(HITS)
    assert done.stdout.splitlines() == [*PRINTED, desk.url("/odd?q=oil"), "Odd ends"]
