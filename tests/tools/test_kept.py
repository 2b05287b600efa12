"""What is kept, as resources: workflows by name, their scripts, runs; listed, completed, announced."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp.types import ResourceTemplateReference, TextResourceContents

from notte_mcp.actions import Click, Drag, Goto
from notte_mcp.receipts import Locators
from notte_mcp.records import SessionSpec
from notte_mcp.resources.records_json import workflow_json
from notte_mcp.workflow_records import WorkflowRecord
from notte_mcp.workflows import Workflow, WorkflowStep
from tests.tools.conftest import ERAS, Host
from tests.tools.recorded import CODE, kept, sent

pytestmark = pytest.mark.anyio


async def resource(host: Host, uri: str) -> TextResourceContents:
    assert host.client is not None
    (content,) = (await host.client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content


async def test_kept_workflows_are_listed_and_read_with_their_versions(host: Host) -> None:
    """Contract: parameters, steps in words, versions, whether verified."""
    await kept(host)
    await host.facts("notte_workflow_code", id="permit", target="json", save_as="permit")
    await host.facts("notte_workflow_code", id="permit", target="json", save_as="other")

    listed = json.loads((await resource(host, "notte://workflows")).text)
    one = json.loads((await resource(host, "notte://workflows/permit")).text)
    older = json.loads((await resource(host, listed[1]["uri"].replace("@2", "@1"))).text)

    assert {(each["name"], each["version"]) for each in listed} == {("other", 1), ("permit", 2)}
    assert [version["version"] for version in one["versions"]] == [2, 1]
    assert (one["version"], older["version"], one["verified"]) == (2, 1, None)
    assert [parameter["name"] for parameter in one["parameters"]] == ["applicant", "secret_access_code", "district"]
    assert one["steps"][1] == {
        "number": 2,
        "what": 'fill textbox "Applicant"',
        "ways": ['role=textbox[name="Applicant"]', "#applicant"],
    }
    assert "geheim" not in json.dumps(one)


def test_each_step_tells_the_ways_that_are_kept_and_what_it_does_outside() -> None:
    """Ours: with selectors that Playwright takes, the one that scripts use first; nothing where there is nothing."""
    go = WorkflowStep(1, Goto(url="http://a.test/"))
    found = Locators(role=("button", "Send"), css="#send", frame=("#desk",))
    send = WorkflowStep(
        2, Click(selector="x"), role="button", name="Send", locators=found, effect="sends POST http://a.test/"
    )
    drag = WorkflowStep(
        3, Drag(selector="x", to_selector="y"), locators=Locators(css="#a"), destination=Locators(css="#b")
    )
    record = WorkflowRecord("orders", 1, {}, "ses_1", 1.0)

    steps = workflow_json(record, Workflow((go, send, drag), (), SessionSpec()), [])["steps"]

    into = "#desk >> internal:control=enter-frame >> "
    assert steps == [
        {"number": 1, "what": "open http://a.test/"},
        {
            "number": 2,
            "what": 'click button "Send"',
            "ways": [f'{into}role=button[name="Send"]', f"{into}#send"],
            "effect": "sends POST http://a.test/",
        },
        {"number": 3, "what": "drag element", "ways": ["#a"], "ways_to_its_end": ["#b"]},
    ]


async def test_the_script_of_a_kept_workflow_is_a_resource(host: Host) -> None:
    """Contract: the same as the tool's, and the same through notte_read."""
    await kept(host)
    for target, mime in (("playwright", "text/x-python"), ("notte", "text/x-python"), ("json", "application/json")):
        script = await resource(host, f"notte://workflows/permit@1/{target}")
        twin = await host.text("notte_read", uri=f"notte://workflows/permit@1/{target}", max_tokens=20_000)
        code = (await host.facts("notte_workflow_code", id="permit@1", target=target))["code"]

        assert script.mime_type == mime
        assert script.text == code
        assert twin == code.rstrip("\n")


async def test_runs_are_read_with_their_steps(host: Host) -> None:
    """Contract: the record as JSON."""
    await kept(host)
    run_id = (await host.facts("notte_run_workflow", name="permit", parameters=CODE))["run_id"]

    listed = json.loads((await resource(host, "notte://runs")).text)
    one = json.loads((await resource(host, f"notte://runs/{run_id}")).text)

    assert [(each["id"], each["workflow"], each["version"], each["state"]) for each in listed] == [
        (run_id, "permit", 1, "completed")
    ]
    assert [step["state"] for step in one["steps"]] == ["passed"] * 5
    assert "geheim" not in json.dumps(one)


async def test_an_address_below_them_that_leads_nowhere_is_told_so(host: Host) -> None:
    """SEP-2164."""
    await kept(host)
    for uri in (
        "notte://workflows/nope",
        "notte://workflows/permit@9",
        "notte://workflows/permit/cobol",
        "notte://workflows/permit/json/more",
        "notte://workflows/",
        "notte://runs/run_nope",
        "notte://runs/",
    ):
        with pytest.raises(MCPError) as caught:
            await resource(host, uri)
        said = await host.refusal("notte_read", uri=uri)

        assert (caught.value.error.code, caught.value.error.data) == (-32602, {"uri": uri})
        assert "Next:" in said


@ERAS
async def test_names_targets_and_runs_are_completed(host: Host) -> None:
    """The templates' parameters."""
    await kept(host)
    run_id = (await host.facts("notte_run_workflow", name="permit", parameters=CODE))["run_id"]

    async def completed(template: str, name: str, typed: str) -> Sequence[str]:
        assert host.client is not None
        reference = ResourceTemplateReference(type="ref/resource", uri=template)
        return (await host.client.complete(reference, {"name": name, "value": typed})).completion.values

    assert await completed("notte://workflows/{name}", "name", "per") == ["permit"]
    assert await completed("notte://workflows/{name}/{target}", "target", "py") == ["pytest"]
    assert await completed("notte://runs/{id}", "id", "run_") == [run_id]


async def test_who_listens_is_told_what_is_saved_and_what_runs(tmp_path: Path) -> None:
    """`subscriptions/listen`: a saved workflow, and a run's changes."""
    host = Host(tmp_path, "auto")
    async with host.connected() as client:
        await sent(host)
        uris = ["notte://workflows", "notte://workflows/permit/json", "notte://runs"]
        seen: set[Any] = set()
        async with client.listen(resource_subscriptions=uris) as events:
            await host.facts("notte_workflow_code", target="json", save_as="permit")
            run = await host.facts("notte_run_workflow", name="permit", wait_seconds=0)
            with anyio.fail_after(5):
                async for event in events:
                    seen.add(getattr(event, "uri", None))
                    if seen >= set(uris):
                        break
        await host.facts("notte_status", id=run["run_id"], wait_seconds=5, until="done")
