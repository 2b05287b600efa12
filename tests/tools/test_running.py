"""notte_run_workflow, and runs as notte_status, notte_stop and notte_read tell of them."""

import json
from typing import Any

import anyio
import pytest

from notte_mcp.actions import Fill
from notte_mcp.engines.scripted import ScriptedPage
from tests.tools.conftest import ERAS, FORM, SLOW, Host, text_of
from tests.tools.driven import completion, drives, says
from tests.tools.recorded import CODE, close_the_south, kept, pages_of, sent

pytestmark = pytest.mark.anyio


async def held(host: Host) -> str:
    """The id of a run that waits at its second step."""
    host.gate.set()
    session_id = await host.start(SLOW)
    await host.text("notte_execute", actions=[{"type": "click", "id": "B1"}, {"type": "goto", "url": FORM}])
    await host.facts("notte_workflow_code", id=session_id, target="json", save_as="slow")
    await host.facts("notte_stop", id=session_id)
    pages_of(host)[FORM] = ScriptedPage("Slow form", gate=anyio.Event())
    return str((await host.facts("notte_run_workflow", name="slow", wait_seconds=0))["run_id"])


async def test_a_kept_workflow_runs_with_other_parameters_and_no_model(host: Host) -> None:
    """Contract: in a fresh session of its own, closed when all went well; text and facts tell the same."""
    await kept(host)
    before = set(host.engine.sessions)

    result = await host.call("notte_run_workflow", name="permit", parameters={"applicant": "Grace", **CODE})
    told: dict[str, Any] = result.structured_content or {}
    (session,) = [session for id_, session in host.engine.sessions.items() if id_ not in before]
    filled = [action.value for action in session.performed if isinstance(action, Fill)]

    assert (told["workflow"], told["version"], told["state"], told["healed"]) == ("permit", 1, "completed", []), told
    assert filled == ["Grace", "geheim-4711"]
    assert [step["state"] for step in told["steps"]] == ["passed"] * 5
    assert "session_id" not in told
    assert session.closed
    assert f"run {told['run_id']} of permit@1: completed" in text_of(result)
    assert "geheim" not in text_of(result)


async def test_parameters_may_be_json_text_and_numbers(host: Host) -> None:
    """Contract: lenient where models slip."""
    await kept(host)

    text = await host.facts("notte_run_workflow", name="permit@1", parameters=json.dumps({"applicant": 4711, **CODE}))

    assert text["state"] == "completed"


async def test_what_cannot_be_run_is_told_with_what_can(host: Host) -> None:
    """Bad input: each its own error with the next call, and no session is opened."""
    await kept(host)
    sessions = set(host.engine.sessions)
    for arguments, said in (
        ({"name": "permits"}, "permit@1"),
        ({}, "permit@1"),
        ({"name": "permit", "id": "permit"}, "not both"),
        ({"name": "permit@7"}, "permit@1"),
        ({"name": "permit", "parameters": {"applicants": "x"}}, "applicant"),
        ({"name": "permit", "parameters": {"applicant": ["x"]}}, "text"),
        ({"name": "permit"}, "SECRET_ACCESS_CODE"),
        ({"name": "permit", "heal": True, "parameters": CODE}, "the same call without heal"),
        ({"id": "run_nope"}, "run_nope"),
        ({"id": "ses_nope"}, "ses_nope"),
    ):
        refusal = await host.refusal("notte_run_workflow", **arguments)

        assert said in refusal
        assert "Nothing was done." in refusal
        assert "Next:" in refusal
        assert set(host.engine.sessions) == sessions


async def test_a_run_that_failed_leaves_its_page_to_be_looked_at(host: Host) -> None:
    """Contract: which step, the first difference, the session left open, and the next call."""
    await kept(host)
    close_the_south(host)

    told = await host.facts("notte_run_workflow", name="permit", parameters=CODE)
    page = await host.text("notte_observe", session_id=told["session_id"])
    status = await host.facts("notte_status", id=told["run_id"])

    assert told["state"] == "failed"
    assert [step["state"] for step in told["steps"]] == ["passed", "passed", "passed", "failed"]
    assert told["not_run"] == '5, click button "Send request"'
    assert told["difference"] == 'step 4, choose in combobox "District", failed'
    assert json.dumps(told).count(told["steps"][3]["message"]) == 1
    assert "reason" not in told
    assert 'I1 textbox "Applicant" = Ada' in page
    assert f'notte_observe(session_id="{told["session_id"]}")' in told["next"]
    assert "heal=true" in told["next"]
    assert {name: status[name] for name in ("id", "kind", "state", "difference", "session_id", "step_count")} == {
        "id": told["run_id"],
        "kind": "run",
        "state": "failed",
        "difference": told["difference"],
        "session_id": told["session_id"],
        "step_count": 4,
    }


async def test_an_agents_fix_is_offered_as_a_new_version_and_put_in_place_by_nobody(host: Host) -> None:
    """Contract: heal=true; what runs stays what it was until the fix is saved."""
    choice = {"type": "select_dropdown_option", "id": "{{combobox 'District'}}", "value": "East"}
    drives(host, says(choice), says(completion("It is East now.")))
    await kept(host)
    close_the_south(host)

    told = await host.facts("notte_run_workflow", name="permit", parameters=CODE, heal=True)
    before = json.loads(await host.text("notte_read", uri="notte://workflows/permit"))
    offered = await host.facts("notte_workflow_code", id=told["run_id"], target="json", save_as="permit")
    again = await host.facts("notte_run_workflow", name="permit", parameters=CODE)

    assert (told["state"], [step["number"] for step in told["healed"]]) == ("completed", [4]), told
    assert told["agent_id"] in told["healed"][0]["healed_by"]
    assert f'notte_workflow_code(id="{told["run_id"]}", save_as="permit")' in told["next"]
    assert before["version"] == 1
    assert (offered["saved_as"], "permit@1 stays" in offered["note"]) == ("permit@2", True)
    assert (again["state"], again["version"], again["healed"]) == ("completed", 2, []), again


async def test_a_session_may_be_run_again_without_a_name(host: Host) -> None:
    """Contract: name or id."""
    session_id = await sent(host)

    told = await host.facts("notte_run_workflow", id=session_id)

    assert (told["state"], told["workflow"], "version" in told) == ("completed", session_id, False)


async def test_a_repeated_call_gets_the_same_run(host: Host) -> None:
    """P2: no order twice."""
    await kept(host)
    call: dict[str, Any] = {"name": "permit", "parameters": CODE, "request_id": "once"}

    first = await host.facts("notte_run_workflow", **call)
    again = await host.facts("notte_run_workflow", **call)

    assert again == first
    assert len((await host.facts("notte_status"))["runs"]) == 1


async def test_a_run_that_outlasts_the_wait_is_followed_and_stopped(host: Host) -> None:
    """Contract: a handle, steps as they come, listed only while there are any, and an end within 4 s."""
    nothing = await host.facts("notte_status")
    run_id = await held(host)

    followed = await host.facts("notte_status", id=run_id, wait_seconds=10, after_step=1, until="step")
    seen = await host.facts("notte_status", id=run_id, after_step=0)
    listed = await host.facts("notte_status")
    which = await host.refusal("notte_stop")
    begun = anyio.current_time()
    stopped = await host.facts("notte_stop", id=run_id, mode="now")
    again = await host.facts("notte_stop", id=run_id)

    assert "runs" not in nothing
    assert followed["steps"][0]["action"].startswith("click")
    assert [step["number"] for step in seen["steps"]] == [1, 2]
    assert (seen["state"], seen["last_step"]) == ("running", 2)
    assert f'notte_status(id="{run_id}"' in seen["next"]
    assert [(run["run_id"], run["workflow"]) for run in listed["runs"]] == [(run_id, "slow@1")]
    assert run_id in which
    assert anyio.current_time() - begun < 4
    assert (stopped["kind"], stopped["state"], stopped["reason"]) == ("run", "stopped", "user")
    assert again["state"] == "stopped"


async def test_stopping_everything_stops_runs_too(host: Host) -> None:
    """Contract: all=true leaves nothing."""
    run_id = await held(host)

    told = await host.facts("notte_stop", all=True, mode="now")

    assert [(run["run_id"], run["state"]) for run in told["runs"]] == [(run_id, "stopped")]
    assert all(session.closed for session in host.engine.sessions.values())


@ERAS
async def test_who_waits_for_a_run_sees_that_it_is_alive(host: Host) -> None:
    """Contract: progress while it waits."""
    run_id = await held(host)
    seen: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        seen.append(message or "")

    assert host.client is not None
    arguments = {"id": run_id, "wait_seconds": 1.2, "until": "done"}
    await host.client.call_tool("notte_status", arguments, progress_callback=note)

    assert seen[0].startswith("running, 2 steps")


async def test_the_script_of_a_run_is_that_of_what_it_ran(host: Host) -> None:
    """Contract: a run is something to export, too."""
    await kept(host)
    run = await host.facts("notte_run_workflow", name="permit", parameters=CODE)

    of_run = await host.facts("notte_workflow_code", id=run["run_id"], target="json")
    of_name = await host.facts("notte_workflow_code", id="permit", target="json")

    assert of_run["code"] == of_name["code"]
    assert "keep_failed" in await host.refusal("notte_workflow_code", id="permit", options={"keep_failed": True})


@pytest.mark.parametrize("tool", ["notte_status", "notte_stop"])
async def test_a_run_that_is_not_there_is_told_so(host: Host, tool: str) -> None:
    """Bad input."""
    assert "There is no run" in await host.refusal(tool, id="run_nope")
