"""A browser that somebody else runs, behind its CDP URL: used, and left as it was."""

import os
import re
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.whole import facts, refused, told, whole
from tests.site import Site


@pytest.fixture
def foreign(chromium: Path, tmp_path: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A Chromium with a debugging port on loopback, and its CDP URL."""
    flags = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={tmp_path / 'theirs'}"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    process = subprocess.Popen([str(chromium), *flags, "about:blank"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        url = next(found.group() for line in process.stderr if (found := re.search(r"ws://\S+", line)))
        yield process, url
    finally:
        process.kill()
        process.communicate()


def test_a_session_in_a_foreign_browser_acts_there_and_leaves_it_running_and_one_that_is_not_there_is_told(
    tmp_path: Path, site: Site, foreign: tuple[subprocess.Popen[str], str]
) -> None:
    """Contract: any CDP endpoint through `session.cdp_url`; what is not ours is not ended."""
    process, url = foreign
    with whole(tmp_path / "state") as wire:
        started = facts(wire, "notte_start", url=site.url("/form.html"), session={"cdp_url": url})
        found = re.search(r'(B\d+) button "Send request"', started["observation"])
        field = re.search(r'(I\d+) textbox "Applicant"', started["observation"])
        assert found is not None
        assert field is not None
        actions = [{"type": "fill", "id": field[1], "value": "Ada"}, {"type": "click", "id": found[1]}]
        assert "Request received" in told(wire, "notte_execute", actions=actions)
        assert site.submissions[-1].value("applicant") == "Ada"
        assert facts(wire, "notte_stop", id=started["session_id"])["state"] == "stopped"
        assert process.poll() is None

        # Where nothing answers the session is not there, and the reason is.
        assert "No browser answers" in refused(wire, "notte_start", session={"cdp_url": "http://127.0.0.1:1/"})
