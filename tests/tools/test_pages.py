import base64

import pytest
from mcp.types import ImageContent

from tests.tools.conftest import DONE, FORM, LONG, NOWHERE, Host
from tests.tools.tokens import tokens

pytestmark = pytest.mark.anyio


async def test_only_what_is_looked_for_is_shown(host: Host) -> None:
    """Contract: `find` gives only what matches, wherever on the page it is."""
    await host.start(LONG)

    text = await host.text("notte_observe", find="number 299")

    assert text.splitlines() == [f"Products  {LONG}", 'L299 link "Product number 299"', "view 2"]


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


@pytest.mark.parametrize("budget", [300, 1_000, 2_000])
async def test_an_observation_keeps_within_its_budget(host: Host, budget: int) -> None:
    """Ours: estimates may err by a fifth, header and footer included."""
    await host.start(LONG)

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
