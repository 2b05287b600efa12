"""P9 in a session: a password that was typed is on no disk and in no answer."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.scripted import ScriptedElement, ScriptedPage
from notte_mcp.records import SessionSpec
from tests.registry.conftest import BASE, FORM, House, ids, run, until

pytestmark = pytest.mark.anyio

SECRET = "open sesame 9"


@pytest.fixture
def echo(house: House) -> str:
    """A page that shows the secret in every place a page has."""
    url = f"{BASE}/echo?code=open+sesame+9"
    element = ScriptedElement("textbox", f"Your code {SECRET}", value=SECRET, options=(SECRET,))
    pages = {**house.engine.pages, url: ScriptedPage(f"Code {SECRET}", (element,), text=(f"You typed {SECRET}",))}
    house.engine.pages = pages
    return url


async def test_a_typed_password_is_nowhere_on_disk(house: House, echo: str) -> None:
    """Not in the intent, not in the outcome, not in the urls and titles of what came after."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    batch = await run(
        house, session_id, a.Fill(id=shown["Access code"], value=SECRET), a.Fill(id=shown["Applicant"], value=SECRET),
        a.Goto(url=echo),
    )  # fmt: skip
    await house.registry.stop(session_id)
    assert [r.success for r in batch.receipts] == [True, True, True]
    fill, again, goto = (await house.registry.steps(session_id))[1:]
    assert fill.action == {"type": "fill", "id": shown["Access code"], "value": {"secret": "SECRET_ACCESS_CODE"}}
    assert again.action["value"] == {"secret": "SECRET_ACCESS_CODE"}
    assert goto.action["url"] == goto.url == f"{BASE}/echo?code=[secret SECRET_ACCESS_CODE]"
    stored = house.database()
    assert b"SECRET_ACCESS_CODE" in stored
    for spelt in (SECRET, "open+sesame+9", "open%20sesame%209"):
        assert spelt.encode() not in stored


async def test_a_typed_password_is_in_no_answer(house: House, echo: str) -> None:
    """Receipts, views, what changed, events, scraped text, the record."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    async with house.registry.use(session_id) as live:
        told: list[object] = [
            await live.execute(
                [a.Fill(id=shown["Access code"], value=SECRET), a.Goto(url=echo)], on_error="stop", deadline_s=5
            ),
            await live.observe(mode="page"),
        ]
        name = ids(await live.observe())["Your code [secret SECRET_ACCESS_CODE]"]
        told.append(await live.execute([a.Fill(id=name, value=f"not {SECRET}")], on_error="stop", deadline_s=5))
        told.append(await live.observe(mode="changes"))
        told.append(await live.scrape())
        house.browser(session_id).happened.append(f"alert: {SECRET}")
        told.extend((live.events, live.record))
    told.append(await house.registry.record(session_id))
    for answer in told:
        assert "sesame" not in repr(answer)
        assert "SECRET_ACCESS_CODE" in repr(answer)


async def test_the_value_for_a_selector_is_held_back_until_its_target_is_known(house: House) -> None:
    """It is looked at only at its turn: the intent says nothing, the outcome what may be said."""
    session_id = await house.open(FORM)
    intents: list[object] = []
    intend = house.store.intend

    async def spy(steps: object) -> None:
        intents.append(steps)
        await intend(steps)  # type: ignore[arg-type]

    house.store.intend = spy  # type: ignore[method-assign]
    await run(house, session_id, a.Fill(selector="#code", value=SECRET), a.Fill(selector="#applicant", value="Ada"))
    assert "sesame" not in repr(intents)
    assert "Ada" not in repr(intents)
    code, applicant = (await house.registry.steps(session_id))[1:]
    assert (code.action["value"], applicant.action["value"]) == ({"secret": "SECRET_ACCESS_CODE"}, "Ada")
    assert b"sesame" not in house.database()


async def test_scripts_are_off_once_a_secret_was_typed(house: House) -> None:
    """A script could read it back; the refusal is a receipt and says why."""
    session_id = await house.open(FORM)
    script = a.EvaluateJs(code="document.title")
    assert (await run(house, session_id, script)).receipts[0].success
    batch = await run(house, session_id, a.Fill(selector="#code", value=SECRET), script)
    assert [(r.success, r.code) for r in batch.receipts] == [(True, ""), (False, "not_allowed")]
    assert "secret" in batch.receipts[1].message
    assert [action.type for action in house.browser(session_id).performed].count("evaluate_js") == 1


async def test_scripts_stay_off_after_a_restart(house: House) -> None:
    """The steps on disk say that a secret was typed, even where its value is forgotten."""
    session_id = await house.open(FORM)
    await run(house, session_id, a.Fill(selector="#code", value=SECRET))
    house.engine.lose(session_id)
    await house.registry.wait(session_id, seconds=5, after_step=None, until="done")
    await house.registry.restore(session_id)
    batch = await run(house, session_id, a.EvaluateJs(code="document.title"))
    assert batch.receipts[0].code == "not_allowed"


async def test_what_was_typed_before_a_crash_stays_secret_after_it(house: House, echo: str) -> None:
    """As long as this process remembers it."""
    session_id = await house.open(FORM)
    await run(house, session_id, a.Fill(selector="#code", value=SECRET))
    house.engine.lose(session_id)
    await house.registry.wait(session_id, seconds=5, after_step=None, until="done")
    await house.registry.restore(session_id)
    await run(house, session_id, a.Goto(url=echo))
    async with house.registry.use(session_id) as live:
        assert "sesame" not in repr(await live.observe(mode="page"))


async def test_a_fill_that_is_cut_before_its_target_was_seen_turns_scripts_off(house: House) -> None:
    """It may have been a password."""
    gate = anyio.Event()
    slow = ScriptedElement("textbox", "Slow", selector="#slow", gate=gate)
    url = f"{BASE}/slow-field"
    house.engine.pages = {**house.engine.pages, url: ScriptedPage("Slow", (slow,))}
    session_id = await house.open(url)
    async with anyio.create_task_group() as group:
        group.start_soon(run, house, session_id, a.Fill(selector="#slow", value=SECRET))
        await until(lambda: gate.statistics().tasks_waiting > 0)
        group.cancel_scope.cancel()
    step = (await house.registry.steps(session_id))[1]
    assert (step.state, step.action["value"]) == ("outcome_unknown", None)
    assert (await run(house, session_id, a.EvaluateJs(code="1"))).receipts[0].code == "not_allowed"


async def test_a_program_that_types_its_own_secrets_may_go_on_with_scripts(house: House, echo: str) -> None:
    """It knows them anyway; what comes back is redacted all the same."""
    session_id = await house.open(FORM, SessionSpec(scripts_after_secrets=True))
    batch = await run(house, session_id, a.Fill(selector="#code", value=SECRET), a.EvaluateJs(code="document.title"))
    assert [receipt.success for receipt in batch.receipts] == [True, True]
    await run(house, session_id, a.Goto(url=echo))
    async with house.registry.use(session_id) as live:
        portrait = await live.portray()
        assert "sesame" not in repr(portrait)
        assert len(portrait.spelt) == len(portrait.seen.nodes) - 1
        await live.set_cookies([{"name": "sid", "value": "open%20sesame%209", "url": echo}])
        assert (await live.cookies())[0]["value"] == "[secret SECRET_ACCESS_CODE]"
