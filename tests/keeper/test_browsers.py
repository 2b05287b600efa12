"""What is kept: browsers, sessions and agents, beyond the hosts that asked for them."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from tests.e2e.whole import browsers_below, facts, gone, refused, told, whole
from tests.keeper.kept import keepers, kill, pid_of, relay, until_gone
from tests.site import Site
from tests.stdio.wire import Wire

pytestmark = pytest.mark.anyio

SECRET = "s3cret-canary"
TASK = "Request a permit for Ada Brew."
FILLS: list[dict[str, Any]] = [
    {"type": "fill", "id": '{{textbox "Applicant"}}', "value": "Ada Brew"},
    {"type": "select_dropdown_option", "id": '{{combobox "District"}}', "value": "South"},
    {"type": "check", "id": '{{checkbox "I accept the terms"}}'},
]
SEND = {"type": "click", "id": '{{button "Send request"}}'}


def plan(path: Path, *, delay_s: float) -> str:
    """A model that answers slowly, one action at a time, and sends the form once."""
    answers: list[Any] = [{"actions": [action]} for action in (*FILLS, SEND)]
    answers.append({"actions": [{"type": "completion", "success": True, "answer": "sent"}]})
    path.write_text(json.dumps({"answers": answers, "delay_s": delay_s}), encoding="utf-8")
    return f"scripted:{path}"


def live(wire: Wire) -> set[str]:
    """The ids of the sessions that are live."""
    listed = facts(wire, "notte_status")["sessions"]
    return {one["session_id"] for one in listed if one["state"] in ("ready", "busy")}


async def test_a_form_that_one_host_began_another_finishes_when_the_first_was_killed(anyones: Path, site: Site) -> None:
    """P7, for an assistant that drives by itself: the same page, the same ids; and each has its own defaults."""
    with relay(anyones) as first:
        shown = facts(first, "notte_start", url=site.url("/form.html"))["observation"]
        ids = {name: one for one, name in re.findall(r'\b([A-Z]\d+) [a-z]+ "([^"]+)"', shown)}
        typed = [("Applicant", "Ada Brew"), ("Access code", SECRET)]
        actions: list[dict[str, Any]] = [{"type": "fill", "id": ids[name], "value": value} for name, value in typed]
        told(first, "notte_execute", actions=actions)
        os.kill(first.process.pid, signal.SIGKILL)
        first.end()
    with relay(anyones, env={"NOTTE_MCP_VIEWPORT_WIDTH": "555"}) as second:
        (session,) = live(second)
        assert f'{ids["Applicant"]} textbox "Applicant" = "Ada Brew"' in told(second, "notte_observe")
        actions = [
            {"type": "select_dropdown_option", "id": ids["District"], "value": "South"},
            {"type": "check", "id": ids["I accept the terms"]},
            {"type": "click", "id": ids["Send request"]},
        ]
        assert "Request received" in told(second, "notte_execute", actions=actions)
        assert facts(second, "notte_workflow_code", id=session, target="json", save_as="permit")["saved_as"]
        narrow = facts(second, "notte_start", url=site.url("/form.html"))["session_id"]
        width = [{"type": "evaluate_js", "code": "'width ' + innerWidth"}]
        assert "width 555" in told(second, "notte_execute", session_id=narrow, actions=width)
        facts(second, "notte_stop", all=True)

        # A run's secrets come from the environment of the host that asks for it, and are in no other.
        with relay(anyones, env={"SECRET_ACCESS_CODE": SECRET}) as third:
            facts(third, "notte_start", url=site.url("/form.html"))
            assert facts(third, "notte_run_workflow", name="permit", wait_seconds=40)["state"] == "completed"
            keeper = psutil.Process(pid_of(anyones))
            environments = [one.environ() for one in (keeper, *browsers_below(keeper.pid))]
        assert "SECRET_ACCESS_CODE is not set" in refused(second, "notte_run_workflow", name="permit")
        facts(second, "notte_stop", all=True)

    assert len(environments) > 1
    assert all(SECRET not in one.values() for one in environments)
    assert [one.fields["code"] for one in site.submissions] == [[SECRET], [SECRET]]


async def test_an_agent_goes_on_when_its_host_is_killed_and_the_next_host_sees_it_end(
    tmp_path: Path, anyones: Path, site: Site
) -> None:
    """P7, and the issue's own story: closing the host leaves running agents running, and each step is done once."""
    model = plan(tmp_path / "plan.json", delay_s=0.4)
    with relay(anyones) as second, relay(anyones, env={"NOTTE_MCP_MODEL": model}) as first:
        begun = facts(first, "notte_start", task=TASK, url=site.url("/form.html"))
        assert begun["driver"] == "model"  # which is this connection's, and not the other's
        assert facts(second, "notte_start", task=TASK)["driver"] == "assistant"
        facts(first, "notte_status", id=begun["agent_id"], wait_seconds=20, after_step=1, until="step")
        os.kill(first.process.pid, signal.SIGKILL)
        first.end()
        assert site.submissions == []
        ended = facts(second, "notte_status", id=begun["agent_id"], wait_seconds=40, until="done")
        steps = told(second, "notte_read", uri=f"notte://agents/{begun['agent_id']}/steps")
        facts(second, "notte_stop", all=True)

    assert (ended["state"], ended["answer"], ended["success"]) == ("completed", "sent", True)
    numbers = [line["number"] for line in map(json.loads, steps.splitlines()) if "number" in line]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(site.submissions) == 1


async def test_after_a_killed_keeper_all_is_interrupted_and_goes_on_when_asked_to(
    tmp_path: Path, anyones: Path, site: Site
) -> None:
    """P1 to P4: the same host calls on; no browser is left, and what was sent is not sent again."""
    with relay(anyones) as wire:
        model = plan(tmp_path / "plan.json", delay_s=0.2)
        begun = facts(wire, "notte_start", task=TASK, url=site.url("/form.html"), model=model)
        facts(wire, "notte_status", id=begun["agent_id"], wait_seconds=20, after_step=2, until="step")
        browsers = browsers_below(pid_of(anyones))
        assert browsers
        kill(anyones)
        await gone(browsers, within_s=3)

        seen = facts(wire, "notte_status", id=begun["agent_id"])
        assert seen["state"] == "interrupted"
        assert facts(wire, "notte_start", session_id=begun["session_id"])["url"] == site.url("/form.html")
        facts(wire, "notte_steer", agent_id=begun["agent_id"], command="resume")
        ended = facts(wire, "notte_status", id=begun["agent_id"], wait_seconds=40, until="done")
        assert len(keepers(anyones)) == 1
        facts(wire, "notte_stop", all=True)

    assert (ended["state"], ended["answer"]) == ("completed", "sent")
    assert ended["step_count"] > seen["step_count"]
    assert len(site.submissions) == 1


async def test_a_session_stays_for_who_looked_at_it_and_once_all_have_left_it_ends_and_then_the_keeper(
    state: Path, site: Site
) -> None:
    """P7: "its last connection" is also one that named it and did nothing; nothing is kept for nobody."""
    env = {"NOTTE_MCP_KEEPER_IDLE_MINUTES": "0.02"}
    with relay(state, env=env) as other:
        with relay(state, env=env) as one:
            looked_at, left = (facts(one, "notte_start", url=site.url("/form.html"))["session_id"] for _ in range(2))
            told(other, "notte_observe", session_id=looked_at)
        with anyio.fail_after(20):
            while live(other) == {looked_at, left}:  # noqa: ASYNC110 - asked as hosts do
                await anyio.sleep(0.2)
        assert live(other) == {looked_at}
        processes = psutil.Process(pid_of(state)).children(recursive=True)
    await until_gone(state, within_s=20)
    await gone(processes, within_s=1)

    with whole(state) as wire:
        found = facts(wire, "notte_status", id=looked_at)
    assert (found["state"], found["reason"]) == ("stopped", "idle_timeout")
