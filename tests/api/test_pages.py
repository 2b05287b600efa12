"""Pages over the local API, in a real Chromium: what is observed can be acted on, and what fails says how."""

import base64
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from notte_mcp.engines.scripted import ScriptedEngine
from tests import office
from tests.api.served import Api, served_api
from tests.browsers import Browsers
from tests.site import Site

pytestmark = pytest.mark.anyio


@dataclass
class Tab:
    """A session of the API."""

    api: Api
    id: str
    site: Site

    async def ask(self, path: str, body: dict[str, Any] | None = None, status: int = 200) -> Any:
        answered = await self.api.client.post(f"/sessions/{self.id}/page/{path}", json=body or {})
        assert answered.status_code == status, answered.text
        return answered.json()

    async def go(self, path: str) -> None:
        await self.done(type="goto", url=self.site.url(path))

    async def look(self) -> dict[str, Any]:
        return await self.ask("observe")

    async def done(self, **action: Any) -> dict[str, Any]:
        """An action that succeeds."""
        result = await self.ask("execute", action)
        assert result["success"], result
        return result

    async def failed(self, **action: Any) -> str:
        """The class of an action's failure."""
        result = await self.ask("execute", action)
        assert not result["success"], result
        assert result["exception"] == result["message"] == result["exception_detail"]["dev_message"]
        return str(result["exception_detail"]["error_type"])

    async def run(self, code: str) -> str:
        return str((await self.done(type="evaluate_js", code=code))["data"]["markdown"])


@pytest.fixture(scope="module")
async def served(browsers: Browsers, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Api, str]]:
    engines = {"local": browsers.engine()}
    async with served_api(tmp_path_factory.mktemp("api"), chromium=None, engines=engines) as api:
        yield api, await api.started(viewport_width=1280, viewport_height=800)


@pytest.fixture
async def tab(served: tuple[Api, str], site: Site) -> Tab:
    return Tab(*served, site)


def by_label(seen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What can be done, by what it is called."""
    return {one["accessible_name"]: one for one in seen["space"]["interaction_actions"]}


async def test_an_id_needs_an_observation(served: tuple[Api, str], site: Site) -> None:
    """Contract: 500 with an error class before the first one; about:blank is looked at like others."""
    api, _ = served
    tab = Tab(api, await api.started(), site)
    answered = await api.client.post(f"/sessions/{tab.id}/page/execute", json={"type": "click", "id": "B1"})
    assert (answered.status_code, answered.headers["x-error-class"]) == (500, "NotteApiExecutionError")
    assert "No snapshot is available" in answered.json()["detail"]
    blank = await tab.look()
    assert (blank["space"]["interaction_actions"], blank["element_states"]) == ([], {})
    assert await tab.failed(type="click", id="B1") == "InvalidActionError"
    await api.app.registry.stop(tab.id)


async def test_an_observation_is_the_contracts_line_for_line(tab: Tab) -> None:
    """Text form, kinds, selectors, states, boxes, sizes."""
    await tab.go("/spelled.html")
    seen = await tab.look()
    assert seen["space"]["description"].split("\n") == EXPECTED.strip().split("\n")
    assert (seen["metadata"]["title"], seen["metadata"]["viewport"]["viewport_height"]) == ("Spelled", 800)
    assert seen["metadata"]["viewport"]["total_height"] > 2_000
    assert base64.b64decode(seen["screenshot"]["raw"])[:3] == b"\xff\xd8\xff"
    boxed = {box["notte_id"] for box in seen["screenshot"]["bboxes"]}
    assert {"L1", "B6", "B7"} <= boxed
    assert "L5" not in boxed
    inner = by_label(seen)["Inner frame button"]["selector"]
    assert (inner["in_iframe"], inner["iframe_parent_css_selectors"]) == (True, ['iframe[title="Inner"]'])
    assert by_label(seen)["Shadow btn"]["selector"]["in_shadow_root"] is True
    assert seen["element_states"]["I2"] == {"filled": True}
    assert seen["element_states"]["I5"]["options"][1] == {
        "value": "g", "label": "Green", "selected": False, "disabled": False,
    }  # fmt: skip
    assert "hunter2" not in str(seen)


EXPECTED = """
### Content of 'WebArea' component with text 'body content'
L1[:]<a href="/about.html">About us</a>
L2[:]<a href="/cart.html">Cart</a>
_[:]Welcome to the demo shop
_[:]Some plain paragraph text with
_[:]bold
_[:].
_[:]Email
I1[:]<input type="email" placeholder="you@example.com" name="email"></input>
_[:]Password
I2[:]<input type="password" name="password"></input>
I3[:]<input type="text" value="prefilled" name="q" aria_label="Search box"></input>
I4[:]<textarea placeholder="Message" name="msg"></textarea>
B1[:]<input type="checkbox" name="tos"></input>
_[:]I agree
B2[:]<input type="radio" value="a" name="r"></input>
_[:]A
I5[:]<select name="color">Red
Green
Blue</select>
I6[:]<input type="file" name="up"></input>
B3[:]<button type="submit">Send it</button>
_[:]<button type="button" disabled>Nope</button>
B4[:]<div tabindex="0" role="button">Custom div button</div>
B5[:]<div tabindex="0" role="menuitem" aria_expanded="false">Menu item</div>
M1[:]<span>pointer span</span>
_[:]Item 1
L3[:]<a href="/item1.html">Buy</a>
_[:]Item 2
L4[:]<a href="/item2.html">Buy</a>
B6[:]<button>Inner frame button</button>
B7[:]<button>Shadow btn</button>
L5[:]<a href="/far.html">Far bottom link</a>
"""


async def test_what_was_observed_can_be_done(tab: Tab) -> None:
    """By id, each kind; the fingerprint and the states follow."""
    await tab.go("/form.html")
    seen = await tab.look()
    ids = {name: one["id"] for name, one in by_label(seen).items()}
    filled = await tab.done(type="fill", id=ids["Applicant"], value="Ada")
    assert filled["message"] == "Filled input field 'Applicant' with the value: 'Ada'"
    assert (await tab.done(type="check", id=ids["I accept the terms"], value=True))["action"][
        "category"
    ] == "Interaction Actions"
    await tab.done(type="select_dropdown_option", id=ids["District"], value="South")
    after = await tab.look()
    assert after["fingerprint"] != seen["fingerprint"]
    states = {name: after["element_states"].get(one["id"]) for name, one in by_label(after).items()}
    assert states["Applicant"] is not None
    assert (states["Applicant"]["value"], states["I accept the terms"]) == ("Ada", {"checked": True})
    clicked = await tab.done(type="click", id=ids["Send request"])
    assert clicked["message"] == "Clicked on the element with text label: Send request"
    sent = tab.site.submissions[-1]
    assert [sent.value(name) for name in ("applicant", "terms", "district")] == ["Ada", "yes", "South"]


async def test_a_selector_of_an_observation_leads_back_through_frames_and_shadow_roots(tab: Tab) -> None:
    """NodeSelectors as they were told, without the id."""
    await tab.go("/spelled.html")
    found = by_label(await tab.look())
    for name in ("Inner frame button", "Shadow btn", "Custom div button"):
        told = {key: value for key, value in found[name]["selector"].items() if key != "notte_selector"}
        result = await tab.done(type="click", selector=told)
        assert result["message"] == f"Clicked on the element with text label: {name}"
    way = found["Custom div button"]["selector"]["xpath_selector"]
    await tab.done(type="click", selector=f"xpath=/{way}")


async def test_failures_are_answers_with_the_contracts_classes(tab: Tab) -> None:
    """HTTP 200 and `success: false`; nothing is raised for what a page does."""
    await tab.go("/spelled.html")
    cart = by_label(await tab.look())["Cart"]["id"]
    assert await tab.failed(type="click", id="B99") == "InvalidActionError"
    assert await tab.failed(type="click", selector="#nowhere", timeout=300) == "InvalidLocatorRuntimeError"
    assert await tab.failed(type="click", selector="a", timeout=300) == "InvalidLocatorRuntimeError"
    assert await tab.failed(type="goto", url="file:///etc/hosts") == "InvalidURLError"
    assert await tab.failed(type="switch_tab", tab_index=7) == "ActionExecutionError"
    assert await tab.failed(type="evaluate_js", code="nowhere.at.all") == "ActionExecutionError"
    assert await tab.failed(type="scroll_up") == "ScrollActionFailedError"
    assert await tab.failed(type="upload_file", selector="[name=up]", file_path="none.txt") == "FailedToUploadFileError"
    assert await tab.failed(type="captcha_solve") == "CaptchaSolverNotAvailableError"
    assert await tab.failed(type="email_read") == "InboxActionNotSupportedLocallyError"
    assert await tab.failed(type="help", reason="stuck") == "ActionExecutionError"
    await tab.go("/form.html")
    assert await tab.failed(type="click", id=cart) == "InvalidLocatorRuntimeError"


async def test_what_is_no_action_is_refused_before_the_page_is_touched(tab: Tab) -> None:
    """422 in FastAPI's form; what may stand in the query is passed over."""
    refused = await tab.ask("execute", {"type": "goto", "url": "http://x/", "headless": True}, status=422)
    assert refused["detail"][0]["loc"] == ["body", "goto", "headless"]
    await tab.ask("observe", {"surprise": 1}, status=422)
    assert "model" in (await tab.ask("observe", {"instructions": "the cheapest"}, status=422))["detail"]
    query = "captcha_timeout_seconds=180&target_page_id=1&target_generation=2&update_metadata=True"
    wait = await tab.api.client.post(f"/sessions/{tab.id}/page/execute?{query}", json={"type": "wait", "time_ms": 1})
    assert wait.json()["message"] == "Waited for 1 milliseconds"


async def test_a_secret_that_was_typed_comes_back_in_no_answer_and_scripts_go_on(tab: Tab) -> None:
    """The program that typed it may run scripts; what they bring is redacted like all else."""
    await tab.go("/login.html")
    await tab.look()
    filled = await tab.done(type="fill", selector="[type=password]", value="open sesame 9")
    read = await tab.run("document.querySelector('[type=password]').value")
    seen = await tab.look()
    scraped = await tab.done(type="scrape")
    for answer in (filled, read, seen, scraped):
        assert "sesame" not in str(answer)
    assert read.startswith("[secret ")


async def test_a_script_may_bring_more_than_is_written_down(tab: Tab) -> None:
    """A file that an SDK fetches from within the page; more than that fails and says so."""
    await tab.go("/spelled.html")
    assert len(await tab.run("'x'.repeat(1_500_000)")) == 1_500_000
    step = (await tab.api.app.registry.steps(tab.id))[-1]
    assert step.receipt is not None
    assert len(step.receipt.data) == 256_000
    assert await tab.failed(type="evaluate_js", code="'x'.repeat(2_500_000)") == "EvaluateJsResultLimitError"


async def test_a_page_is_scraped_with_and_without_links(tab: Tab) -> None:
    """A DataSpace; data need a model, and without one the markdown is there with the reason."""
    await tab.go("/spelled.html")
    whole = await tab.ask("scrape")
    assert whole["structured"] is None
    assert "[About us](" in whole["markdown"]
    assert "[About us](" not in (await tab.ask("scrape", {"scrape_links": False}))["markdown"]
    assert (await tab.ask("scrape", {"selector": "h1"}))["markdown"].strip() == "# Welcome to the demo shop"
    asked = await tab.ask("scrape", {"instructions": "all links"})
    assert asked["structured"]["success"] is False
    assert "model" in asked["structured"]["error"]
    assert asked["markdown"] == whole["markdown"]
    refused = await tab.ask("scrape", {"scrape_images": True}, status=422)
    assert refused["detail"][0]["loc"] == ["body", "scrape_images"]
    by_action = await tab.done(type="scrape", selector="h1")
    assert by_action["data"]["markdown"].strip() == "# Welcome to the demo shop"
    told = await tab.api.client.post(f"/sessions/{tab.id}/page/scrape", json={"ignored_tags": ["nav"]})
    assert told.headers["x-notte-mcp-ignored"] == "ignored_tags"
    missing = await tab.ask("scrape", {"selector": "#nowhere"}, status=500)
    assert missing["error"] == "SelectorNotFound"


async def test_data_are_taken_out_by_the_configured_model(tmp_path: Path) -> None:
    """Held to the schema that was asked for."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"answers": [{"number": 4711}]}))
    engines = {"local": ScriptedEngine(office.scripted_pages("http://office.test"))}
    async with served_api(tmp_path / "state", chromium=None, engines=engines, model=f"scripted:{plan}") as api:
        page = f"/sessions/{await api.started()}/page"
        await api.client.post(f"{page}/execute", json={"type": "goto", "url": "http://office.test/result"})
        schema = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
        found = await api.client.post(f"{page}/scrape", json={"instructions": "its number", "response_format": schema})
        assert found.json()["structured"] == {"success": True, "error": None, "data": {"number": 4711}}
        assert "4711" in found.json()["markdown"]
        wrong = await api.client.post(f"{page}/scrape", json={"response_format": {"type": "nothing"}})
        assert wrong.status_code == 422


@pytest.mark.parametrize("path", ["scrape", "execute"])
async def test_nobody_waits_for_a_session_whose_page_a_model_reads(tmp_path: Path, path: str) -> None:
    """The page is taken, and then the session is free."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"answers": [{"number": 4711}], "delay_s": 60}))
    engines = {"local": ScriptedEngine(office.scripted_pages("http://office.test"))}
    async with served_api(tmp_path / "state", chromium=None, engines=engines, model=f"scripted:{plan}") as api:
        at = f"/sessions/{await api.started()}"
        asked = {"instructions": "its number"} | ({"type": "scrape"} if path == "execute" else {})
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: api.client.post(f"{at}/page/{path}", json=asked))
            with anyio.fail_after(20):
                while (await api.client.get(f"{at}/offset")).json()["offset"] == 0:
                    await anyio.lowlevel.checkpoint()
                assert (await api.client.post(f"{at}/page/observe")).status_code == 200
            group.cancel_scope.cancel()


async def test_instructions_narrow_an_observation_to_what_the_model_picks(tmp_path: Path) -> None:
    """By ids of the observation; what is none is left out, and all ids can be acted on afterwards."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"answers": [["B3", "B99", "I1"], ["B3"]]}))
    engines = {"local": ScriptedEngine(office.scripted_pages("http://office.test"))}
    async with served_api(tmp_path / "state", chromium=None, engines=engines, model=f"scripted:{plan}") as api:
        page = f"/sessions/{await api.started()}/page"
        await api.client.post(f"{page}/execute", json={"type": "goto", "url": "http://office.test/form"})
        seen = (await api.client.post(f"{page}/observe", json={"instructions": "send it"})).json()
        assert [one["id"] for one in seen["space"]["interaction_actions"]] == ["B3", "I1"]
        assert "B1[:]" in seen["space"]["description"]
        filled = await api.client.post(f"{page}/execute", json={"type": "fill", "id": "I1", "value": "Ada"})
        assert filled.json()["success"], filled.text
        deep = await api.client.post(f"{page}/observe", json={"perception_type": "deep"})
        assert deep.status_code == 422


async def test_a_url_is_scraped_in_a_session_that_ends_with_it(tab: Tab) -> None:
    """Whatever becomes of it."""
    live = [record.id for record in await tab.api.app.registry.sessions() if record.state == "ready"]
    found = await tab.api.client.post("/scrape", json={"url": tab.site.url("/spelled.html"), "only_main_content": True})
    assert "Welcome to the demo shop" in found.json()["markdown"]
    lost = await tab.api.client.post("/scrape", json={"url": "http://127.0.0.1:9/"})
    assert (lost.status_code, lost.json()["error"]) == (500, "PageLoadingError")
    assert (lost.json()["detail"].count("did not load"), "session" in lost.json()["detail"]) == (1, False)
    after = await tab.api.app.registry.sessions()
    assert [record.id for record in after if record.state == "ready"] == live
    assert (await tab.api.client.post("/scrape_from_html", json={"frames": []})).status_code == 501


async def test_a_screenshot_is_the_jpeg_itself(tab: Tab) -> None:
    """Raw bytes, as SDKs read them."""
    answered = await tab.api.client.post(f"/sessions/{tab.id}/page/screenshot")
    assert (answered.headers["content-type"], answered.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")


async def test_a_file_is_uploaded_by_its_name(tab: Tab) -> None:
    """One that the session was given before."""
    await tab.api.app.registry.put_file(tab.id, "plan.txt", b"a plan")
    await tab.go("/spelled.html")
    up = {"type": "upload_file", "selector": "[name=up]", "file_path": "plan.txt"}
    result = await tab.ask("execute/file", {"action": up, "target_id": "0", "record": True})
    assert result["success"], result
    assert await tab.run("document.querySelector('[name=up]').files[0].name") == "plan.txt"
    await tab.ask("execute/file", {"action": {"type": "reload"}, "target_id": "0"}, status=422)


async def test_a_session_that_is_gone_is_an_error_and_no_result(tab: Tab) -> None:
    """Neither is another one opened."""
    stopped = await tab.api.started()
    await tab.api.app.registry.stop(stopped)
    for session_id, status in ((stopped, 400), ("ses_00000000000000000000000000", 404)):
        for path in ("observe", "execute", "screenshot"):
            answered = await tab.api.client.post(
                f"/sessions/{session_id}/page/{path}", json={"type": "reload"} if path == "execute" else {}
            )
            assert answered.status_code == status, (path, answered.text)
