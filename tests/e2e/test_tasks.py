"""Tasks over real pipes: a host that polls, is asked, loses its server in between, and lets the agent go on."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from tests.e2e.whole import whole
from tests.site import Site
from tests.stdio.wire import ENVELOPE, Wire

TASK = "Request a permit for Ada Brew."
NAME = {"type": "fill", "id": '{{textbox "Applicant"}}', "value": "Ada Brew"}
REST = [
    {"type": "fill", "id": '{{password "Access code"}}', "value": "kettle-secret-9"},
    {"type": "select_dropdown_option", "id": '{{combobox "District"}}', "value": "South"},
    {"type": "check", "id": '{{checkbox "I accept the terms"}}'},
    {"type": "click", "id": '{{button "Send request"}}'},
]
ASKS = [{"actions": [NAME, {"type": "help", "value": "Which district?"}]}]
SENDS = [{"actions": [NAME, *REST]}, {"actions": [{"type": "completion", "success": True, "answer": "It is sent."}]}]

PATIENCE_S = 30.0

_META: dict[str, Any] = ENVELOPE | {
    "io.modelcontextprotocol/clientCapabilities": {
        "elicitation": {"form": {}},
        "extensions": {"io.modelcontextprotocol/tasks": {}},
    }
}


def ask(wire: Wire, method: str, **params: Any) -> dict[str, Any]:
    """A request of a client that knows tasks; an error fails the test."""
    answer = wire.request(method, {**params, "_meta": _META})
    assert "error" not in answer, answer
    result: dict[str, Any] = answer["result"]
    return result


def until(wire: Wire, task_id: str, *statuses: str) -> dict[str, Any]:
    """The task once it has one of these statuses; between two polls its browser has the processor."""
    end = time.monotonic() + PATIENCE_S
    while (task := ask(wire, "tasks/get", taskId=task_id))["status"] not in statuses:
        assert time.monotonic() < end, task
        time.sleep(0.05)
    return task


def answer(wire: Wire, task: dict[str, Any], **content: object) -> dict[str, Any]:
    """What the person says to the one question that is open."""
    assert task["status"] == "input_required", task
    (key,) = task["inputRequests"]
    response = {"action": "accept", "content": content}
    return ask(wire, "tasks/update", taskId=task["taskId"], inputResponses={key: response})


def test_a_task_outlives_its_server(tmp_path: Path, site: Site) -> None:
    """P3: the handle answers after a kill, asks whether to go on, and the answer gives it a new browser."""
    plan, state = tmp_path / "plan.json", tmp_path / "state"
    plan.write_text(json.dumps(ASKS))
    env = {"NOTTE_MCP_MODEL": f"scripted:{plan}"}
    start = {"task": TASK, "url": site.url("/form.html"), "wait_seconds": 45}

    with whole(state, env=env) as wire:
        handle = ask(wire, "tools/call", name="notte_start", arguments=start)
        assert handle["resultType"] == "task", handle
        asked = until(wire, handle["taskId"], "input_required", "completed")
        assert asked["status"] == "input_required", asked
        os.kill(wire.process.pid, signal.SIGKILL)
        wire.end()
    plan.write_text(json.dumps(SENDS))
    with whole(state, env=env) as wire:
        lost = ask(wire, "tasks/get", taskId=handle["taskId"])
        answered = answer(wire, lost, resume=True)
        ended = until(wire, handle["taskId"], "completed", "cancelled")

    (question,) = asked["inputRequests"].values()
    assert question["params"]["message"] == "Which district?"
    assert not set(lost["inputRequests"]) & set(asked["inputRequests"])
    assert answered["resultType"] == "complete"
    assert ended["result"]["structuredContent"]["answer"] == "It is sent.", ended
    assert "kettle-secret-9" not in json.dumps(ended)
    (arrived,) = site.submissions
    assert arrived.fields["applicant"] == ["Ada Brew"]


def test_a_task_is_answered_and_cancelled_over_pipes(tmp_path: Path, site: Site) -> None:
    """The whole way of a form: from the model's `help` to the model's next turn; and the end of a browser's work."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps([*ASKS, {"actions": [{"type": "help", "value": "And the access code?"}]}]))
    env = {"NOTTE_MCP_MODEL": f"scripted:{plan}"}

    with whole(tmp_path / "state", env=env) as wire:
        arguments = {"task": TASK, "url": site.url("/form.html")}
        handle = ask(wire, "tools/call", name="notte_start", arguments=arguments)
        assert handle["resultType"] == "task", handle
        task_id = handle["taskId"]
        first = until(wire, task_id, "input_required")
        answer(wire, first, answer="South")
        end = time.monotonic() + PATIENCE_S
        while (second := until(wire, task_id, "input_required"))["inputRequests"] == first["inputRequests"]:
            assert time.monotonic() < end
        cancelled = [ask(wire, "tasks/cancel", taskId=task_id)["resultType"] for _ in range(2)]
        ended = ask(wire, "tasks/get", taskId=task_id)

    assert [r["params"]["message"] for r in second["inputRequests"].values()] == ["And the access code?"]
    assert cancelled == ["complete", "complete"]
    assert ended["status"] == "cancelled"
