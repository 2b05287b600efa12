"""The engine's contract, held by the scripted double, by a real Chromium, and by one behind the API that speaks the
cloud's contract. Another engine is one more name in `ENGINES`."""

import itertools
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import BrowserSession, Engine, Found, Hand, ObserveRequest, OpenRequest, Spot
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.errors import (
    SelectorNotFound,
    SessionLost,
    StaleElement,
    UnknownElement,
    UnknownView,
    UnsupportedUrl,
)
from notte_mcp.frames import MAX_WIDTH, Frame
from notte_mcp.ids import new_session_id
from notte_mcp.observations import Mode, Node, Observation
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionSpec
from tests import office
from tests.browsers import Browsers

pytestmark = pytest.mark.anyio

ENGINES = ("scripted", "local", "notte")


@dataclass
class Ground:
    """An engine and the office as it serves it."""

    engine: Engine
    base: str
    folder: Path

    def url(self, path: str) -> str:
        return self.base + path

    async def open(
        self, *, storage_state: dict[str, Any] | None = None, id_counters: dict[str, int] | None = None
    ) -> BrowserSession:
        session_id = new_session_id()
        folder = self.folder / session_id
        (folder / "files").mkdir(parents=True)
        request = OpenRequest(session_id, SessionSpec(), folder, storage_state, id_counters or {})
        with anyio.fail_after(20):
            return await self.engine.open(request)


@asynccontextmanager
async def cloud(browsers: Browsers, folder: Path) -> AsyncGenerator[Engine]:
    """The engine that drives the cloud, and in the cloud's place this project's own API, which drives a Chromium."""
    from notte_mcp.engines.notte.access import CloudAccess
    from notte_mcp.engines.notte.engine import NotteEngine
    from tests.api.served import served_api

    async with served_api(folder / "state", chromium=None, engines={"local": browsers.engine()}) as api:
        engine = NotteEngine(lambda: CloudAccess(api.key, api.url))
        yield engine
        await engine.close(deadline_s=3)


@pytest.fixture(scope="module", params=ENGINES)
async def ground(
    request: pytest.FixtureRequest, browsers: Browsers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Ground]:
    folder = tmp_path_factory.mktemp("engine")
    if request.param == "scripted":
        base = "http://office.test"
        yield Ground(ScriptedEngine(office.scripted_pages(base)), base, folder)
        return
    with office.served() as base:
        if request.param == "notte":
            async with cloud(browsers, folder) as engine:
                yield Ground(engine, base, folder)
            return
        engine = browsers.engine()
        yield Ground(engine, base, folder)
        await engine.close(deadline_s=3)


@pytest.fixture(scope="module")
async def kept(ground: Ground) -> AsyncGenerator[BrowserSession]:
    session = await ground.open()
    yield session
    await session.close(deadline_s=2)


@pytest.fixture
def session(kept: BrowserSession) -> BrowserSession:
    """A session that has been used: each test opens a page first."""
    return kept


@pytest.fixture
async def fresh(ground: Ground) -> AsyncGenerator[BrowserSession]:
    """A session of its own: for what counts from nothing, or leaves a session that is no longer as it was opened."""
    session = await ground.open()
    yield session
    await session.close(deadline_s=2)


class Looks:
    """Looks at a session, numbering its views."""

    def __init__(self, session: BrowserSession) -> None:
        self._session = session
        self.view = 0

    async def __call__(
        self,
        mode: Mode = "actions",
        *,
        since: int | None = None,
        find: str | None = None,
        cursor: str | None = None,
        max_tokens: int = 4_000,
    ) -> Observation:
        self.view += 1
        with anyio.fail_after(10):
            return await self._session.observe(ObserveRequest(self.view, mode, since, find, cursor, max_tokens))


@pytest.fixture
def look(session: BrowserSession) -> Looks:
    return Looks(session)


async def perform(session: BrowserSession, action: a.Action, *, timeout_ms: int = 5_000) -> Receipt:
    """Do one action, whatever comes of it."""
    with anyio.fail_after(15):
        return await session.perform(action, timeout_ms=timeout_ms)


async def act(session: BrowserSession, action: a.Action) -> Receipt:
    """Do one action that must succeed."""
    receipt = await perform(session, action)
    assert receipt.success, receipt.message
    return receipt


def named(seen: Observation, name: str) -> Node:
    found = [node for node in seen.nodes if node.name == name and node.kind == "element"]
    assert len(found) == 1, [(node.role, node.name) for node in seen.nodes]
    return found[0]


def id_of(seen: Observation, name: str) -> str:
    found = named(seen, name).id
    assert found is not None
    return found


def elements(seen: Observation) -> list[Node]:
    return [node for node in seen.nodes if node.kind == "element"]


# --- looking ----------------------------------------------------------------------


async def test_a_form_is_shown_with_roles_names_values_options_and_states(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """Design, section 3: one node per element in reading order; a disabled one has no id."""
    await act(session, a.Goto(url=ground.url("/form")))
    seen = await look()
    assert (seen.url, seen.title, seen.view, seen.whole) == (ground.url("/form"), "Permit request", 1, True)
    assert [(node.role, node.name) for node in elements(seen)] == [
        ("textbox", "Applicant"),
        ("checkbox", "I accept the terms"),
        ("combobox", "District"),
        ("password", "Access code"),
        ("button", "Add a note"),
        ("button", "Save draft"),
        ("button", "Send request"),
    ]
    assert (named(seen, "District").value, named(seen, "District").options) == ("North", office.DISTRICTS)
    assert (named(seen, "Save draft").id, "disabled" in named(seen, "Save draft").states) == (None, True)


async def test_ids_follow_the_letters_and_stay_from_look_to_look(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """Design, section 3: an element keeps its id as long as it lives."""
    await act(session, a.Goto(url=ground.url("/form")))
    first = await look()
    letters = {node.name: (node.id or "-")[0] for node in elements(first)}
    assert letters == {
        "Applicant": "I", "I accept the terms": "B", "District": "I", "Access code": "I",
        "Add a note": "B", "Save draft": "-", "Send request": "B",
    }  # fmt: skip
    again = await look()
    assert [(node.name, node.id) for node in elements(again)] == [(node.name, node.id) for node in elements(first)]


async def test_an_id_is_never_given_to_another_element(ground: Ground, fresh: BrowserSession) -> None:
    """Design, section 3; the counters are what a restored session goes on from."""
    look = Looks(fresh)
    await act(fresh, a.Goto(url=ground.url("/form")))
    form = {node.id for node in elements(await look()) if node.id}
    await act(fresh, a.Goto(url=ground.url("/list")))
    listed = {node.id for node in elements(await look(max_tokens=20_000)) if node.id}
    assert not form & listed
    highest = max(int(named[1:]) for named in form | listed if named.startswith("L"))
    assert fresh.id_counters["L"] == highest == office.ITEMS


async def test_a_session_goes_on_from_the_counters_it_is_given(ground: Ground) -> None:
    """A restored session must not give an old id to another element."""
    session = await ground.open(id_counters={"I": 40})
    await act(session, a.Goto(url=ground.url("/form")))
    assert id_of(await Looks(session)(), "Applicant") == "I41"
    await session.close(deadline_s=2)


async def test_changes_tell_what_appeared_what_went_and_what_is_different(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """Design, section 2: since the view that is named."""
    await act(session, a.Goto(url=ground.url("/form")))
    form = await look()
    await act(session, a.Fill(id=id_of(form, "Applicant"), value="Ada"))
    await act(session, a.Click(id=id_of(form, "Add a note")))
    changes = (await look("changes", since=form.view)).changes
    assert changes is not None
    assert changes.since == form.view
    assert [(n.role, n.name) for n in changes.appeared if n.kind == "element"] == [("textbox", "Note")]
    assert [(n.name, n.value) for n in changes.changed if n.kind == "element"] == [("Applicant", "Ada")]
    assert [(n.name, n.id) for n in changes.gone if n.kind == "element"] == [
        ("Add a note", named(form, "Add a note").id)
    ]


async def test_changes_of_an_unchanged_page_are_empty(ground: Ground, session: BrowserSession, look: Looks) -> None:
    """An answer that says nothing happened is the cheapest there is."""
    await act(session, a.Goto(url=ground.url("/form")))
    first = await look()
    changes = (await look("changes", since=first.view)).changes
    assert changes is not None
    assert changes.empty


async def test_changes_since_a_view_of_another_page_are_the_whole_page(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """Design, section 2: an unknown view gives the whole page and says so."""
    await act(session, a.Goto(url=ground.url("/form")))
    form = await look()
    await act(session, a.Goto(url=ground.url("/result")))
    seen = await look("changes", since=form.view)
    assert (seen.changes, seen.whole, seen.note) == (None, True, "")
    assert named(seen, "Back to the form").role == "link"


async def test_page_mode_adds_the_text(ground: Ground, session: BrowserSession, look: Looks) -> None:
    """Design, section 3: `page` puts the text between the elements."""
    await act(session, a.Goto(url=ground.url("/result")))
    assert any("number 4711" in node.name for node in (await look("page")).nodes)


async def test_find_shows_only_what_matches(ground: Ground, session: BrowserSession, look: Looks) -> None:
    """Wherever on the page it stands."""
    await act(session, a.Goto(url=ground.url("/list")))
    found = elements(await look(find="number 59"))
    assert [node.name for node in found] == ["Permit number 59"]


async def test_what_does_not_fit_is_counted_and_follows_by_cursor(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """Every element is reached, none twice; an element keeps its id over the pages."""
    await act(session, a.Goto(url=ground.url("/list")))
    seen = await look(max_tokens=150)
    names = [node.name for node in elements(seen)]
    assert 0 < len(names) < office.ITEMS
    assert seen.omitted > 0
    while seen.cursor is not None:
        seen = await look(cursor=seen.cursor, max_tokens=400)
        assert elements(seen)
        names += [node.name for node in elements(seen)]
    assert sorted(names) == sorted(f"Permit number {n}" for n in range(1, office.ITEMS + 1))


async def test_an_unknown_cursor_is_refused(ground: Ground, session: BrowserSession, look: Looks) -> None:
    """Never answered with some other page."""
    await act(session, a.Goto(url=ground.url("/list")))
    with pytest.raises(UnknownView):
        await look(cursor="c999")


async def test_a_page_is_scraped_as_markdown(ground: Ground, session: BrowserSession) -> None:
    """Heading and text, as a reader would quote them."""
    await act(session, a.Goto(url=ground.url("/result")))
    scraped = await session.scrape(selector=None, only_main_content=True, links=False, images=False)
    assert (scraped.url, scraped.title) == (ground.url("/result"), "Request received")
    assert "# Request received" in scraped.markdown
    assert "number 4711" in scraped.markdown


async def test_a_screenshot_is_a_jpeg(ground: Ground, session: BrowserSession) -> None:
    """Contract: at most 300 kB."""
    await act(session, a.Goto(url=ground.url("/form")))
    picture = await session.screenshot(marks=True)
    assert picture.startswith(b"\xff\xd8\xff")
    assert len(picture) <= 300_000


# --- acting -----------------------------------------------------------------------


async def test_a_form_is_filled_and_each_receipt_tells_what_the_field_holds(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """The main job: fill, check, choose, send, and read what came of it."""
    await act(session, a.Goto(url=ground.url("/form")))
    form = await look()
    filled = await act(session, a.Fill(id=id_of(form, "Applicant"), value="Ada Lovelace"))
    assert filled.value == "Ada Lovelace"
    assert filled.target is not None
    assert (filled.target.id, filled.target.role, filled.target.name) == (
        id_of(form, "Applicant"), "textbox", "Applicant",
    )  # fmt: skip
    await act(session, a.Check(id=id_of(form, "I accept the terms")))
    chosen = await act(session, a.SelectDropdownOption(id=id_of(form, "District"), value="West"))
    assert chosen.value == "West"
    after = await look()
    assert "checked" in named(after, "I accept the terms").states
    assert named(after, "District").value == "West"
    sent = await act(session, a.Click(id=id_of(form, "Send request")))
    assert (sent.navigated, sent.url_before, sent.url_after) == (True, ground.url("/form"), ground.url("/result"))
    assert session.position.url == ground.url("/result")
    assert session.position.title == "Request received"


async def test_a_navigation_tells_where_it_came_from_where_it_went_and_the_status(
    ground: Ground, session: BrowserSession
) -> None:
    """Receipts are written from what the browser showed."""
    await act(session, a.Goto(url=ground.url("/form")))
    receipt = await act(session, a.Goto(url=ground.url("/result")))
    assert (receipt.url_before, receipt.url_after) == (ground.url("/form"), ground.url("/result"))
    assert (receipt.navigated, receipt.status) == (True, 200)
    back = await act(session, a.GoBack())
    assert back.url_after == ground.url("/form")


async def test_an_action_that_stays_on_the_page_is_no_navigation(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """What comes after it in a batch may go on."""
    await act(session, a.Goto(url=ground.url("/form")))
    receipt = await act(session, a.Click(id=id_of(await look(), "Add a note")))
    assert not receipt.navigated


async def test_an_element_is_found_by_selector_too(ground: Ground, session: BrowserSession) -> None:
    """The receipt says which element that was."""
    await act(session, a.Goto(url=ground.url("/form")))
    receipt = await act(session, a.Fill(selector="#applicant", value="Ada"))
    assert receipt.target is not None
    assert (receipt.target.role, receipt.target.name, receipt.value) == ("textbox", "Applicant", "Ada")


async def test_a_selector_that_matches_nothing_fails_its_action(ground: Ground, session: BrowserSession) -> None:
    """A failure is a receipt, not an exception; the session goes on."""
    await act(session, a.Goto(url=ground.url("/form")))
    receipt = await perform(session, a.Click(selector="#nowhere", timeout_ms=300))
    assert (receipt.success, receipt.code) == (False, SelectorNotFound.code)
    await act(session, a.Fill(selector="#applicant", value="Ada"))


async def test_many_selectors_are_looked_up_in_one_go_and_each_tells_its_only_element(
    ground: Ground, session: BrowserSession
) -> None:
    """Nothing, several, or no selector at all is None; what is found can be acted on by the same selector."""
    await act(session, a.Goto(url=ground.url("/form")))
    wanted = [
        "#applicant",
        'role=button[name="Send request"]',
        "#nowhere",
        'internal:label="Applicant"s',
        ">> [[",
        'role=combobox[name="District"]',
        "#applicant",
    ]
    applicant, send = Found("textbox", "Applicant"), Found("button", "Send request")
    with anyio.fail_after(10):
        found = await session.find(wanted)
    assert found == [applicant, send, None, applicant, None, Found("combobox", "District"), applicant]
    assert await session.find([]) == []
    await act(session, a.Fill(selector='internal:label="Applicant"s', value="Ada"))

    await act(session, a.Goto(url=ground.url("/list")))
    assert await session.find(["role=link", 'role=link[name="Permit number 1"]', "#applicant"]) == [
        None,
        Found("link", "Permit number 1"),
        None,
    ]


async def test_what_does_not_come_fails_by_its_timeout(ground: Ground, session: BrowserSession) -> None:
    """The smaller of the action's own timeout and the caller's cap."""
    await act(session, a.Goto(url=ground.url("/form")))
    with anyio.fail_after(5):
        capped = await session.perform(a.WaitFor(value="never there", timeout_ms=30_000), timeout_ms=200)
    assert (capped.success, capped.code) == (False, "action_timeout")


# --- ids before a batch -----------------------------------------------------------


async def test_an_id_that_was_never_shown_is_unknown(ground: Ground, session: BrowserSession, look: Looks) -> None:
    """Generate, then edit: an id that was never observed is refused."""
    await act(session, a.Goto(url=ground.url("/form")))
    await look()
    with pytest.raises(UnknownElement):
        await session.check([a.Click(id="B9999")])


async def test_an_id_of_a_page_that_was_left_is_stale(ground: Ground, session: BrowserSession, look: Looks) -> None:
    """Nothing on the new page is like it."""
    await act(session, a.Goto(url=ground.url("/form")))
    applicant = id_of(await look(), "Applicant")
    await act(session, a.Goto(url=ground.url("/result")))
    with pytest.raises(StaleElement):
        await session.check([a.Fill(id=applicant, value="Ada")])


async def test_a_stale_id_with_one_heir_is_healed_and_the_receipt_says_so(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """Design, section 3: exactly one element has the same role and name."""
    await act(session, a.Goto(url=ground.url("/form")))
    applicant = id_of(await look(), "Applicant")
    await act(session, a.Reload())
    await session.check([a.Fill(id=applicant, value="Ada")])
    receipt = await act(session, a.Fill(id=applicant, value="Ada"))
    assert (receipt.healed, receipt.value) == (True, "Ada")


async def test_checking_a_batch_names_its_secrets_and_what_is_not_known_yet(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """A selector is looked at only at its turn."""
    await act(session, a.Goto(url=ground.url("/form")))
    form = await look()
    checks = await session.check(
        [
            a.Fill(id=id_of(form, "Access code"), value="open sesame"),
            a.Fill(id=id_of(form, "Applicant"), value="Ada"),
            a.Fill(selector="#code", value="open sesame"),
        ]
    )
    assert [(check.secret, check.known) for check in checks] == [
        ("SECRET_ACCESS_CODE", True),
        (None, True),
        (None, False),
    ]


async def test_a_secret_is_in_no_receipt_and_in_no_view(ground: Ground, fresh: BrowserSession) -> None:
    """P9: a password field tells only that it is filled."""
    look = Looks(fresh)
    await act(fresh, a.Goto(url=ground.url("/form")))
    receipt = await act(fresh, a.Fill(selector="#code", value="open sesame"))
    assert (receipt.secret, receipt.value) == ("SECRET_ACCESS_CODE", None)
    assert "open sesame" not in repr(receipt)
    seen = await look("page")
    assert "filled" in named(seen, "Access code").states
    assert "open sesame" not in repr(seen)


async def test_a_url_that_is_no_web_address_is_refused_before_anything_is_done(
    ground: Ground, session: BrowserSession
) -> None:
    """Design, section 3: schemes are checked before the first action of a batch."""
    await act(session, a.Goto(url=ground.url("/form")))
    with pytest.raises(UnsupportedUrl):
        await session.check([a.GoBack(), a.Goto(url="file:///etc/passwd")])
    assert session.position.url == ground.url("/form")


# --- the film ---------------------------------------------------------------------


class Reel:
    """Frames as they come, and when."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self.frames: list[Frame] = []
        self.came: list[float] = []
        self._news = anyio.Event()

    def __call__(self, frame: Frame) -> float:
        self.frames.append(frame)
        self.came.append(time.monotonic())
        self._news.set()
        return self.every_s

    async def more_than(self, known: int) -> int:
        """How many there are, once that is more than so many."""
        with anyio.fail_after(10):
            while len(self.frames) <= known:
                self._news = anyio.Event()
                await self._news.wait()
        return len(self.frames)


async def test_a_film_shows_the_page_at_once_and_what_becomes_of_it_as_soon_as_it_is_wanted(
    ground: Ground, fresh: BrowserSession
) -> None:
    """Wherever the session goes; a frame is a JPEG of the whole viewport. Ended, it gives none."""
    await act(fresh, a.Goto(url=ground.url("/form")))
    reel = Reel(0.2)
    await fresh.film(reel)
    seen = await reel.more_than(0)
    for action in (
        a.Fill(selector="#applicant", value="Ada Lovelace"),
        a.Click(selector="#send"),
        a.GotoNewTab(url=ground.url("/list")),
        a.Goto(url=ground.url("/form")),
    ):
        await act(fresh, action)
        seen = await reel.more_than(seen)
    for frame in reel.frames:
        assert frame.jpeg.startswith(b"\xff\xd8")
        assert frame.viewport == (1280, 800)
        assert frame.width * 800 == frame.height * 1280
        assert 640 <= frame.width <= MAX_WIDTH
        assert abs(frame.at - time.time()) < 30
    came = [at for at, frame in zip(reel.came, reel.frames, strict=True) if not frame.asked]
    assert min(after - before for before, after in itertools.pairwise(came)) >= reel.every_s - 0.01
    await fresh.film(None)
    seen, other = len(reel.frames), Reel(0)
    await fresh.film(other)
    known = await other.more_than(0)
    await act(fresh, a.Goto(url=ground.url("/list")))
    await other.more_than(known)
    assert len(reel.frames) == seen


async def test_a_receipt_tells_where_its_element_stood_and_when_it_was_touched(
    ground: Ground, session: BrowserSession
) -> None:
    """Between the action's begin and its end; what failed tells when it did, and has no box."""
    await act(session, a.Goto(url=ground.url("/form")))
    for action in (
        a.Fill(selector="#applicant", value="Ada"),
        a.Check(selector='role=checkbox[name="I accept the terms"]'),
        a.SelectDropdownOption(selector='role=combobox[name="District"]', value="South"),
        a.Hover(selector="#send"),
        a.Click(selector="#send"),
    ):
        begun = time.time()
        receipt = await act(session, action)
        assert receipt.acted_at is not None
        assert begun <= receipt.acted_at <= time.time()
        assert receipt.target is not None
        assert receipt.target.box is not None
        left, top, width, height = receipt.target.box
        assert 0 <= left < left + width <= 1280
        assert 0 <= top < top + height <= 800
    failed = await perform(session, a.Click(selector="#absent"), timeout_ms=300)
    assert (failed.success, failed.target) == (False, None)
    assert failed.acted_at is not None


# --- a person's hand --------------------------------------------------------------


async def by_hand(session: BrowserSession, action: a.Action, hand: Hand) -> Receipt:
    """Do one action as a person does."""
    with anyio.fail_after(15):
        return await session.perform(action, timeout_ms=5_000, hand=hand)


async def pointed(session: BrowserSession, element_id: str) -> tuple[Spot, tuple[float, float]]:
    """What a person finds who points at the middle of an element, and the point."""
    target = (await act(session, a.Hover(id=element_id))).target
    assert target is not None
    assert target.box is not None
    left, top, width, height = target.box
    point = (left + width / 2, top + height / 2)
    found = await session.spot(point)
    assert found is not None
    return found, point


async def test_pointing_gives_an_element_that_has_an_id_by_that(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """The id of a view where one has shown it, else a new one, that `check` knows; nothing outside the viewport."""
    await act(session, a.Goto(url=ground.url("/form")))
    assert await session.spot((99_999, 5)) is None
    assert await session.spot(None) is None
    seen = await look()
    found, point = await pointed(session, id_of(seen, "Applicant"))
    assert (found.id, found.role, found.name) == (id_of(seen, "Applicant"), "textbox", "Applicant")
    assert (found.editable, found.secret, found.value) == (True, None, "")
    left, top, width, height = found.box
    assert left < point[0] < left + width
    assert top < point[1] < top + height
    again = await session.spot(point)
    assert again is not None
    assert again.id == found.id
    await act(session, a.Goto(url=ground.url("/list")))
    new = await session.spot((60, 100))
    assert new is not None
    assert new.id
    assert new.id not in {node.id for node in elements(seen)}
    assert len(await session.check([a.Click(id=new.id)])) == 1


async def test_a_click_of_a_person_is_made_at_the_point_and_tells_what_stood_there(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """The receipt names what was hit, even where the action named something else."""
    await act(session, a.Goto(url=ground.url("/form")))
    seen = await look()
    named_field = id_of(seen, "Applicant")
    button, point = await pointed(session, id_of(seen, "Send request"))
    receipt = await by_hand(session, a.Click(id=named_field), Hand(point=point))
    assert receipt.success, receipt.message
    assert receipt.target is not None
    assert (receipt.target.id, receipt.target.name) == (button.id, "Send request")
    assert receipt.target.locators.css == "#send"
    assert (receipt.navigated, receipt.url_after) == (True, ground.url("/result"))
    outside = await by_hand(session, a.Click(id=named_field), Hand(point=(99_999, 5)))
    assert (outside.success, outside.code) == (False, "not_actionable")


async def test_a_person_types_at_the_caret_and_the_whole_value_is_read_back(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """Keys move the caret and change the text; the receipt of each says what the field holds then."""
    await act(session, a.Goto(url=ground.url("/form")))
    field, point = await pointed(session, id_of(await look(), "Applicant"))
    await by_hand(session, a.Click(id=field.id), Hand(point=point))
    typed = await by_hand(session, a.Fill(id=field.id, value="Ada"), Hand(text="Ada"))
    assert (typed.success, typed.value, typed.target and typed.target.id) == (True, "Ada", field.id)
    await by_hand(session, a.PressKey(key="Home"), Hand())
    typed = await by_hand(session, a.Fill(id=field.id, value="Dr. Ada"), Hand(text="Dr. "))
    assert typed.value == "Dr. Ada"
    focus = await session.spot(None)
    assert focus is not None
    assert (focus.id, focus.value, focus.caret) == (field.id, "Dr. Ada", (4, 4))
    pressed = await by_hand(session, a.PressKey(key="Delete"), Hand())
    assert (pressed.value, pressed.target and pressed.target.id) == ("Dr. da", field.id)


async def test_a_secret_field_is_pointed_at_by_name_alone_and_takes_a_text_whole(
    ground: Ground, fresh: BrowserSession
) -> None:
    """Neither its value nor its caret is told."""
    look = Looks(fresh)
    await act(fresh, a.Goto(url=ground.url("/form")))
    field, point = await pointed(fresh, id_of(await look(), "Access code"))
    await by_hand(fresh, a.Click(id=field.id), Hand(point=point))
    for text in ("open sesame", "swordfish"):
        receipt = await by_hand(fresh, a.Fill(id=field.id, value=text), Hand(text=text))
        assert (receipt.success, receipt.secret, receipt.value) == (True, "SECRET_ACCESS_CODE", None)
        assert text not in repr(receipt)
    pressed = await by_hand(fresh, a.PressKey(key="End"), Hand())
    assert (pressed.secret, pressed.value) == ("SECRET_ACCESS_CODE", None)
    found = await fresh.spot(None)
    assert found is not None
    assert (found.secret, found.editable, found.value, found.caret) == ("SECRET_ACCESS_CODE", True, None, None)


async def test_a_drag_and_the_wheel_of_a_person_name_what_they_met(
    ground: Ground, session: BrowserSession, look: Looks
) -> None:
    """From a point to a point; the wheel needs no element."""
    await act(session, a.Goto(url=ground.url("/form")))
    seen = await look()
    (source, begin), (goal, end) = [await pointed(session, id_of(seen, n)) for n in ("Applicant", "Send request")]
    receipt = await by_hand(session, a.Drag(id=source.id, to_id=goal.id), Hand(point=begin, to=end))
    assert receipt.success, receipt.message
    assert receipt.target is not None
    assert receipt.destination is not None
    assert (receipt.target.name, receipt.destination.name) == ("Applicant", "Send request")
    assert (await by_hand(session, a.ScrollDown(amount=40), Hand(point=begin))).success


# --- its life ---------------------------------------------------------------------


async def test_login_state_is_given_out_and_taken_in(ground: Ground) -> None:
    """Playwright's form; what one session saves, the next one starts from."""
    cookie = {
        "name": "login", "value": "ada", "domain": "office.test", "path": "/", "expires": -1,
        "httpOnly": False, "secure": False, "sameSite": "Lax",
    }  # fmt: skip
    session = await ground.open(storage_state={"cookies": [cookie], "origins": []})
    state = await session.storage_state()
    assert [(kept["name"], kept["value"]) for kept in state["cookies"]] == [("login", "ada")]
    await session.close(deadline_s=2)


async def test_nothing_happens_in_a_quiet_session(fresh: BrowserSession) -> None:
    """Events are taken once, and there are none without a cause."""
    assert fresh.take_events() == ()
    assert fresh.alive


async def test_a_closed_session_refuses_everything_and_closing_twice_is_fine(ground: Ground) -> None:
    """`close` never raises; whoever still holds the session learns that it is gone."""
    session = await ground.open()
    await session.close(deadline_s=2)
    await session.close(deadline_s=2)
    with pytest.raises(SessionLost):
        await session.perform(a.Goto(url=ground.url("/form")), timeout_ms=1_000)
    with pytest.raises(SessionLost):
        await session.check([a.Click(id="B1")])


async def test_sessions_of_one_engine_do_not_cross(ground: Ground, session: BrowserSession, look: Looks) -> None:
    """Ids and pages are a session's own."""
    other = await ground.open()
    await act(session, a.Goto(url=ground.url("/form")))
    await act(other, a.Goto(url=ground.url("/result")))
    shown = id_of(await look(), "Applicant")
    assert re.fullmatch(r"I\d+", shown)
    with pytest.raises(UnknownElement):
        await other.check([a.Fill(id=shown, value="Ada")])
    await other.close(deadline_s=2)
    assert session.position.url == ground.url("/form")
