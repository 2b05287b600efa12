"""Tasks over real pipes: a host that is asked, answers, loses its server in between, lets the agent go on, and gives up."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.e2e.whole import facts, whole
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
ASKS = [
    {"actions": [NAME, {"type": "help", "value": "Which district?"}]},
    {"actions": [{"type": "help", "value": "And the access code?"}]},
]
SENDS = [{"actions": [NAME, *REST]}, {"actions": [{"type": "completion", "success": True, "answer": "It is sent."}]}]

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
    """The task once it has one of these statuses. What is waited for is its agent, which has the task's id."""
    facts(wire, "notte_status", id=task_id, wait_seconds=40, until="done")
    task = ask(wire, "tasks/get", taskId=task_id)
    assert task["status"] in statuses, task
    return task


def answer(wire: Wire, task: dict[str, Any], **content: object) -> dict[str, Any]:
    """What the person says to the one question that is open."""
    assert task["status"] == "input_required", task
    (key,) = task["inputRequests"]
    response = {"action": "accept", "content": content}
    return ask(wire, "tasks/update", taskId=task["taskId"], inputResponses={key: response})


def begun(wire: Wire, site: Site, **more: Any) -> str:
    """The id of a new task."""
    arguments = {"task": TASK, "url": site.url("/form.html"), **more}
    handle = ask(wire, "tools/call", name="notte_start", arguments=arguments)
    assert handle["resultType"] == "task", handle
    return str(handle["taskId"])


def question(task: dict[str, Any]) -> str:
    """What the one open request asks."""
    (request,) = task["inputRequests"].values()
    return str(request["params"]["message"])


def test_a_task_asks_outlives_its_server_and_is_cancelled(tmp_path: Path, site: Site) -> None:
    """The whole way of a form, from the model's `help` to its next turn; P3: the handle answers after a kill, asks whether
    to go on, and the answer gives it a new browser; and the end of a browser's work."""
    plan, state = tmp_path / "plan.json", tmp_path / "state"
    plan.write_text(json.dumps(ASKS))
    env = {"NOTTE_MCP_MODEL": f"scripted:{plan}"}

    with whole(state, env=env) as wire:
        task_id = begun(wire, site, wait_seconds=45)
        first = until(wire, task_id, "input_required")
        answer(wire, first, answer="South")
        second = until(wire, task_id, "input_required")
        os.kill(wire.process.pid, signal.SIGKILL)
        wire.end()
    plan.write_text(json.dumps(SENDS))
    with whole(state, env=env) as wire:
        lost = ask(wire, "tasks/get", taskId=task_id)
        answered = answer(wire, lost, resume=True)
        ended = until(wire, task_id, "completed")
        plan.write_text(json.dumps(ASKS))
        other = begun(wire, site)
        until(wire, other, "input_required")
        cancelled = [ask(wire, "tasks/cancel", taskId=other)["resultType"] for _ in range(2)]
        given_up = ask(wire, "tasks/get", taskId=other)

    assert [question(first), question(second)] == ["Which district?", "And the access code?"]
    assert not set(lost["inputRequests"]) & set(second["inputRequests"])
    assert answered["resultType"] == "complete"
    assert ended["result"]["structuredContent"]["answer"] == "It is sent.", ended
    assert "kettle-secret-9" not in json.dumps(ended)
    (arrived,) = site.submissions
    assert arrived.fields["applicant"] == ["Ada Brew"]
    assert cancelled == ["complete", "complete"]
    assert given_up["status"] == "cancelled"
