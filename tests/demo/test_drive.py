"""The demo as a person runs it: one command, the real server, a real browser. (What shows less of it is asked for here by
the command's function.)"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from notte_mcp.demo.drive import main
from tests.site import Site


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`notte-mcp demo` with these arguments, in a process of its own."""
    env = os.environ | environment
    command = [sys.executable, "-m", "notte_mcp", "demo", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=110, check=False)


@pytest.fixture(name="browser", scope="module")
def _browser(chromium: Path) -> dict[str, str]:
    """Which browser, and as root without its sandbox."""
    return {"NOTTE_MCP_BROWSER": str(chromium)} | ({"NOTTE_MCP_NO_SANDBOX": "1"} if os.geteuid() == 0 else {})


@pytest.fixture(name="shown", scope="module")
def _shown(
    tmp_path_factory: pytest.TempPathFactory, browser: dict[str, str]
) -> tuple[subprocess.CompletedProcess[str], str]:
    """The whole demo, and the script that it left."""
    script = tmp_path_factory.mktemp("demo") / "order.py"
    done = run("--out", str(script), **browser)
    assert done.returncode == 0, done.stdout + done.stderr
    return done, script.read_text()


def test_the_demo_orders_by_hand(shown: tuple[subprocess.CompletedProcess[str], str]) -> None:
    """The main job: start, see, act, read."""
    done, script = shown

    assert "Order KK-10001 was placed in " in done.stdout
    assert len(re.findall(r"\d+ ms +\d+ tokens", done.stdout.partition("Second act")[0])) == 5
    assert "tea-at-four" not in done.stdout + done.stderr + script


def test_in_the_second_act_an_agent_orders_and_is_paused_and_told_something_on_its_way(
    shown: tuple[subprocess.CompletedProcess[str], str],
) -> None:
    """Watched, paused after a step, acted for, told, resumed: each is a call, and the shop has the order it claims."""
    act = shown[0].stdout.partition("Second act")[2].partition("Third act")[0]
    lines = act.splitlines()

    assert "The agent's answer: Ordered; the number is KK-10002." in act
    tools = re.findall(r"^ *\d+  (notte_\w+)", act, re.MULTILINE)
    assert tools[0] == "notte_start"
    assert tools.count("notte_steer") == 3
    told = [
        line.split()[0] for line in lines[lines.index(_line(lines, "read of the pause")) :] if line.startswith(" " * 7)
    ]
    assert told == ["paused", _line(lines, "Access code").split()[0], "message", "resumed"]
    assert re.search(r"\d+ model +click B\d+ \"Place order\" -> \S+/orders/KK-10002 \(200\)", act)


def test_in_the_third_act_the_order_is_proved_kept_and_run_for_somebody_else(
    shown: tuple[subprocess.CompletedProcess[str], str],
) -> None:
    """The script is proved step by step and as it is, then runs by its name with other parameters and no model."""
    act = shown[0].stdout.partition("Third act")[2]

    assert "its steps ordered KK-10003 and the script by itself KK-10004, both the same as KK-10001" in act
    assert "Order KK-10005 is for Grace Kettle" in act
    assert "Last verified 20" in shown[1]


def test_what_happened_is_left_to_be_looked_at_beside_the_script(
    shown: tuple[subprocess.CompletedProcess[str], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A player and a video of the session and of the agent; the access code is in none of them."""
    told = shown[0].stdout.partition("can be seen again")[2].splitlines()
    paths = [Path(line.strip()) for line in told if line.startswith("  ")]
    pages = [path.read_text(encoding="utf-8") for path in paths if path.suffix == ".html"]

    names = ["order.html", "order.mp4", "order-by-agent.html", "order-by-agent.mp4"]
    assert [path.name for path in paths] == names
    assert all(path.is_relative_to(tmp_path_factory.getbasetemp()) for path in paths)
    assert "Order now" in pages[0]
    assert '"event":"paused"' in pages[1]
    assert "Please have it wrapped as a gift" in pages[1]
    for path in paths:
        assert b"tea-at-four" not in path.read_bytes()


def _line(lines: list[str], part: str) -> str:
    return next(line for line in lines if part in line)


def test_another_page_is_shown_as_an_assistant_sees_it(
    site: Site, browser: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _set(monkeypatch, browser)

    code = main(["--url", site.url("/form.html")])

    said = capsys.readouterr()
    assert code == 0, said
    assert re.search(r'I\d+ textbox "Applicant" required', said.out)
    assert site.hits["/form.html"] == 1
    assert "Second act" not in said.out


def test_a_page_that_does_not_load_fails_with_the_reason(
    browser: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _set(monkeypatch, browser)

    assert main(["--url", "http://127.0.0.1:9/"]) == 1
    assert "did not load" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to be told")
def test_root_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NOTTE_MCP_NO_SANDBOX", raising=False)

    assert main([]) == 1
    assert "NOTTE_MCP_NO_SANDBOX=1" in capsys.readouterr().err


def _set(monkeypatch: pytest.MonkeyPatch, browser: dict[str, str]) -> None:
    for name, value in browser.items():
        monkeypatch.setenv(name, value)
