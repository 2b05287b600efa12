"""What a restart keeps: the steps, the place, the login, the numbers."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.whole import facts, refused, told, whole
from tests.site import Site

pytestmark = pytest.mark.anyio


async def test_an_acknowledged_step_survives_kill_and_numbers_go_on(tmp_path: Path, site: Site) -> None:
    """P1, P3: what the caller has heard of is on disk; a restored session goes on where it was."""
    state = tmp_path / "state"
    with whole(state) as wire:
        session = facts(wire, "notte_start", url=site.url("/set-cookie?name=who&value=ada"))["session_id"]
        keep = [
            {"type": "goto", "url": site.url("/form.html")},
            {"type": "evaluate_js", "code": "localStorage.setItem('mark', 'kept')"},
            {"type": "reload"},
        ]
        told(wire, "notte_execute", actions=keep)
        shown = told(wire, "notte_observe")
        saved_state = state / "sessions" / session / "state.json"
        while "kept" not in (saved_state.read_text() if saved_state.exists() else ""):
            told(wire, "notte_execute", actions=[{"type": "reload"}], observe="none")
        count = facts(wire, "notte_status", id=session)["step_count"]
        os.kill(wire.process.pid, signal.SIGKILL)
        wire.end()
    ids = {word for word in shown.split() if word[:1] in "BLIFMO" and word[1:].isdigit()}
    with whole(state) as wire:
        assert facts(wire, "notte_status", id=session)["step_count"] == count
        again = facts(wire, "notte_start", session_id=session)
        assert again["url"] == site.url("/form.html")
        cookies = told(
            wire,
            "notte_execute",
            actions=[{"type": "evaluate_js", "code": "document.cookie + localStorage.getItem('mark')"}],
        )
        assert "who=ada" in cookies
        assert "kept" in cookies
        after = told(wire, "notte_observe")
        assert not ids & {word for word in after.split() if word[:1] in "BLIFMO" and word[1:].isdigit()}
        log = told(wire, "notte_read", uri=f"notte://sessions/{session}/steps")
        numbers = [json.loads(line)["number"] for line in log.splitlines() if line.startswith("{")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == count + 2


async def test_two_servers_share_a_folder_and_none_takes_a_live_session(tmp_path: Path, site: Site) -> None:
    """P7: each server owns its sessions; the other can read them and says whose they are."""
    state = tmp_path / "state"
    with whole(state) as one, whole(state) as two:
        session = facts(one, "notte_start", url=site.url("/form.html"))["session_id"]
        seen = facts(two, "notte_status", id=session)
        assert seen["state"] in ("ready", "busy")
        assert "another" in refused(two, "notte_observe", session_id=session)
        assert "another" in refused(two, "notte_start", session_id=session)
        assert facts(one, "notte_stop", id=session)["state"] == "stopped"
