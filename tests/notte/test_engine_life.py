"""A cloud session's life, with no browser behind the API: attached to, lost with the cloud's reason, let go of, cut off."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.cloud_errors import CloudUnavailable
from notte_mcp.engines.base import ObserveRequest, OpenRequest
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.engines.notte.patience import Patience
from notte_mcp.engines.notte.session import NotteSession
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.errors import SessionLost, SessionNotLive
from notte_mcp.frames import Frame
from notte_mcp.ids import new_session_id
from notte_mcp.records import SessionSpec
from tests import office
from tests.api.served import Api, served_api
from tests.notte.proxy import Lose, Proxy, Reply, proxy
from tests.notte.rote import DONE, told_by_rote

pytestmark = pytest.mark.anyio

BASE = "http://office.test"
FORM = f"{BASE}/form"


@dataclass
class Cloud:
    """An engine, the API behind it, what stands between them, and the ends that were told."""

    api: Api
    between: Proxy
    engine: NotteEngine
    folder: Path
    lost: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def open(self, *, remote_id: str = "", **spec: Any) -> NotteSession:
        session_id = new_session_id()
        folder = self.folder / session_id
        (folder / "files").mkdir(parents=True)
        given = SessionSpec(engine="notte", **spec)
        return await self.engine.open(OpenRequest(session_id, given, folder, remote_id=remote_id))

    async def state(self, remote_id: str) -> str:
        return str((await self.api.client.get(f"/sessions/{remote_id}")).json()["status"])


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncGenerator[Cloud]:
    engines = {"local": ScriptedEngine(office.scripted_pages(BASE))}
    async with (
        served_api(tmp_path / "state", chromium=None, engines=engines) as api,
        proxy(api.url) as between,
    ):
        at_once = Patience(retries=0)
        engine = NotteEngine(
            lambda: CloudAccess(api.key, between.url), client=lambda access: NotteClient(access, patience=at_once)
        )
        found = Cloud(api, between, engine, tmp_path)
        engine.on_lost(lambda session_id, why: found.lost.append((session_id, why)))
        yield found
        await engine.close(deadline_s=2)


async def test_a_page_that_answers_no_script_is_seen_and_acted_on_by_the_wire_alone(cloud: Cloud) -> None:
    """Scripted pages run none: where it stands is told by the tabs, which element is meant by role and name."""
    session = await cloud.open()
    await session.perform(a.Goto(url=FORM), timeout_ms=5_000)
    assert (session.position.url, session.position.title) == (FORM, "Permit request")
    seen = await session.observe(ObserveRequest(1))
    ids = {node.name: node.id or "" for node in seen.nodes}
    filled = await session.perform(a.Fill(id=ids["Applicant"], value="Ada"), timeout_ms=5_000)
    assert (filled.success, filled.target and filled.target.name) == (True, "Applicant")
    again = await session.observe(ObserveRequest(2, "changes", since=1))
    assert again.changes is not None
    assert [(node.name, node.value) for node in again.changes.changed] == [("Applicant", "Ada")]
    assert [check.secret for check in await session.check([a.Fill(id=ids["Access code"], value="x")])] == [
        "SECRET_ACCESS_CODE"
    ]
    await session.perform(a.Click(id=ids["Send request"]), timeout_ms=5_000)
    assert session.position.url == f"{BASE}/result"


async def test_a_session_that_ended_there_is_lost_with_the_clouds_reason_and_told_once(cloud: Cloud) -> None:
    """Whoever asks next hears it, and no other session is started in its place."""
    session = await cloud.open()
    await cloud.api.client.delete(f"/sessions/{session.remote_id}/stop")
    for _ in range(2):
        with pytest.raises(SessionLost, match="manual: it was stopped"):
            await session.perform(a.Goto(url=FORM), timeout_ms=5_000)
    with pytest.raises(SessionLost):
        await session.observe(ObserveRequest(1))
    assert [why for _, why in cloud.lost] == ["the cloud ended it: manual: it was stopped"]
    assert not session.alive
    assert cloud.between.count("POST", "/sessions/start") == 1


async def test_a_session_is_attached_to_let_go_of_and_attached_to_again(cloud: Cloud) -> None:
    """By its cloud id, as the caller gives it or as it was recorded; kept, it lives on, and stands where it stood."""
    remote_id = await cloud.api.started()
    await cloud.api.client.post(f"/sessions/{remote_id}/page/execute", json={"type": "goto", "url": FORM})
    session = await cloud.open(cloud={"session_id": remote_id})
    assert (session.remote_id, session.position.url) == (remote_id, FORM)
    await session.close(deadline_s=2, keep=True)
    assert await cloud.state(remote_id) == "active"
    again = await cloud.open(remote_id=remote_id)
    assert again.position.title == "Permit request"
    await again.close(deadline_s=2)
    assert await cloud.state(remote_id) == "closed"
    assert cloud.between.count("POST", "/sessions/start") == 0
    assert cloud.lost == []


async def test_attaching_to_one_that_has_ended_says_why_it_did_and_starts_nothing(cloud: Cloud) -> None:
    """A new one is the caller's to ask for."""
    remote_id = await cloud.api.started()
    await cloud.api.client.delete(f"/sessions/{remote_id}/stop")
    with pytest.raises(SessionNotLive, match=r"manual.*notte_start"):
        await cloud.open(remote_id=remote_id)
    assert cloud.between.count("POST", "/sessions/start") == 0


async def test_a_start_that_was_not_answered_is_not_done_again_and_what_may_be_there_is_said(cloud: Cloud) -> None:
    """The session that may live on ends by its idle limit."""
    cloud.between.on("POST", "/sessions/start", Lose())
    with pytest.raises(CloudUnavailable, match="may have been started"):
        await cloud.open()
    assert cloud.between.count("POST", "/sessions/start") == 1


async def test_an_action_whose_answer_was_lost_has_an_unknown_outcome_and_the_session_goes_on(cloud: Cloud) -> None:
    """It may have happened: nothing says it failed, and nothing does it again."""
    session = await cloud.open()
    cloud.between.on("POST", "*/page/execute", Lose())
    receipt = await session.perform(a.Goto(url=FORM), timeout_ms=5_000)
    assert (receipt.success, receipt.code) == (False, "outcome_unknown")
    assert session.alive
    assert session.position.url == FORM


async def test_a_cloud_that_is_busy_fails_the_action_and_does_not_end_the_session(cloud: Cloud) -> None:
    """503: it was not done, and the receipt says when to try again."""
    session = await cloud.open()
    cloud.between.on("POST", "*/page/execute", Reply(503), times=None)
    receipt = await session.perform(a.Goto(url=FORM), timeout_ms=5_000)
    assert (receipt.success, receipt.code, session.alive) == (False, "cloud_unavailable", True)
    cloud.between.heal()
    assert (await session.perform(a.Goto(url=FORM), timeout_ms=5_000)).success


async def test_one_whose_browser_was_lost_over_there_is_told_as_ended_not_as_a_wrong_request(cloud: Cloud) -> None:
    """400, in words of its own: how the session stands is asked, and that is what is told."""
    session = await cloud.open()
    await cloud.api.client.delete(f"/sessions/{session.remote_id}/stop", params={"close_reason": "error"})
    cloud.between.on("POST", "*/page/*", Reply(400, {"detail": "It went away with its computer."}), times=None)
    with pytest.raises(SessionLost, match="error: it failed there"):
        await session.observe(ObserveRequest(1))
    assert not session.alive


async def test_a_cloud_that_cannot_be_reached_is_tried_for_once_and_the_session_is_kept(tmp_path: Path) -> None:
    """Whatever else the same call asks fails at once; what is said is to come back, not that the address is wrong."""
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    def client(access: CloudAccess) -> NotteClient:
        return NotteClient(access, patience=Patience(retries=2, sleep=nap))

    engines = {"local": ScriptedEngine(office.scripted_pages(BASE))}
    async with served_api(tmp_path / "state", chromium=None, engines=engines) as api:
        async with proxy(api.url) as between:
            engine = NotteEngine(lambda: CloudAccess(api.key, between.url), client=client)
            session = await Cloud(api, between, engine, tmp_path).open()
        assert naps == []
        receipt = await session.perform(a.Goto(url=FORM), timeout_ms=5_000)
        assert (receipt.success, receipt.code, receipt.unsettled) == (False, "cloud_unavailable", False)
        assert "The session is kept" in receipt.message
        with pytest.raises(CloudUnavailable, match="Next: the same call in a moment"):
            await session.observe(ObserveRequest(1))
        assert (len(naps), session.alive) == (2, True)
        await engine.close(deadline_s=2)


async def test_a_film_that_is_not_to_be_had_is_one_event_and_nobodys_failure(cloud: Cloud) -> None:
    """Asked for a few times, then given up; the session goes on without it."""
    session = await cloud.open()
    frames: list[Frame] = []

    def take(frame: Frame) -> float:
        frames.append(frame)
        return 0

    cloud.between.on("GET", "*/debug", Reply(body={"debug_url": "", "ws": {}, "tabs": []}), times=None)
    await session.film(take)
    told: tuple[str, ...] = ()
    with anyio.fail_after(20):
        while not (told := session.take_events()):  # noqa: ASYNC110 - it is made beside everything else
            await anyio.sleep(0.02)
    assert len(told) == 1
    assert "not filmed" in told[0]
    assert frames == []
    assert cloud.between.count("GET", "*/debug") == 3
    assert (await session.perform(a.Goto(url=FORM), timeout_ms=5_000)).success


@pytest.mark.parametrize(("then", "opens"), [("active", True), ("error", False)])
async def test_a_session_that_is_being_logged_in_is_waited_for(tmp_path: Path, then: str, opens: bool) -> None:
    """Until it is live, or is not going to be; nothing is done in it before."""
    async with proxy() as between:
        body = {"session_id": "s1", "status": "authenticating"}
        between.on("POST", "/sessions/start", Reply(body=body))
        between.on("GET", "/sessions/s1", Reply(body=body))
        between.on("GET", "/sessions/s1", Reply(body=body | {"status": then}), times=None)
        engine = NotteEngine(lambda: CloudAccess("a-key", between.url))
        (tmp_path / "files").mkdir()
        request = OpenRequest("ses_1", SessionSpec(engine="notte", cloud={"auth_ids": ["a1"]}), tmp_path)
        if opens:
            assert (await engine.open(request)).remote_id == "s1"
        else:
            with pytest.raises(SessionNotLive, match="it is error"):
                await engine.open(request)
        assert between.count("GET", "/sessions/s1") == 2
        assert between.count("POST", "*/page/*") == 0
        await engine.close(deadline_s=1)


async def test_a_session_of_which_nobody_hears_whether_it_is_logged_in_is_stopped(tmp_path: Path) -> None:
    """It would run there until its limit, and nobody would use it."""
    async with proxy() as between:
        between.on("POST", "/sessions/start", Reply(body={"session_id": "s1", "status": "authenticating"}))
        between.on("GET", "/sessions/s1", Reply(500), times=None)
        between.on("DELETE", "/sessions/s1/stop", Reply(body={"session_id": "s1", "status": "closed"}))
        engine = NotteEngine(lambda: CloudAccess("a-key", between.url))
        with pytest.raises(CloudUnavailable):
            await engine.open(OpenRequest("ses_1", SessionSpec(engine="notte"), tmp_path))
        assert between.count("DELETE", "/sessions/s1/stop") == 1
        await engine.close(deadline_s=1)


@pytest.mark.parametrize("answer", ["{}", '{"url": 1, "title": [], "document": {}, "view": 7}', "[" * 100_000])
async def test_a_page_that_lies_of_where_it_stands_is_one_that_does_not_answer(tmp_path: Path, answer: str) -> None:
    """Its scripts are its own as much as ours."""
    async with told_by_rote(tmp_path, DONE | {"data": {"markdown": answer}}) as (session, _):
        receipt = await session.perform(a.Goto(url="https://shop.test/"), timeout_ms=5_000)
        assert receipt.success, receipt.message
        assert session.position.url == "https://shop.test/"


async def test_what_the_cloud_cannot_take_of_a_start_is_said(cloud: Cloud) -> None:
    """Longer limits than it has, and local storage."""
    session = await cloud.open(idle_timeout_minutes=45)
    assert session.take_events() == ("idle_timeout_minutes is 30 in the cloud, which takes no more",)
    assert session.take_events() == ()


async def test_a_captcha_in_the_way_is_waited_for_and_what_was_not_done_is_done_then(tmp_path: Path) -> None:
    """Contract, 6.3: asked by its id until it is solved, then the same action once more where it was not executed."""
    captcha = {"captcha_id": "c1", "state": "solving", "retry_after_ms": 1, "page_id": "p1", "generation": 2}
    held_up = {"success": False, "message": "a captcha", "action_executed": False, "captcha": captcha}
    async with proxy() as between:
        between.on("POST", "/sessions/start", Reply(body={"session_id": "s1", "status": "active"}))
        for body in (held_up, {**held_up, "action_executed": None}, {"captcha": {**captcha, "state": "solved"}}):
            between.on("POST", "*/page/execute", Reply(body=body))
        between.on("POST", "*/page/execute", Reply(body={"success": True, "message": "Navigated"}), times=None)
        between.on("*", "/sessions/s1*", Reply(body={"session_id": "s1", "status": "active"}), times=None)
        engine = NotteEngine(lambda: CloudAccess("a-key", between.url))
        (tmp_path / "files").mkdir()
        session = await engine.open(OpenRequest("ses_1", SessionSpec(engine="notte"), tmp_path))
        receipt = await session.perform(a.Goto(url="https://shop.test/"), timeout_ms=5_000)
        asked = [(one.json["type"], one.query) for one in between.seen if one.path.endswith("execute")][:4]
        assert receipt.success, receipt.message
        assert asked == [
            ("goto", ""), ("captcha_solve", "captcha_id=c1"), ("captcha_solve", "captcha_id=c1"),
            ("goto", "target_page_id=p1&target_generation=2"),
        ]  # fmt: skip
        await session.close(deadline_s=1)
        await engine.close(deadline_s=1)
