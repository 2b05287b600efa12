"""An agent in the whole server: a real browser, a model behind real HTTP, and a host that kills."""

import json
import os
import re
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.whole import facts, refused, told, whole
from tests.models.server import Asked, ModelServer
from tests.site import Site
from tests.stdio.wire import Wire

KEY = "sk-canary-4711-never-told"
TASK = "Request a permit for Ada Brew in the district South, and tell its number."


def clerk(asked: Asked) -> object:
    """Answers as a model would: from what the last page shows."""
    page = json.loads(json.dumps(asked.body)).__str__()
    if number := re.findall(r"PR-\d+", page):
        return {"actions": [{"type": "completion", "success": True, "answer": number[-1]}]}
    ids = {name: found for found, name in re.findall(r'([BI]\d+) \w+ \\?"([^"\\]+)\\?"', page)}
    return {
        "thought": "The form is empty, so I fill it in and send it.",
        "actions": [
            {"type": "fill", "id": ids["Applicant"], "value": "Ada Brew"},
            {"type": "fill", "id": ids["Access code"], "value": "kettle-secret-9"},
            {"type": "select_dropdown_option", "id": ids["District"], "value": "South"},
            {"type": "check", "id": ids["I accept the terms"]},
            {"type": "click", "id": ids["Send request"]},
        ],
    }


def access(server: ModelServer, model: str) -> dict[str, str]:
    """The environment of a server whose agents that model drives."""
    return {
        "NOTTE_MCP_MODEL": model,
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": server.openai_url,
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": server.base_url,
    }


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[ModelServer, Wire]]:
    """A model, and a server that is not killed."""
    state = tmp_path_factory.mktemp("office") / "state"
    with ModelServer(clerk) as server, whole(state, env=access(server, "openai-chat:clerk")) as wire:
        yield server, wire


@pytest.mark.parametrize("named", [{}, {"model": "anthropic:clerk"}], ids=["openai", "anthropic"])
def test_a_model_behind_http_does_the_task_by_itself(
    office: tuple[ModelServer, Wire], site: Site, named: dict[str, str]
) -> None:
    """The whole way: stdio, loop, provider, browser; the key and what was typed as a password are never told."""
    server, wire = office
    server.requests.clear()
    begun = facts(wire, "notte_start", task=TASK, url=site.url("/form.html"), **named)
    assert (begun["driver"], begun["state"]) == ("model", "running")
    ended = facts(wire, "notte_status", id=begun["agent_id"], wait_seconds=40, until="done")
    log = told(wire, "notte_read", uri=f"notte://agents/{begun['agent_id']}/steps")
    code = facts(wire, "notte_workflow_code", id=begun["agent_id"], target="playwright")

    assert (ended["state"], ended["success"]) == ("completed", True), ended
    assert re.fullmatch(r"PR-\d+", ended["answer"])
    assert ended["usage"]["model_calls"] == len(server.requests) == 2
    assert {asked.path.rpartition("/")[2] for asked in server.requests} == {"messages" if named else "completions"}
    assert ended["usage"]["input_tokens"] > 0
    (arrived,) = site.submissions
    assert arrived.fields["district"] == ["South"]
    everything = json.dumps([begun, ended, code]) + log
    assert "kettle-secret-9" not in everything + server.requests[-1].text
    assert KEY not in everything


def left_by_its_host(wire: Wire, server: ModelServer, site: Site) -> str:
    """The id of an agent that waits for its model's answer when stdin is closed. P5: the server is gone in time."""
    asked = len(server.requests)
    server.mode = "slow"
    begun = facts(wire, "notte_start", task=TASK, url=site.url("/form.html"))
    assert server.wait_for(asked + 1, timeout_s=30)
    assert wire.process.stdin is not None
    wire.process.stdin.close()
    assert wire.end()[0] == 0
    return str(begun["agent_id"])


def test_an_agent_survives_the_end_of_its_server_and_does_nothing_twice(tmp_path: Path, site: Site) -> None:
    """P2, P3: it is interrupted with its last step, goes on when asked to, and what it had sent is not sent again; whether
    the server was killed, or its host left."""
    state = tmp_path / "state"
    with ModelServer(clerk) as server:
        env = access(server, "openai-chat:clerk")
        server.then("normal", "slow")
        with whole(state, env=env) as wire:
            begun = facts(wire, "notte_start", task=TASK, url=site.url("/form.html"))
            agent = begun["agent_id"]
            while facts(wire, "notte_status", id=agent, wait_seconds=20, after_step=5)["step_count"] < 6:
                pass
            assert server.wait_for(2)
            os.kill(wire.process.pid, signal.SIGKILL)
            wire.end()
        with whole(state, env=env) as wire:
            assert facts(wire, "notte_status", id=agent)["state"] == "interrupted"
            assert "notte_start" in refused(wire, "notte_steer", agent_id=agent, command="resume")
            facts(wire, "notte_start", session_id=begun["session_id"], url=site.url("/form.html"))
            server.answer({"actions": [{"type": "completion", "success": True, "answer": "sent before"}]})
            steered = facts(wire, "notte_steer", agent_id=agent, command="resume")
            assert steered["accepted"]
            ended = facts(wire, "notte_status", id=agent, wait_seconds=40, until="done")
            asked = server.requests[-1].text
            left = left_by_its_host(wire, server, site)
        with whole(state, env=env) as wire:
            listed = {one["agent_id"]: one["state"] for one in facts(wire, "notte_status")["agents"]}
    assert listed == {agent: "completed", left: "interrupted"}
    assert (ended["state"], ended["answer"], ended["step_count"]) == ("completed", "sent before", 7), ended
    assert "Send request" in asked
    assert len(site.submissions) == 1


def test_a_refused_key_ends_the_agent_with_a_word_that_helps(office: tuple[ModelServer, Wire], site: Site) -> None:
    """The reason is told, the key is not, and the session can be used by hand."""
    server, wire = office
    server.mode = "401"
    begun = facts(wire, "notte_start", task=TASK, url=site.url("/form.html"), wait_seconds=30)
    seen = told(wire, "notte_observe", session_id=begun["session_id"])
    server.mode = "normal"
    assert (begun["state"], begun["reason"]) == ("failed", "model_refused")
    assert KEY not in json.dumps(begun)
    assert "key" in begun["answer"]
    assert "Send request" in seen
