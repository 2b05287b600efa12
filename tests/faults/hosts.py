"""The host killed in the middle of the main job: the agent goes on where it was, and the next host sees it whole.

Twice each time: once a model drives and nobody is there for a while, once the assistant of the first host does one half and
that of the second, with the same ids, the other.

Below: fault, grounds, talk, tests.keeper. Above: durable.
"""

import json
import os
import random
import re
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import anyio

from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.talk import NoAnswer, Talk
from tests.keeper.kept import command
from tests.stdio.wire import Wire

SEED: Final = 4_711

TASK: Final = "Request a permit for Ada Brew in the district South."
DELAY_S: Final = 0.15
"""How long the model thinks about each step."""

FIELDS: Final = ("Applicant", "E-mail", "Access code", "District", "I accept the terms", "Send request")
KINDS: Final = ("goto", "fill", "fill", "fill", "select_dropdown_option", "check", "click")
"""The agent's steps, the first page included. (A completion is none.)"""


def job(names: dict[str, str], who: str) -> list[dict[str, Any]]:
    """The form's six actions; `names` are the elements' ids by their names."""
    return [
        {"type": "fill", "id": names["Applicant"], "value": who},
        {"type": "fill", "id": names["E-mail"], "value": "ada@example.org"},
        {"type": "fill", "id": names["Access code"], "value": "kettle-secret-9"},
        {"type": "select_dropdown_option", "id": names["District"], "value": "South"},
        {"type": "check", "id": names["I accept the terms"]},
        {"type": "click", "id": names["Send request"]},
    ]


def completion(answer: str) -> dict[str, Any]:
    return {"type": "completion", "success": True, "answer": answer}


def model(folder: Path, who: str) -> str:
    """A model that does one thing at a time."""
    roles = ("textbox", "textbox", "password", "combobox", "checkbox", "button")
    names = {name: f'{{{{{role} "{name}"}}}}' for role, name in zip(roles, FIELDS, strict=True)}
    answers = [{"actions": [action]} for action in (*job(names, who), completion("It is sent."))]
    path = folder / f"{who}.json"
    path.write_text(json.dumps({"answers": answers, "delay_s": DELAY_S}), encoding="utf-8")
    return f"scripted:{path}"


class Jobs:
    """See the module. One keeper, and a host for each half."""

    def __init__(self, grounds: Grounds, tally: Tally) -> None:
        self._grounds = grounds
        self._tally = tally
        self._form = grounds.site.url("/form.html")
        self._moments = random.Random(SEED)  # noqa: S311 - moments, not secrets

    async def driven_by_model(self, who: str) -> None:
        """Killed at any moment of the agent's work, its last one included."""
        tally = self._tally
        with self._grounds.host() as first:
            talk = Talk(first)
            plan = model(self._grounds.folder, who)
            begun = (await talk.call("notte_start", task=TASK, url=self._form, model=plan)).facts
            await anyio.sleep(self._moments.uniform(0, len(KINDS) * (DELAY_S + 0.1)))
            _kill(first)
        with self._grounds.host() as second:
            talk = Talk(second)
            seen = (await talk.call("notte_status", id=begun["agent_id"])).facts
            tally.expect(seen["state"] in ("running", "completed"), f"{who}: the agent is {seen['state']}")
            tally.note(f"found {seen['state']}")
            await self._end(talk, begun, who)

    async def driven_by_assistants(self, who: str) -> None:
        """Half by one host, which is killed while it waits; the rest by the next, with the first's ids."""
        tally = self._tally
        with self._grounds.host() as first:
            talk = Talk(first)
            begun = (await talk.call("notte_start", task=TASK, url=self._form, driver="assistant")).facts
            actions = job(ids(begun["observation"]), who)
            half = self._moments.randrange(1, len(actions))
            said = await talk.call("notte_execute", session_id=begun["agent_id"], actions=actions[:half])
            tally.expect(not said.is_error, f"{who}: {said.text}")
            waits = talk.begin("notte_status", id=begun["agent_id"], wait_seconds=20, until="done")
            _kill(first)
            try:
                await talk.answer(waits)
            except NoAnswer:
                tally.note("hosts that died with a call open")
        with self._grounds.host() as second:
            talk = Talk(second)
            listed = (await talk.call("notte_status")).facts["agents"]
            found = [one for one in listed if one["agent_id"] == begun["agent_id"] and one["state"] == "running"]
            tally.expect(found, f"{who}: the agent is not among those that run: {listed}")
            rest = [*actions[half:], completion("It is sent.")]
            said = await talk.call("notte_execute", session_id=begun["agent_id"], actions=rest[:-1])
            tally.expect(not said.is_error, f"{who}: with the first host's ids: {said.text}")
            await talk.call("notte_execute", session_id=begun["agent_id"], actions=rest[-1:])
            await self._end(talk, begun, who)

    async def _end(self, talk: Talk, begun: dict[str, Any], who: str) -> None:
        """The agent's end: its answer, each of its steps once, the form once, and its script."""
        tally, agent = self._tally, begun["agent_id"]
        ended = (await talk.call("notte_status", id=agent, wait_seconds=40, until="done")).facts
        completed = (ended["state"], ended.get("answer")) == ("completed", "It is sent.")
        tally.expect(completed, f"{who}: {ended['state']} {ended.get('reason')} {ended.get('answer')}")
        steps = await talk.steps(agent)
        done = [(step["number"], step["action"]["type"], step["success"]) for step in steps]
        whole = [(number, kind, True) for number, kind in enumerate(KINDS, 1)]
        tally.expect([one for one in done if one[1] != "completion"] == whole, f"{who}: its steps are {done}")
        arrived = [one for one in self._grounds.site.submissions if one.value("applicant") == who]
        tally.expect(len(arrived) == 1, f"{who}: the form came {len(arrived)} times")
        script = (await talk.call("notte_workflow_code", id=agent)).facts["code"]
        tally.expect("form.html" in script and script.count('type="click"') == 1, f"{who}: its script is {script}")
        await talk.call("notte_stop", id=begun["session_id"])


def ids(observation: str) -> dict[str, str]:
    """The ids on a page, by the names of their elements."""
    return {name: found for found, name in re.findall(r'([BI]\d+) \w+ "([^"]+)"', observation)}


def _kill(wire: Wire) -> None:
    os.kill(wire.process.pid, signal.SIGKILL)


async def kill_hosts(grounds: Grounds, times: int, tally: Tally) -> None:
    """Let both kinds of job lose their host that often; the keeper is ended at the end as a person would."""
    with ExitStack() as stack:
        stack.callback(command, grounds.state, "stop")
        # Somebody's session all the while, so that not every job is one more cold browser.
        await Talk(stack.enter_context(grounds.host())).call("notte_start")
        jobs = Jobs(grounds, tally)
        for number in range(times):
            await jobs.driven_by_model(f"model-{number}")
            await jobs.driven_by_assistants(f"assistant-{number}")
    tally.note("seed", SEED)
