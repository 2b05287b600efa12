"""A person does a form in the live view on the real engine, and the script of it does the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from playwright.async_api import Locator, Page

from notte_mcp import actions as a
from notte_mcp.app import App, open_app
from notte_mcp.engines.base import Hand, Spot
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings
from notte_mcp.workflows import write_code
from tests.browsers import Browsers
from tests.workflows.desk import Desk
from tests.workflows.playing import play

pytestmark = pytest.mark.anyio
CODE = "correct horse"


@dataclass
class Person:
    """Somebody at the live view of a session: points, types, presses keys."""

    app: App
    session_id: str

    @property
    def page(self) -> Page:
        """The page itself, to see where things stand on it."""
        slots = cast(Any, self.app.registry)._slots
        return slots[self.session_id].browser._stage.tab.page

    async def do(self, action: a.Action, **hand: Any) -> Receipt:
        async with self.app.registry.use(self.session_id) as live:
            batch = await live.execute([action], actor="human", hand=Hand(**hand), deadline_s=30)
        assert batch.receipts[0].success, batch.receipts[0].message
        return batch.receipts[0]

    async def spot(self, point: tuple[float, float] | None) -> Spot:
        async with self.app.registry.use(self.session_id) as live:
            found = await live.spot(point)
        assert found is not None
        return found

    async def click(self, on: Locator) -> None:
        box = await on.bounding_box()
        assert box is not None
        point = (box["x"] + 6, box["y"] + box["height"] / 2)
        await self.do(a.Click(id=(await self.spot(point)).id), point=point)

    async def type(self, text: str, *, whole: bool = False) -> None:
        """Key by key at the caret, or all at once."""
        for part in [text] if whole else text:
            focus = await self.spot(None)
            value, caret = focus.value or "", focus.caret or (0, 0)
            value = value[: caret[0]] + part + value[caret[1] :]
            await self.do(a.Fill(id=focus.id, value=value), text=part)

    async def keys(self, *keys: str) -> None:
        for key in keys:
            await self.do(a.PressKey(key=key))


async def fill_in(person: Person) -> None:
    """The desk's form, with slips."""
    page = person.page
    await person.click(page.get_by_label("Applicant"))
    await person.keys("Control+A")
    await person.type("Adda")
    await person.keys("ArrowLeft", "Backspace", "End")
    await person.type(" L.")
    await person.keys("Tab")
    await person.type(CODE, whole=True)
    await person.click(page.get_by_label("Note"))
    await person.keys("Control+End", "Enter")
    await person.type("by hand")
    await person.keys("Tab", "ArrowDown")
    await person.do(a.ScrollDown(amount=10), point=(5, 5))
    await person.click(page.get_by_role("checkbox"))
    await person.click(page.get_by_role("combobox", name="City"))
    await person.click(page.get_by_role("option", name="Oslo West"))
    await person.do(a.HandleDialog(value="accept"))
    await person.click(page.get_by_role("button", name="Send request"))
    await person.click(page.frame_locator("#outer").frame_locator("iframe").get_by_role("button"))


async def test_the_script_of_what_a_person_did_does_the_same(tmp_path: Path, browsers: Browsers) -> None:
    """Ours: slips, keys and the caret are gone, the secret is a parameter, a click at a point finds its element."""
    settings = Settings(state_dir=tmp_path / "state")
    with Desk() as desk, anyio.fail_after(100):
        async with open_app(settings, engines={"local": browsers.engine(settings)}) as app:
            session = (await app.registry.open(SessionSpec(record=False), url=desk.url("/form")))[0].id
            await app.registry.take_over(session)
            await fill_in(Person(app, session))
            await app.registry.give_back(session)
            steps = await app.registry.steps(session)
        recorded = (desk.arrived[:], desk.hits[:])
        written = write_code(steps, SessionSpec(), target="playwright", style="async")
        browser = (await browsers.home()).browser
        done = await play(written.code, tmp_path, browser, secrets={"SECRET_ACCESS_CODE": CODE})

    assert (done.returncode, done.stderr) == (0, "")
    assert {step.actor for step in steps[1:]} == {"human"}
    assert CODE not in written.code
    assert CODE not in repr(steps)
    assert recorded[0][0] | {"keys": ""} == {
        "applicant": "Ada L.", "code": CODE, "note": "Note: \r\nby hand", "district": "s", "terms": "on",
        "city": "Oslo West", "keyed": "", "keys": "", "cv": "",
    }  # fmt: skip
    assert recorded[1] == ["frame"]
    assert (desk.arrived, desk.hits) == (recorded[0] * 2, recorded[1] * 2)
    assert written.code.count(".fill(") == len(["applicant", "code", "note"])
