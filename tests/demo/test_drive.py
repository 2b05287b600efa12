"""The demo as a person runs it: one command, the real server, a real browser."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site import Site


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`notte-mcp demo` with these arguments, in a process of its own."""
    env = os.environ | environment
    command = [sys.executable, "-m", "notte_mcp", "demo", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=110, check=False)


@pytest.fixture(name="browser")
def _browser(chromium: Path) -> dict[str, str]:
    """Which browser, and as root without its sandbox."""
    return {"NOTTE_MCP_BROWSER": str(chromium)} | ({"NOTTE_MCP_NO_SANDBOX": "1"} if os.geteuid() == 0 else {})


def test_the_demo_orders_exports_and_orders_again(tmp_path: Path, browser: dict[str, str]) -> None:
    """The main job: start, see, act, read, take the script away, and the script works by itself."""
    script = tmp_path / "order.py"
    done = run("--out", str(script), **browser)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "It passed: order KK-10002, the same as KK-10001" in done.stdout
    assert len(re.findall(r"\d+ ms +\d+ tokens", done.stdout)) >= 7
    assert "tea-at-four" not in done.stdout + done.stderr + script.read_text()


def test_another_page_is_shown_as_an_assistant_sees_it(site: Site, browser: dict[str, str]) -> None:
    done = run("--url", site.url("/form.html"), **browser)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r'I\d+ textbox "Applicant" required', done.stdout)
    assert site.hits["/form.html"] == 1


def test_a_page_that_does_not_load_fails_with_the_reason(browser: dict[str, str]) -> None:
    done = run("--url", "http://127.0.0.1:9/", **browser)

    assert done.returncode == 1
    assert "did not load" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to be told")
def test_root_is_told_what_to_set() -> None:
    done = run(NOTTE_MCP_NO_SANDBOX="")

    assert done.returncode == 1
    assert "NOTTE_MCP_NO_SANDBOX=1" in done.stderr
