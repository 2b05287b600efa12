import json
from typing import Any

import pytest

from tests.tools.conftest import FILL_AND_SEND, Host, text_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("target", ["notte", "playwright"])
async def test_a_sessions_steps_become_a_script(host: Host, target: str) -> None:
    """Contract: the whole script, its parameters, and that it was not verified."""
    session_id = await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)

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
