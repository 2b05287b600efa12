import json
from typing import Any

import pytest

from notte_mcp.registry import Redactor
from notte_mcp.runs.scripts import Errand, Place
from notte_mcp.tools.workflows import left_out
from notte_mcp.workflow_records import ScriptRun
from notte_mcp.workflows import generalise
from tests.tools.conftest import DONE, FILL_AND_SEND, FORM, Host, text_of
from tests.tools.recorded import close_the_south, sent
from tests.workflows.recording import SPEC, Recording, button

pytestmark = pytest.mark.anyio


async def test_a_sessions_steps_become_a_script(host: Host) -> None:
    """Contract: the whole script, its parameters, and that it was not verified."""
    session_id = await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)
    for target in ("notte", "playwright", "pytest"):
        facts = await host.facts("notte_workflow_code", id=session_id, target=target)

        compile(facts["code"], "script", "exec")
        assert (facts["id"], facts["target"], facts["verified"]) == (session_id, target, None)
        by_name = {parameter["name"]: parameter for parameter in facts["parameters"]}
        assert by_name["applicant"]["default"] == "Ada"
        assert by_name["secret_access_code"] == {
            "name": "secret_access_code",
            "type": "str",
            "secret": True,
            "env": "SECRET_ACCESS_CODE",
        }


async def test_json_is_a_target_too_and_the_session_may_have_ended(host: Host) -> None:
    """Contract."""
    session_id = await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)
    await host.call("notte_stop", id=session_id)

    code = (await host.facts("notte_workflow_code", id=session_id, target="json"))["code"]

    assert json.loads(code)


def test_a_form_without_comments_has_a_note_of_what_may_have_happened() -> None:
    """Ours: JSON knows no comments, and silence about a payment would be no account of the session."""
    recording = Recording().goto(FORM).click(button("B1", "Pay"), state="outcome_unknown", success=False)
    recording.click(button("B2", "Send"))

    assert left_out(generalise(recording.steps, SPEC)).startswith('step 2, click on button "Pay" (outcome unknown)')


async def test_text_carries_the_code_and_its_parameters(host: Host) -> None:
    """Measured on hosts: complete in both forms."""
    await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)

    result = await host.call("notte_workflow_code")

    facts: dict[str, Any] = result.structured_content or {}
    text = text_of(result)
    assert facts["code"] in text
    assert "applicant: str = 'Ada'" in text
    assert "secret_access_code (secret, from $SECRET_ACCESS_CODE)" in text


async def test_a_long_script_comes_in_pages(host: Host) -> None:
    """Contract: a cut answer carries a cursor."""
    await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)
    whole = (await host.facts("notte_workflow_code", target="playwright"))["code"]

    facts = await host.facts("notte_workflow_code", target="playwright", max_tokens=300)
    code = facts["code"]
    while "cursor" in facts:
        facts = await host.facts("notte_workflow_code", cursor=facts["cursor"], max_tokens=300)
        code += facts["code"]

    assert code == whole


async def test_options_are_passed_on_and_unknown_ones_refused(host: Host) -> None:
    """Contract: unknown keys are refused inside `options` too."""
    await host.start()

    facts = await host.facts("notte_workflow_code", target="playwright", options={"style": "async"})
    said = await host.refusal("notte_workflow_code", options={"stile": "async"})

    assert "async def run(" in facts["code"]
    assert "`stile`" in said


async def test_a_session_without_steps_has_no_script(host: Host) -> None:
    """Ours: with the call that makes some."""
    await host.start(None)

    assert "notte_execute" in await host.refusal("notte_workflow_code")


# --- verified -----------------------------------------------------------------------


async def test_what_was_verified_says_so_before_its_code(host: Host) -> None:
    """Contract: report and verdict first, so that a cut takes only code; json has no program to run."""
    session_id = await sent(host)

    result = await host.call("notte_workflow_code", id=session_id, target="json", verify="run")
    told: dict[str, Any] = result.structured_content or {}
    text = text_of(result)
    run = await host.facts("notte_status", id=told["run_id"])

    assert told["verified"] is True, told
    assert told["report"]["passed"] == 5
    assert not {"failed", "healed", "not_run", "difference"} & set(told["report"])
    assert text.startswith("verified: true")
    assert text.index("steps: 5 passed") < text.index(told["code"].splitlines()[0])
    assert list(told).index("report") < list(told).index("code")
    assert (run["kind"], run["state"], run["verified"], run["step_count"]) == ("run", "completed", True, 5)
    assert 'save_as="..."' in told["next"]


@pytest.mark.parametrize(("passed", "said"), [(True, "Last verified 20"), (False, "Never verified.")])
async def test_the_code_of_the_call_that_verified_it_says_so(
    host: Host, monkeypatch: pytest.MonkeyPatch, *, passed: bool, said: str
) -> None:
    """Contract: the header of what is handed back, not of the next export alone."""

    async def ran(errand: Errand, place: Place, *, redact: Redactor) -> ScriptRun:
        del place, redact
        assert "Never verified." in errand.script.text
        return ScriptRun(passed, "", 0 if passed else 1)

    monkeypatch.setattr("notte_mcp.runs.run.run_script", ran)
    await sent(host)

    told = await host.facts("notte_workflow_code", target="playwright", verify="run", save_as="permit")
    again = await host.facts("notte_workflow_code", id="permit", target="playwright")

    assert told["verified"] is passed
    for code in (told["code"], again["code"]):
        assert said in code.partition('"""\n')[0].replace("\n", " ")


async def test_a_report_is_not_lost_when_the_code_is_cut(host: Host) -> None:
    """Contract: max_tokens cuts the code alone."""
    await sent(host)

    first = await host.facts("notte_workflow_code", target="notte", verify="run", max_tokens=300)
    rest = await host.facts("notte_workflow_code", cursor=first["cursor"])

    assert first["report"]["passed"] == 5
    assert first["run_id"]
    assert first["verified"] is rest["verified"] is None
    assert "cloud" in first["report"]["script"]["message"]
    assert (first["code"] + rest["code"]).count("def run(") == 1


async def test_the_first_difference_is_told_with_its_step(host: Host) -> None:
    """Contract: per step what passed or failed; a step that failed ends it."""
    await sent(host)
    close_the_south(host)

    told = await host.facts("notte_workflow_code", target="json", verify="run", save_as="permit")
    report, kept = told["report"], json.loads(await host.text("notte_read", uri="notte://workflows/permit"))

    assert told["verified"] is False
    assert report["passed"] == 3
    assert [step["number"] for step in report["failed"]] == [4]
    assert (report["not_run"], "reason" in report) == ('5, click button "Send request"', False)
    assert report["difference"] == 'step 4, choose in combobox "District", failed'
    assert f"notte://runs/{told['run_id']}" in told["next"]
    assert kept["verified"] is False


async def test_a_verification_that_outlasts_the_wait_is_a_run_to_follow(host: Host) -> None:
    """Contract: verified null, an id, and the call that waits; what was saved learns the end."""
    await sent(host)

    told = await host.facts("notte_workflow_code", target="json", verify="run", save_as="permit", wait_seconds=0)
    run = await host.facts("notte_status", id=told["run_id"], wait_seconds=10, until="done")
    kept = json.loads(await host.text("notte_read", uri="notte://workflows/permit"))

    assert told["verified"] is None
    assert told["next"].startswith(f'notte_status(id="{told["run_id"]}", wait_seconds=')
    assert (run["state"], run["verified"], run["workflow"]) == ("completed", True, "permit@1")
    assert kept["verified"] is True


async def test_a_profile_without_verifying_is_refused(host: Host) -> None:
    """Ours: an option that does nothing is not passed over."""
    await sent(host)

    assert 'verify="run"' in await host.refusal("notte_workflow_code", options={"profile": "mine"})


# --- kept ---------------------------------------------------------------------------


async def test_a_name_that_exists_gets_its_next_version_in_words(host: Host) -> None:
    """Contract: nothing is replaced in silence."""
    session_id = await sent(host)
    first = await host.facts("notte_workflow_code", id=session_id, target="playwright", save_as="permit")
    await host.call("notte_execute", actions=[{"type": "goto", "url": DONE}, {"type": "goto", "url": FORM}])

    second = await host.facts("notte_workflow_code", id=session_id, target="playwright", save_as="permit")
    codes = {
        name: (await host.facts("notte_workflow_code", id=name, target="playwright"))["code"]
        for name in ("permit", "permit@1", "permit@2")
    }

    assert (first["saved_as"], second["saved_as"]) == ("permit@1", "permit@2")
    assert "note" not in first
    assert "permit@1 stays" in second["note"]
    assert 'notte_run_workflow(name="permit"' in second["next"]
    assert codes["permit"] == codes["permit@2"] != codes["permit@1"]


async def test_a_name_that_cannot_be_part_of_an_address_is_refused(host: Host) -> None:
    """Ours: it is told by a resource of its own."""
    await sent(host)
    for name in ("two words", "../x", "", "x@2"):
        assert "no name for a workflow" in await host.refusal("notte_workflow_code", save_as=name)
        assert await host.text("notte_read", uri="notte://workflows") == "[]"


async def test_a_verification_that_cannot_begin_tells_what_was_saved_before(host: Host) -> None:
    """Ours: an error says whether anything was done."""
    session_id = await sent(host)
    await host.call("notte_stop", id=session_id)

    said = await host.refusal("notte_workflow_code", id=session_id, verify="run", save_as="permit")
    alone = await host.refusal("notte_workflow_code", id=session_id, verify="run")

    assert "SECRET_ACCESS_CODE" in said
    assert "saved as permit@1, and not verified" in said
    assert "Nothing was done." in alone
