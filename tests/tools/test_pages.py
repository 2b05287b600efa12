import base64

import anyio
import pytest
from mcp.types import ImageContent

from notte_mcp.engines.scripted import ScriptedPage
from notte_mcp.errors import ModelRefused
from notte_mcp.tools import pages, scraping
from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, FORM, LONG, NOWHERE, Host, text_of
from tests.tools.driven import NUMBER, drives
from tests.tools.tokens import tokens

pytestmark = pytest.mark.anyio


async def test_only_what_is_looked_for_is_shown(host: Host) -> None:
    """Contract: `find` gives only what matches, wherever on the page it is."""
    await host.start(LONG)

    text = await host.text("notte_observe", find="number 299")

    assert text.splitlines() == [f"Products  {LONG}", 'L299 link "Product number 299"', "view 2"]


async def test_that_nothing_matches_is_said(host: Host) -> None:
    """An answer without a line may be taken for a page without elements."""
    await host.start(LONG)

    text = await host.text("notte_observe", find="no such product")

    assert text.splitlines() == [
        f"Products  {LONG}",
        'note: nothing on the page matches "no such product"',
        "view 2",
    ]


async def test_page_mode_adds_the_text(host: Host) -> None:
    """Contract."""
    await host.start(DONE)

    assert "4711" not in await host.text("notte_observe")
    assert "Your number is 4711." in await host.text("notte_observe", mode="page")


async def test_the_pages_of_a_long_view_follow_each_other_without_gap(host: Host) -> None:
    """Contract: every element is reachable by cursor."""
    await host.start(LONG)

    text = await host.text("notte_observe", max_tokens=1_000)
    names = [line for line in text.splitlines() if "link" in line]
    while "more below: cursor " in text:
        cursor = text.split("more below: cursor ")[1].split(",")[0]
        text = await host.text("notte_observe", cursor=cursor, max_tokens=1_000)
        names += [line for line in text.splitlines() if "link" in line]

    assert names == [f'L{number} link "Product number {number}"' for number in range(1, 301)]


async def test_an_observation_keeps_within_its_budget(host: Host) -> None:
    """Ours: estimates may err by a fifth, header and footer included."""
    await host.start(LONG)
    for budget in (300, 1_000, 2_000):
        assert tokens(await host.text("notte_observe", max_tokens=budget)) <= budget * 1.2 + 30


async def test_a_budget_beyond_the_limit_is_refused(host: Host) -> None:
    """Contract: at most 20,000."""
    await host.start()

    assert "`max_tokens`" in await host.refusal("notte_observe", max_tokens=20_001)


async def test_changes_since_an_earlier_view_can_be_asked_for(host: Host) -> None:
    """Contract: exactly since view n."""
    await host.start()
    await host.call("notte_execute", actions=[{"type": "click", "id": "B2"}])
    await host.call("notte_observe")

    text = await host.text("notte_observe", since=1)

    assert text.splitlines() == [f"Permit request  {FORM}", '+ I4 textbox "Reason"', '- B2 button "More"', "view 4"]


@ERAS
async def test_a_picture_comes_along_when_asked_for(host: Host) -> None:
    """Contract: content blocks only, so that every host shows it."""
    await host.start()

    plain = await host.call("notte_observe")
    pictured = await host.call("notte_observe", screenshot="true")

    assert len(plain.content) == 1
    picture = pictured.content[1]
    assert isinstance(picture, ImageContent)
    assert (picture.mime_type, base64.b64decode(picture.data)[:2]) == ("image/jpeg", b"\xff\xd8")
    assert pictured.structured_content is None


async def test_an_expired_cursor_names_the_call_to_make(host: Host) -> None:
    """Contract."""
    await host.start()

    assert "notte_observe" in await host.refusal("notte_observe", cursor="c77")


# --- scrape -----------------------------------------------------------------------


async def test_a_page_is_read_as_markdown_and_continued_by_a_cursor(host: Host) -> None:
    """Contract: the continuation reads nothing again."""
    session_id = await host.start(LONG)

    text = await host.text("notte_scrape", max_tokens=200)
    lines: list[str] = [line for line in text.splitlines() if line.startswith("This is")]
    await host.call("notte_stop", id=session_id)
    while "more: cursor " in text:
        text = await host.text("notte_scrape", cursor=text.rsplit("more: cursor ", 1)[1], max_tokens=2_000)
        lines += [line for line in text.splitlines() if line.startswith("This is")]

    assert lines == [f"This is line {number}." for number in range(1, 301)]


async def test_what_was_read_in_a_session_is_a_step_of_its_script(host: Host) -> None:
    """Notte's exports have scrapes as steps; ours, read with notte_scrape, stand in the log and in the script too."""
    await host.start(DONE)
    await host.text("notte_scrape", instructions="the number", response_schema=NUMBER)

    script = (await host.facts("notte_workflow_code", target="notte"))["code"]

    assert "session.scrape(" in script
    assert 'instructions="the number"' in script
    assert "response_format=Result" in script


async def test_what_is_read_beside_an_agent_is_no_step_of_the_agents(host: Host) -> None:
    """Contract: the steps in a session that an agent has are the agent's."""
    begun = await host.facts("notte_start", task="Find the number.", url=DONE, driver="assistant")
    before = (await host.facts("notte_status", id=begun["agent_id"]))["step_count"]

    assert "4711" in await host.text("notte_scrape")

    assert (await host.facts("notte_status", id=begun["agent_id"]))["step_count"] == before


async def test_a_url_is_read_in_a_session_that_ends_with_it(host: Host) -> None:
    """Contract: session_id or url."""
    text = await host.text("notte_scrape", url=DONE)

    assert "Your number is 4711." in text
    assert [one["state"] for one in (await host.facts("notte_status"))["sessions"]] == ["stopped"]
    assert all(session.closed for session in host.engine.sessions.values())


async def test_a_url_that_does_not_load_leaves_no_session(host: Host) -> None:
    """Ours."""
    said = await host.refusal("notte_scrape", url=NOWHERE)

    assert "did not load" in said
    assert all(session.closed for session in host.engine.sessions.values())


async def test_a_session_and_a_url_are_too_much(host: Host) -> None:
    """Ours: one of them would be ignored."""
    assert "not both" in await host.refusal("notte_scrape", session_id=await host.start(), url=DONE)


@pytest.mark.parametrize("wish", [{"instructions": "the number"}, {"response_schema": {"type": "object"}}])
async def test_without_a_model_a_wish_is_answered_with_the_page(host: Host, wish: dict[str, object]) -> None:
    """Contract: it says so and gives the markdown."""
    await host.start(DONE)

    text = await host.text("notte_scrape", **wish)

    assert "need a model" in text
    assert "Your number is 4711." in text


# --- data -------------------------------------------------------------------------


async def test_data_that_fits_the_schema_is_told_with_where_it_is_from(host: Host) -> None:
    """Contract: JSON text in content blocks; url and title told."""
    model = drives(host, {"number": 4711})
    await host.start(DONE)

    result = await host.call("notte_scrape", instructions="the number", response_schema=NUMBER)

    lines = text_of(result).splitlines()
    assert result.structured_content is None
    assert lines[0] == f"Done  {DONE}"
    assert lines[1].startswith("data, by ours (")
    assert lines[2:] == ['{"number":4711}']
    assert "Your number is 4711." in model.requests[0].messages[0].text


async def test_data_of_a_url_are_taken_once_its_session_has_ended(host: Host) -> None:
    """Ours: a browser is not kept open for a model."""
    gate = anyio.Event()
    model = drives(host, {"number": 4711}, gate=gate)
    told: list[str] = []
    closed: list[bool] = []

    async def scrape() -> None:
        told.append(await host.text("notte_scrape", url=DONE, response_schema=NUMBER))

    async with anyio.create_task_group() as group:
        group.start_soon(scrape)
        await model.asked()
        closed += [session.closed for session in host.engine.sessions.values()]
        gate.set()

    assert closed == [True]
    assert told[0].endswith('{"number":4711}')


async def test_instructions_alone_give_data_too(host: Host) -> None:
    """Contract: instructions?, response_schema?"""
    drives(host, "Here it is:", {"permit": {"number": 4711}})
    await host.start(DONE)

    text = await host.text("notte_scrape", instructions="the permit")

    assert text.splitlines()[1].endswith("in 2 calls):")
    assert text.splitlines()[2] == '{"permit":{"number":4711}}'


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (["NOT FOUND: no number"], "the page does not hold it: no number."),
        (["nonsense"] * 3, "3 answers could not be used"),
        ([{"number": "many"}] * 3, "$.number"),
        ([ModelRefused("The key was refused.", next_call="set another one")], "The key was refused (set another one)."),
    ],
)
async def test_where_no_data_come_of_it_the_page_is_given(host: Host, answers: list[object], why: str) -> None:
    """Contract: errors are told with the markdown kept, and nothing is made up."""
    drives(host, *answers)
    await host.start(DONE)

    text = await host.text("notte_scrape", response_schema=NUMBER)

    lines = text.splitlines()
    assert lines[0] == f"Done  {DONE}"
    assert lines[1].startswith("note: ours gave no data: ")
    assert why in lines[1]
    assert lines[-1] == "Your number is 4711."
    assert "data, by" not in text


async def test_a_model_without_a_key_costs_no_page(host: Host) -> None:
    """Ours: the note names what is missing."""
    host.model = "anthropic:claude"
    await host.start(DONE)

    text = await host.text("notte_scrape", response_schema=NUMBER)

    assert "ANTHROPIC_API_KEY" in text.splitlines()[1]
    assert "Your number is 4711." in text


async def test_a_model_that_is_slow_does_not_hang_the_call(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: a call answers in time, with what there is."""
    monkeypatch.setattr(pages, "SCRAPE_S", 0.2)
    monkeypatch.setattr(scraping, "LEAST_S", 0.2)
    drives(host, {"number": 4711}, gate=anyio.Event())
    await host.start(DONE)

    text = await host.text("notte_scrape", response_schema=NUMBER)

    assert "no answer that fits came within" in text
    assert "Your number is 4711." in text


async def test_long_data_are_continued_by_a_cursor(host: Host) -> None:
    """Contract: each answer that is cut says so, and the model is not asked again."""
    rows = [{"line": number} for number in range(500)]
    model = drives(host, rows)
    await host.start(LONG)

    text = await host.text("notte_scrape", instructions="all lines", max_tokens=300)
    found = text.splitlines()[2]
    while "more: cursor " in text:
        text = await host.text("notte_scrape", cursor=text.rsplit("more: cursor ", 1)[1], max_tokens=2_000)
        found += text.splitlines()[2]

    assert found.startswith('[{"line":0}')
    assert found.endswith('{"line":499}]')
    assert found.count("line") == 500
    assert len(model.requests) == 1


async def test_a_secret_on_the_page_is_not_shown_to_the_model(host: Host) -> None:
    """P9."""
    host.engine.pages = {**host.engine.pages, DONE: ScriptedPage("Done", text=("The code was geheim-4711.",))}
    model = drives(host, {"number": 4711})
    await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)

    await host.call("notte_scrape", response_schema=NUMBER)

    assert "The code was [secret SECRET_ACCESS_CODE]" in model.requests[0].messages[0].text.replace("\\", "")
    assert "geheim" not in str(model.requests)


async def test_a_wrong_wish_opens_no_page(host: Host) -> None:
    """Bad input."""
    for wish, named in (
        ({"response_schema": {"type": "objekt"}}, "is no JSON Schema"),
        ({"response_schema": "a number"}, "`response_schema`"),
        ({"instructions": "x" * 10_001}, "10001"),
    ):
        said = await host.refusal("notte_scrape", url=DONE, **wish)

        assert named in said
        assert "Nothing was done" in said
        assert host.engine.requests == []


async def test_an_agents_id_stands_for_its_session(host: Host) -> None:
    """Contract: every session_id also accepts an agent's id; and a schema may be JSON text."""
    drives(host, {"number": 4711})
    started = await host.facts("notte_start", task="Look", url=DONE, driver="assistant")

    text = await host.text(
        "notte_scrape", session_id=started["agent_id"], response_schema='{"type": "object"}', instructions=None
    )

    assert text.endswith('{"number":4711}')
