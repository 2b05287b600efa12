"""What a killed server leaves behind, and what a restart keeps: the steps, the place, the login, the numbers."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.whole import below, facts, gone, refused, told, whole
from tests.site import Site
from tests.stdio.wire import Wire

pytestmark = pytest.mark.anyio

MARK = {"type": "evaluate_js", "code": "document.cookie + localStorage.getItem('mark')"}


def run_folders(state: Path) -> list[str]:
    return [p.name for p in (state / "run").iterdir()] if (state / "run").exists() else []


def ids(shown: str) -> set[str]:
    return {word for word in shown.split() if word[:1] in "BLIFMO" and word[1:].isdigit()}


def logged_in(wire: Wire, site: Site, state: Path) -> str:
    """The id of a session with a cookie and something stored, once both are on disk."""
    session = facts(wire, "notte_start", url=site.url("/set-cookie?name=who&value=ada"))["session_id"]
    keep = [
        {"type": "goto", "url": site.url("/form.html")},
        {"type": "evaluate_js", "code": "localStorage.setItem('mark', 'kept')"},
        {"type": "reload"},
    ]
    told(wire, "notte_execute", actions=keep)
    saved_state = state / "sessions" / session / "state.json"
    while "kept" not in (saved_state.read_text() if saved_state.exists() else ""):
        told(wire, "notte_execute", actions=[{"type": "reload"}], observe="none")
        facts(wire, "notte_status", id=session, wait_seconds=1)  # few steps, so that their log is one page
    return str(session)


def untouched_by_another(state: Path, session: str) -> None:
    """P7: each server owns its sessions; the other can read them and says whose they are."""
    with whole(state) as other:
        assert facts(other, "notte_status", id=session)["state"] in ("ready", "busy")
        assert "another" in refused(other, "notte_observe", session_id=session)
        assert "another" in refused(other, "notte_start", session_id=session)


def cleared_by_the_next(wire: Wire, session: str, state: Path) -> None:
    """P4: folders and the record are put right at the next start."""
    status = facts(wire, "notte_status", id=session)
    assert (status["state"], status["reason"]) == ("interrupted", "restart")
    assert session in status["next"]
    assert len([name for name in run_folders(state) if not name.endswith(".lock")]) == 1


async def test_a_killed_server_leaves_no_browser_and_a_session_that_goes_on_where_it_was(
    tmp_path: Path, site: Site
) -> None:
    """P1, P3, P4, P7: what the caller has heard of is on disk, no other server has taken it, and a restored session has its
    place, its login and its numbers."""
    state = tmp_path / "state"
    with whole(state) as wire:
        session = logged_in(wire, site, state)
        untouched_by_another(state, session)
        shown = told(wire, "notte_observe")
        count = facts(wire, "notte_status", id=session)["step_count"]
        processes = below(wire.process.pid)
        os.kill(wire.process.pid, signal.SIGKILL)
        wire.end()
        await gone(processes, within_s=3)
        assert run_folders(state)
    with whole(state) as wire:
        cleared_by_the_next(wire, session, state)
        assert facts(wire, "notte_status", id=session)["step_count"] == count
        assert facts(wire, "notte_start", session_id=session)["url"] == site.url("/form.html")
        cookies = told(wire, "notte_execute", actions=[MARK])
        after = told(wire, "notte_observe")
        log = told(wire, "notte_read", uri=f"notte://sessions/{session}/steps")
        assert facts(wire, "notte_stop", id=session)["state"] == "stopped"

    assert "who=ada" in cookies
    assert "kept" in cookies
    assert not ids(shown) & ids(after)
    numbers = [json.loads(line)["number"] for line in log.splitlines() if line.startswith("{")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == count + 2
