"""The cloud engine as a host meets it: a real server, and a real `notte-mcp api` on a real Chromium as its cloud."""

import json
import os
import signal
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psutil
import pytest

from tests.api.process import KEY, Served, api_process
from tests.e2e.whole import call, facts, refused, told, whole
from tests.keeper.kept import keepers, kill, relay
from tests.site import Site
from tests.stdio.wire import Wire

NOTTE = {"engine": "notte"}
CODE = "open-sesame-4711"
PLAN: list[Any] = [
    {"thought": "fill", "actions": [{"type": "fill", "id": '{{textbox "Applicant"}}', "value": "Grace"}]},
    {"actions": [{"type": "completion", "success": True, "answer": "filled in Grace"}]},
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> Generator[Served]:
    """One cloud for all tests here."""
    with api_process(tmp_path_factory.mktemp("cloud"), chromium=chromium) as running:
        running.plan.write_text(json.dumps(PLAN), encoding="utf-8")
        yield running


def holding(folder: Path, text: str) -> list[str]:
    """The files below a folder in which a text stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if text.encode() in path.read_bytes()]


@contextmanager
def ended(state: Path) -> Generator[Path]:
    """A state folder whose keeper is ended with all that it started."""
    yield state
    for keeper in keepers(state):
        tree = [keeper, *keeper.children(recursive=True)]
        keeper.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=4)
        for process in alive:
            process.kill()


def there(api: Served, session_id: str) -> dict[str, Any]:
    """A session as the cloud tells it."""
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.get(f"{api.url}/sessions/{session_id}", headers=headers, timeout=30, trust_env=False)
    found: dict[str, Any] = answer.json()
    return found


def ids(shown: str) -> set[str]:
    return {word for word in shown.split() if word[:1] in "BLIFMO" and word[1:].isdigit()}


def id_of(shown: str, element: str) -> str:
    (line,) = [line for line in shown.splitlines() if element in line]
    return line.split(element)[0].split()[-1]


def fill_in(wire: Wire, shown: str) -> str:
    """The form, whole, with its secret; what came of it."""
    actions = [
        {"type": "fill", "id": id_of(shown, 'textbox "Applicant"'), "value": "Ada"},
        {"type": "fill", "id": id_of(shown, 'password "Access code"'), "value": CODE},
        {"type": "select_dropdown_option", "id": id_of(shown, 'combobox "District"'), "value": "South"},
        {"type": "check", "id": id_of(shown, 'checkbox "I accept')},
    ]
    return told(wire, "notte_execute", actions=actions)


def scripts(wire: Wire, session: str) -> list[str]:
    """Our script of it and the cloud's own, and what else is read of it."""
    script = facts(wire, "notte_workflow_code", id=session)
    assert script["engine_code"] == f"notte://sessions/{session}/workflow/notte.cloud"
    theirs = told(wire, "notte_read", uri=script["engine_code"])
    assert "Ada" in theirs
    assert "notte-mcp */" not in theirs
    return [script["code"], theirs, told(wire, "notte_read", uri=f"notte://sessions/{session}/cookies")]


def test_a_session_in_the_cloud_is_one_as_any_other_and_outlives_its_server(
    tmp_path: Path, api: Served, site: Site
) -> None:
    """Start, look, act, read, picture, script; kill -9, the same cloud session again with its numbers, stop."""
    state, answers = tmp_path / "state", list[str]()
    with whole(state, "--log-level", "debug", env=api.env) as wire:
        begun = facts(wire, "notte_start", url=site.url("/form.html"), session=NOTTE | {"cloud": {"block_ads": False}})
        session, cloud_id = begun["session_id"], begun["cloud"]["session_id"]
        assert (begun["cloud"]["idle_timeout_minutes"], begun["cloud"]["max_duration_minutes"]) == (3, 15)
        receipts = fill_in(wire, begun["observation"])
        shown = told(wire, "notte_observe")
        assert "(secret SECRET_ACCESS_CODE)" in receipts
        assert all(
            held in shown for held in ("= Ada", '"Access code" filled', "= South", '"I accept the terms" checked')
        )
        assert "District" in told(wire, "notte_scrape")
        (_, picture) = call(wire, "notte_observe", screenshot=True)["content"]
        assert picture["mimeType"] == "image/jpeg"
        answers += [json.dumps(begun), receipts, shown, *scripts(wire, session)]
        assert there(api, cloud_id)["status"] == "active"
        os.kill(wire.process.pid, signal.SIGKILL)
        wire.end()
        answers.append(wire.errors())
    with whole(state, "--log-level", "debug", env=api.env) as wire:
        before = facts(wire, "notte_status", id=session)
        assert (before["state"], before["step_count"]) == ("interrupted", 6)
        assert "same cloud session" in before["next"]
        again = facts(wire, "notte_start", session_id=session)
        assert again["cloud"]["session_id"] == cloud_id
        assert "= Ada" in again["observation"]
        assert not ids(again["observation"]) & ids(shown)
        assert facts(wire, "notte_status", id=session)["step_count"] == 6
        assert facts(wire, "notte_stop", id=session)["state"] == "stopped"
        assert there(api, cloud_id)["status"] == "closed"
        gone = refused(wire, "notte_start", session_id=session)
        assert "is stopped (user)" in gone
        assert '"engine": "notte"' in gone
        answers += [json.dumps(again), gone]
    for secret in (KEY, CODE):
        assert not [answer for answer in answers if secret in answer]
        assert holding(state, secret) == []


def test_each_connection_to_the_keeper_has_the_cloud_on_its_own_account(
    tmp_path: Path, api: Served, site: Site
) -> None:
    """Who brought no key starts nothing; the keeper holds none for others; the cloud's agent works for who has one."""
    with ended(tmp_path / "state") as state:
        with relay(state, env=api.env) as own, relay(state, env={"NOTTE_API_URL": api.url}) as other:
            session = facts(own, "notte_start", session=NOTTE)["session_id"]
            without = refused(other, "notte_start", session=NOTTE)
            assert "NOTTE_API_KEY" in without
            assert '"engine": "local"' in without
            (keeper,) = keepers(state)
            assert KEY not in "".join(keeper.environ().values())
            task = facts(
                own, "notte_start", task="fill in", url=site.url("/form.html"), session_id=session, driver="notte"
            )
            done = task
            while done["state"] in ("running", "stopping"):
                done = facts(own, "notte_status", id=task["agent_id"], wait_seconds=30, until="done")
            assert (done["state"], done["answer"], done["url"]) == (
                "completed",
                "filled in Grace",
                site.url("/form.html"),
            )
            assert "= Grace" in told(own, "notte_observe", session_id=session)
        kill(state)
        with relay(state, env=api.env) as wire:
            again = facts(wire, "notte_start", session_id=session)
            assert "= Grace" in again["observation"]
            steps = told(wire, "notte_read", uri=f"notte://agents/{task['agent_id']}/steps?format=text")
            assert "Grace" in steps
            facts(wire, "notte_stop", id=session)
        assert holding(state, KEY) == []


def test_one_that_ended_in_the_cloud_is_told_with_its_reason_and_never_replaced(
    tmp_path: Path, api: Served, site: Site
) -> None:
    """Closed by somebody else, while it is live here and while no server has it; and attached to by its id."""
    with whole(tmp_path / "state", env=api.env) as wire:
        begun = facts(wire, "notte_start", url=site.url("/form.html"), session=NOTTE)
        session, cloud_id = begun["session_id"], begun["cloud"]["session_id"]
        also = facts(wire, "notte_start", session=NOTTE | {"cloud": {"session_id": cloud_id}})
        assert also["cloud"]["session_id"] == cloud_id
        assert 'textbox "Applicant"' in also["observation"]
        assert "Permit request" in told(wire, "notte_observe", session_id=also["session_id"])
        headers = {"authorization": f"Bearer {KEY}"}
        stop = f"{api.url}/sessions/{cloud_id}/stop"
        httpx.delete(stop, headers=headers, timeout=30, trust_env=False).raise_for_status()

        found = facts(wire, "notte_status", id=session)
        assert (found["state"], found["reason"]) == ("stopped", "manual")
        lost = refused(wire, "notte_observe", session_id=also["session_id"])
        assert "manual" in lost
        assert 'session={"engine": "notte"}) for a new one' in lost
        assert facts(wire, "notte_status", id=also["session_id"])["reason"] == "manual"
        again = refused(wire, "notte_start", session_id=session)
        assert "stopped (manual)" in again
        assert "Nothing was done." in again
        live = [one for one in facts(wire, "notte_status")["sessions"] if one["state"] != "stopped"]
        assert live == []


class Strange(BaseHTTPRequestHandler):
    """A proxy's page, whatever is asked for; it counts."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html>Please log in</html>")

    do_POST = do_GET  # noqa: N815 - the base's way

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        del format, args


@contextmanager
def strange() -> Generator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Strange) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def test_what_is_no_account_or_no_notte_is_said_as_that_and_a_key_alone_sends_nothing(
    tmp_path: Path, api: Served, site: Site
) -> None:
    """A refused key, a proxy's HTML: each its own words, with nothing started."""
    state, wrong = tmp_path / "state", "no-such-key-at-all"
    with whole(state, env={"NOTTE_API_URL": api.url, "NOTTE_API_KEY": wrong}) as wire:
        bad = refused(wire, "notte_start", session=NOTTE)
    assert "refuses the key" in bad
    assert "Nothing was done." in bad
    assert wrong not in bad
    with strange() as url, whole(state, env={"NOTTE_API_URL": url, "NOTTE_API_KEY": KEY}) as wire:
        assert "is not the Notte API" in refused(wire, "notte_start", session=NOTTE)
        assert (sent := len(Strange.asked))
        assert "Permit request" in facts(wire, "notte_start", url=site.url("/form.html"))["observation"]
        wrong_field = refused(wire, "notte_start", session=NOTTE | {"cloud": {"headless": True}})
        assert "is none of its fields" in wrong_field
        assert len(Strange.asked) == sent
    assert holding(state, KEY) == []
