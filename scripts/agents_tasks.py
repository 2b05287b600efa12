"""The part of docs/agents.md on hosts that know tasks: what goes over the wire, since no client library speaks it yet."""

import json
import time
from typing import TYPE_CHECKING, Any, Final

from scripts.agents_parts import done, search
from scripts.paper import spread
from tests.e2e.whole import whole
from tests.stdio.wire import ENVELOPE, Wire

if TYPE_CHECKING:
    from scripts.agents_tried import Desk

TASKS: Final = "io.modelcontextprotocol/tasks"
CAPABILITIES: Final[dict[str, Any]] = {"elicitation": {"form": {}}, "extensions": {TASKS: {}}}
PATIENCE_S: Final = 30.0


def ask(wire: Wire, method: str, **params: Any) -> dict[str, Any]:
    """The result of a request by a client that knows tasks."""
    meta: dict[str, Any] = {**ENVELOPE, "io.modelcontextprotocol/clientCapabilities": CAPABILITIES}
    result: dict[str, Any] = wire.request(method, {**params, "_meta": meta})["result"]
    return result


def until(wire: Wire, task_id: str, status: str) -> dict[str, Any]:
    """The task, once it has this status."""
    end = time.monotonic() + PATIENCE_S
    while (task := ask(wire, "tasks/get", taskId=task_id))["status"] != status:
        if time.monotonic() > end:
            raise TimeoutError(f"the task is {task['status']}")
        time.sleep(0.1)
    return task


async def tasks(desk: "Desk") -> None:
    """A host that waits by itself."""
    desk.section(
        "As a task",
        f"A host that declares the extension `{TASKS}` need not have its model wait. `notte_start` with a",
        "task answers it with a handle at once (where the assistant drives, it answers as ever: it would wait for itself);",
        "the host asks with `tasks/get`, puts the agent's question to its user, answers with `tasks/update`, ends it with",
        "`tasks/cancel`. `taskId` is the agent's id, so the tools see the same agent. These are messages of such a host, without",
        "their envelopes; the last `result` is what `notte_status` tells of the agent:",
    )
    help_ = {"actions": [{"type": "help", "value": "Which one: copper, enamel or gooseneck?"}]}
    desk.plan(search("kettle"), help_, search("copper kettle"), done("{{word '89.'}} €"))
    arguments = {"task": "What does the kettle cost?", "url": desk.shop.url}
    with whole(desk.folder / "tasks-state", env={"NOTTE_MCP_MODEL": f"scripted:{desk.folder / 'plan.json'}"}) as wire:
        handle = ask(wire, "tools/call", name="notte_start", arguments=arguments)
        task_id = handle["taskId"]
        _write(desk, "tools/call", {"name": "notte_start", "arguments": arguments}, handle)
        asked = until(wire, task_id, "input_required")
        _write(desk, "tasks/get", {"taskId": task_id}, asked)
        (key,) = asked["inputRequests"]
        said = {key: {"action": "accept", "content": {"answer": "The copper one."}}}
        answered = ask(wire, "tasks/update", taskId=task_id, inputResponses=said)
        _write(desk, "tasks/update", {"taskId": task_id, "inputResponses": said}, answered)
        _write(desk, "tasks/get", {"taskId": task_id}, until(wire, task_id, "completed"))
        ask(wire, "tools/call", name="notte_stop", arguments={"all": True})


def _write(desk: "Desk", method: str, params: dict[str, Any], result: dict[str, Any]) -> None:
    shown = {name: value for name, value in result.items() if name != "_meta"}
    if "result" in shown:
        told = shown["result"]["structuredContent"]
        shown["result"] = {"structuredContent": {"state": told["state"], "answer": told["answer"], "...": "..."}}
    desk.write("", f"{method} {json.dumps(params, ensure_ascii=False)}", "", *spread(shown))
