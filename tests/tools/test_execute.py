import anyio
import anyio.lowlevel
import pytest
from mcp.types import CallToolResult

from notte_mcp.actions import Fill
from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, FORM, LONG, NOWHERE, SLOW, Host, text_of
from tests.tools.tokens import tokens

pytestmark = pytest.mark.anyio


@ERAS
async def test_a_form_is_filled_and_sent_in_one_call(host: Host) -> None:
    """Contract: a receipt per action, then the page that the navigation led to, whole."""
    await host.start()

    text = await host.text("notte_execute", actions=FILL_AND_SEND)

    assert text.splitlines() == [
        '1 fill I1 "Applicant"',
        '2 fill I2 "Access code" = (secret SECRET_ACCESS_CODE)',
        '3 select_dropdown_option I3 "District"',
        '4 click B1 "Send request" -> (200)',
        f"Done  {DONE}",
        "view 2",
    ]


async def test_a_secret_is_in_no_answer_and_in_no_log_of_steps(host: Host) -> None:
    """P9: from the moment it was typed it is a name."""
    session_id = await host.start()
    answers = [
        await host.text("notte_execute", actions=FILL_AND_SEND),
        text_of(await host.call("notte_status", id=session_id)),
    ]
    answers += [
        await host.text("notte_read", uri=f"notte://sessions/{session_id}{uri}", max_tokens=20_000)
        for uri in ("", "/steps", "/workflow/notte", "/workflow/playwright", "/workflow/json")
    ]

    assert [answer for answer in answers if "geheim" in answer] == []
    typed = host.engine.sessions[session_id].performed[2]
    assert isinstance(typed, Fill)
    assert typed.value == "geheim-4711"


async def test_what_a_receipt_read_back_is_not_told_again(host: Host) -> None:
    """Ours: an answer has one channel for one fact."""
    await host.start()

    text = await host.text("notte_execute", actions=FILL_AND_SEND[:1])

    assert text.splitlines() == ['1 fill I1 "Applicant"', "no other change", "view 2"]


async def test_what_else_appeared_and_went_is_told(host: Host) -> None:
    """Contract: the change of the page, not the page again."""
    await host.start()

    text = await host.text("notte_execute", actions=[{"type": "click", "id": "B2"}])

    assert text.splitlines() == ['1 click B2 "More"', '+ I4 textbox "Reason"', '- B2 button "More"', "view 2"]


async def test_a_click_on_a_still_page_costs_at_most_sixty_tokens(host: Host) -> None:
    """Ours: a number to keep."""
    await host.start(SLOW)

    text = await host.text("notte_execute", actions=[{"type": "click", "id": "B2"}])

    assert text.splitlines() == ['1 click B2 "Ask"', "no change", "view 2"]
    assert tokens(text) <= 60


async def test_a_failure_in_the_middle_says_what_was_done_and_what_was_not(host: Host) -> None:
    """Contract: a normal result that begins `failed at`."""
    await host.start()

    text = await host.text(
        "notte_execute",
        actions=[
            {"type": "fill", "id": "I1", "value": "Ada"},
            {"type": "click", "selector": "#nope"},
            {"type": "reload"},
            {"type": "reload"},
            {"type": "reload"},
        ],
    )

    lines = text.splitlines()
    assert lines[0] == "failed at 2 of 5"
    assert lines[1] == '1 fill I1 "Applicant"'
    assert lines[2].startswith("2 failed: Selector '#nope' matches nothing.")
    assert lines[3] == "not run: 3 to 5"


async def test_a_failure_does_not_end_a_batch_that_is_to_continue(host: Host) -> None:
    """Contract: on_error=continue."""
    await host.start()

    text = await host.text(
        "notte_execute", on_error="continue", actions=[{"type": "click", "selector": "#nope"}, *FILL_AND_SEND[:1]]
    )

    assert text.splitlines()[0] == "failed at 1 of 2"
    assert '2 fill I1 "Applicant"' in text


@ERAS
async def test_nothing_done_is_an_error(host: Host) -> None:
    """Contract: isError only when nothing was done."""
    await host.start()

    said = await host.refusal("notte_execute", actions=[{"type": "goto", "url": NOWHERE}, {"type": "reload"}])

    assert said.splitlines()[:3] == ["failed at 1 of 2", f"1 failed: {NOWHERE} does not answer", "not run: 2"]


async def test_an_id_that_was_never_shown_is_refused_before_anything_is_done(host: Host) -> None:
    """The generate-then-edit rule."""
    session_id = await host.start()

    said = await host.refusal("notte_execute", actions=[*FILL_AND_SEND[:1], {"type": "click", "id": "B99"}])

    assert "B99" in said
    assert "Nothing was done" in said
    assert [action.type for action in host.engine.sessions[session_id].performed] == ["goto"]


async def test_an_id_of_a_page_that_was_left_stops_the_batch(host: Host) -> None:
    """Contract: the navigation was unexpected."""
    await host.start()

    text = await host.text("notte_execute", actions=[{"type": "click", "id": "B1"}, {"type": "click", "id": "B2"}])

    assert text.splitlines()[0] == "stopped after 1 of 2"
    assert "not run: 2: action 1 left the page" in text


async def test_a_wrong_action_is_refused_with_what_is_right(host: Host) -> None:
    """Ours: bad input."""
    await host.start()
    for actions, named in (
        ([], "1 to 20"),
        ([{"type": "reload"}] * 21, "1 to 20"),
        ([{"type": "clik", "id": "B1"}], "'clik'"),
        ([{"type": "click", "id": "B1", "button": "left"}], "button"),
        ([{"type": "click"}], "exactly one of"),
        ("nonsense", "no JSON"),
    ):
        assert named in await host.refusal("notte_execute", actions=actions)


async def test_actions_may_come_as_text_or_alone_or_with_nulls(host: Host) -> None:
    """Contract: lenient where models slip."""
    await host.start()

    for actions in ('[{"type":"reload"}]', {"type": "reload"}, [{"type": "reload", "id": None, "value": None}]):
        assert (await host.text("notte_execute", actions=actions)).startswith("1 reload")


async def test_the_page_is_told_as_asked(host: Host) -> None:
    """Contract: observe=changes|actions|none."""
    await host.start()
    click = [{"type": "reload"}]

    whole = await host.text("notte_execute", actions=click, observe="actions")
    none = await host.text("notte_execute", actions=click, observe="none")

    assert 'textbox "Applicant"' in whole
    assert none == f"1 reload -> {FORM} (200)"


async def test_a_long_page_after_a_navigation_is_cut_with_a_cursor(host: Host) -> None:
    """Contract: the rest comes without running the action again."""
    session_id = await host.start()

    text = await host.text("notte_execute", actions=[{"type": "goto", "url": LONG}], max_tokens=300)
    rest = await host.text("notte_observe", cursor="c1", max_tokens=300)

    assert "more below: cursor c1, or find=..." in text
    assert 'Product number 1"' in text
    assert 'Product number 1"' not in rest
    assert [action.type for action in host.engine.sessions[session_id].performed] == ["goto", "goto"]


async def test_events_outside_of_any_action_are_told(host: Host) -> None:
    """Engine contract: a dialog that opened by itself, say."""
    session_id = await host.start()
    host.engine.sessions[session_id].happened.append('alert "Hello" dismissed')

    text = await host.text("notte_execute", actions=[{"type": "wait", "time_ms": 0}], observe="none")

    assert text.splitlines() == ["1 wait 0", 'event: alert "Hello" dismissed']


async def test_a_lost_browser_is_told_with_what_is_kept(host: Host) -> None:
    """Ours: the session can be restored."""
    session_id = await host.start()
    host.engine.lose(session_id)

    said = await host.refusal("notte_execute", actions=[{"type": "reload"}])

    assert session_id in said
    assert "notte_start" in said


# --- request ids ------------------------------------------------------------------


async def test_a_repeat_with_the_same_request_id_gets_the_same_answer_and_does_nothing(host: Host) -> None:
    """P2."""
    session_id = await host.start()

    first = await host.call("notte_execute", actions=FILL_AND_SEND, request_id="a")
    second = await host.call("notte_execute", actions=FILL_AND_SEND, request_id="a")

    assert first.content == second.content
    assert len(host.engine.sessions[session_id].performed) == 5


async def test_a_repeat_may_ask_for_a_smaller_answer(host: Host) -> None:
    """Ours: max_tokens is no part of what is done."""
    await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND, request_id="a")

    assert not (await host.call("notte_execute", actions=FILL_AND_SEND, request_id="a", max_tokens=100)).is_error


async def test_a_request_id_with_other_arguments_is_refused(host: Host) -> None:
    """P2: it would be a different deed."""
    await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND[:1], request_id="a")

    assert "other arguments" in await host.refusal("notte_execute", actions=FILL_AND_SEND[:2], request_id="a")
    assert "other arguments" in await host.refusal("notte_start", url=FORM, request_id="a")


async def test_a_call_that_did_nothing_gives_its_request_id_back(host: Host) -> None:
    """Ours: it may be tried again."""
    await host.refusal("notte_execute", actions=[{"type": "reload"}], request_id="a")
    await host.start()

    assert (await host.text("notte_execute", actions=[{"type": "reload"}], request_id="a")).startswith("1 reload")


@ERAS
async def test_a_repeat_while_the_first_call_is_still_going_waits_for_it(host: Host) -> None:
    """P2: a concurrent duplicate waits for the first."""
    session_id = await host.start(SLOW)
    answers: list[CallToolResult] = []

    async def click() -> None:
        answers.append(await host.call("notte_execute", actions=[{"type": "click", "id": "B1"}], request_id="a"))

    async with anyio.create_task_group() as group:
        group.start_soon(click)
        group.start_soon(click)
        while (await host.facts("notte_status", id=session_id))["state"] != "busy":
            await anyio.lowlevel.checkpoint()
        host.gate.set()

    assert answers[0].content == answers[1].content
    assert [action.type for action in host.engine.sessions[session_id].performed] == ["goto", "click"]


@ERAS
async def test_a_call_that_is_given_up_goes_on_and_its_repeat_gets_the_answer(host: Host) -> None:
    """P2: the likeliest repeat comes from a host that lost its patience."""
    session_id = await host.start(SLOW)
    click = [{"type": "click", "id": "B1"}]

    with anyio.move_on_after(0.3):
        await host.call("notte_execute", actions=click, request_id="a")
    host.gate.set()
    text = await host.text("notte_execute", actions=click, request_id="a")

    assert text.startswith('1 click B1 "Wait"')
    assert [action.type for action in host.engine.sessions[session_id].performed] == ["goto", "click"]


async def test_a_request_id_is_remembered_after_a_restart(host: Host) -> None:
    """P2: the answer is on disk."""
    first = await host.call("notte_start", url=FORM, request_id="a")
    async with host.connected():
        second = await host.call("notte_start", url=FORM, request_id="a")

    assert first.structured_content == second.structured_content
    assert len(host.engine.requests) == 1
