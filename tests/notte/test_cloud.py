"""What a cloud session tells besides: against answers of every form, and against the local API itself."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from notte_mcp import actions as a
from notte_mcp.cloud_errors import CloudNotNotte, CloudUnavailable, CloudUnknown
from notte_mcp.engines.base import ObserveRequest, OpenRequest
from notte_mcp.engines.notte import footage
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.cloud import CloudSession
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.engines.remote import HostedTask
from notte_mcp.errors import LimitReached, NothingRecorded, StillMaking
from notte_mcp.records import SessionSpec
from tests.api.desk import FORM, desk
from tests.notte.judging import faults_of
from tests.notte.pace import KEY, Naps, client_of
from tests.notte.proxy import Proxy, Reply, proxy

pytestmark = pytest.mark.anyio

FILM = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 64
CLOSED = Reply(200, {"session_id": "s1", "status": "closed", "close_reason": "max_duration"})
ACTIVE = Reply(200, {"session_id": "s1", "status": "active"})


def missing(status: str, *, retryable: bool, words: str = "Replay not found") -> Reply:
    """The API's words for a replay that is not there."""
    more = {"session_id": "s1", "status": 404, "error": "NotFound", "message": words}
    return Reply(404, {"detail": words, "replay_status": status, "retryable": retryable} | more)


@pytest.fixture
async def api() -> AsyncIterator[Proxy]:
    async with proxy() as server:
        server.on("GET", "/health", Reply(200, {"status": "healthy", "version": "1.10.0"}), times=None)
        yield server


async def film(cloud: CloudSession, *, wait_s: float) -> bytes:
    """The session's replay, as it was written down."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "replay.mp4"
        size = await cloud.replay(path, wait_s=wait_s)
        body = path.read_bytes()
        assert size == len(body)
        return body


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def cloud(api: Proxy, naps: Naps) -> AsyncIterator[CloudSession]:
    client = client_of(api.url, naps)
    yield CloudSession(client, "s1")
    await client.close()


async def test_a_session_says_how_it_stands_there(api: Proxy, cloud: CloudSession) -> None:
    """With its close reason; an unknown one and another program's answer are each their own error."""
    api.on("GET", "/sessions/s1", CLOSED)
    api.on("GET", "/sessions/s1", Reply(404, {"detail": "Session not found"}))
    api.on("GET", "/sessions/s1", Reply(200, {"hello": "world"}))
    told = await cloud.session()
    assert (told.remote_id, told.is_live, told.close_reason) == ("s1", False, "max_duration")
    with pytest.raises(CloudUnknown, match="Session not found"):
        await cloud.session()
    with pytest.raises(CloudNotNotte):
        await cloud.session()


async def test_data_of_a_page_are_taken_by_the_cloud_s_model_or_it_is_said_why_not(
    api: Proxy, cloud: CloudSession
) -> None:
    """Of the contract's answer that is `structured`; what its model says of a failure is the reason."""
    api.on("POST", "*/page/scrape", Reply(200, {"markdown": "x", "structured": {"success": True, "data": {"n": 3}}}))
    api.on(
        "POST", "*/page/scrape", Reply(200, {"markdown": "x", "structured": {"success": False, "error": "no model"}})
    )
    api.on("POST", "*/page/scrape", Reply(200, {"markdown": "x"}))
    found = [
        await cloud.extract(instructions="how many", schema={"type": "object"}, selector=None, within_s=5)
        for _ in range(3)
    ]
    assert [(one.data, one.problem) for one in found] == [
        ({"n": 3}, ""),
        (None, "no model"),
        (None, "it gave none, and no reason"),
    ]
    assert json.loads(api.seen[0].body) == {"instructions": "how many", "response_format": {"type": "object"}}


# --- the replay ---------------------------------------------------------------------


@pytest.fixture
async def store() -> AsyncIterator[Proxy]:
    """Where signed addresses lead."""
    async with proxy() as server:
        server.on("GET", "/film.mp4", Reply(200, FILM), times=None)
        yield server


async def test_a_replay_is_waited_for_and_fetched_without_the_key(
    api: Proxy, store: Proxy, cloud: CloudSession, naps: Naps
) -> None:
    """A signed address is another machine's, which is none of the key's business."""
    api.on("GET", "*/replay", missing("processing", retryable=True), times=2)
    api.on("GET", "*/replay", Reply(200, {"expires_at": "x", "mp4_url": None}))
    api.on("GET", "*/replay", Reply(200, {"expires_at": "x", "mp4_url": f"{store.url}/film.mp4?sig=s"}))
    assert await film(cloud, wait_s=60) == FILM
    assert naps.taken == [1, 2, 4]
    assert "authorization" not in store.seen[0].headers


async def test_an_older_server_gives_the_replay_itself(api: Proxy, cloud: CloudSession) -> None:
    """MP4 bytes in the place of an address; anything else in their place is none."""
    api.on("GET", "*/replay", Reply(200, FILM, {"content-type": "video/mp4"}))
    api.on("GET", "*/replay", Reply(200, "<html>sign in</html>"))
    assert await film(cloud, wait_s=0) == FILM
    with pytest.raises(CloudNotNotte, match="no MP4"):
        await film(cloud, wait_s=0)


async def test_what_is_too_large_is_cut_while_it_comes(
    api: Proxy, cloud: CloudSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay, and a file whatever size it was listed with: neither is ever whole in memory."""
    monkeypatch.setattr(footage, "MAX_REPLAY_BYTES", len(FILM) - 1)
    api.on("GET", "*/replay", Reply(200, FILM, {"content-type": "video/mp4"}))
    api.on("GET", "*/files/f1", Reply(200, b"[1, 2]", {"content-type": "application/json"}), times=2)
    with pytest.raises(LimitReached, match="more than 75 bytes"):
        await film(cloud, wait_s=0)
    path = tmp_path / "file"
    assert await cloud.file("f1", path, limit=5) == "it has more than 5 bytes"
    assert await cloud.file("f1", path, limit=6) == ""
    assert path.read_bytes() == b"[1, 2]"


@pytest.mark.parametrize("words", ["Replay not found", "Session s1 is still active"])
async def test_an_active_session_has_no_replay_yet(api: Proxy, cloud: CloudSession, naps: Naps, words: str) -> None:
    """It is said at once, with what to do about it; older servers say it in words alone."""
    status = "waiting_for_session" if words.startswith("Replay") else "unknown"
    api.on("GET", "*/replay", missing(status, retryable=True, words=words))
    api.on("GET", "/sessions/s1", ACTIVE)
    with pytest.raises(StillMaking, match=r"still active.*notte_stop"):
        await film(cloud, wait_s=60)
    assert naps.taken == []


async def test_a_session_that_has_just_ended_is_waited_for(api: Proxy, store: Proxy, cloud: CloudSession) -> None:
    """Its end is not known everywhere at once."""
    api.on("GET", "*/replay", missing("waiting_for_session", retryable=True))
    api.on("GET", "/sessions/s1", CLOSED)
    api.on("GET", "*/replay", Reply(200, {"mp4_url": f"{store.url}/film.mp4"}))
    assert await film(cloud, wait_s=60) == FILM


@pytest.mark.parametrize("status", ["unavailable", "failed", "unknown"])
async def test_a_replay_that_will_never_be_is_not_waited_for(
    api: Proxy, cloud: CloudSession, naps: Naps, status: str
) -> None:
    """In its own words."""
    api.on("GET", "*/replay", missing(status, retryable=False, words="Replay was never recorded"))
    with pytest.raises(NothingRecorded, match="never recorded"):
        await film(cloud, wait_s=60)
    assert naps.taken == []


async def test_a_replay_is_waited_for_no_longer_than_asked(api: Proxy, cloud: CloudSession, naps: Naps) -> None:
    """It goes on being made, and the same call asks again."""
    api.on("GET", "*/replay", missing("processing", retryable=True), times=None)
    with pytest.raises(StillMaking, match="within 14 s"):
        await film(cloud, wait_s=14)
    assert naps.taken == [1, 2, 4, 5]
    with pytest.raises(StillMaking):
        await film(cloud, wait_s=0)


async def test_an_unknown_session_has_no_replay_to_wait_for(api: Proxy, cloud: CloudSession, naps: Naps) -> None:
    """A 404 that says nothing of a replay is of the session."""
    api.on("GET", "*/replay", Reply(404, {"detail": "Session s1 not found"}))
    with pytest.raises(CloudUnknown, match="s1"):
        await film(cloud, wait_s=60)


async def test_a_signed_address_that_has_expired_is_asked_for_again(
    api: Proxy, store: Proxy, cloud: CloudSession
) -> None:
    """Each answer has a new one; any other trouble is told."""
    api.on("GET", "*/replay", Reply(200, {"mp4_url": f"{store.url}/gone"}))
    api.on("GET", "*/replay", Reply(200, {"mp4_url": f"{store.url}/film.mp4"}))
    api.on("GET", "*/replay", Reply(200, {"mp4_url": f"{store.url}/broken"}))
    store.on("GET", "/broken", Reply(500, b""))
    assert await film(cloud, wait_s=60) == FILM
    with pytest.raises(CloudUnavailable, match="HTTP 500"):
        await film(cloud, wait_s=60)


# --- the rest -----------------------------------------------------------------------


async def test_a_trajectory_is_read_page_by_page_or_from_the_session(api: Proxy, cloud: CloudSession) -> None:
    """Only the newest servers have the route; a cursor that goes in a circle ends."""
    api.on("GET", "*/steps", Reply(200, {"steps": [{"n": 1}], "next_cursor": "c"}))
    api.on("GET", "*/steps", Reply(200, {"steps": [{"n": 2}], "next_cursor": "c"}))
    api.on("GET", "*/steps", Reply(405, {"detail": "Method Not Allowed"}))
    api.on("GET", "/sessions/s1", Reply(200, {"status": "closed", "steps": [{"n": 3}, None]}))
    assert [await cloud.steps(), await cloud.steps()] == [[{"n": 1}, {"n": 2}], [{"n": 3}]]
    assert [one.query for one in api.seen if one.path.endswith("/steps")][:2] == ["limit=100", "limit=100&cursor=c"]


async def test_the_network_log_is_read_and_tells_no_secret(api: Proxy, store: Proxy, cloud: CloudSession) -> None:
    """Batches lie at signed addresses; in them are cookies, keys, tokens. What cannot be read is named with its size."""
    entry = {
        "url": "https://shop.example/a?token=tok-1&q=1", "status": 200,
        "headers": {"Cookie": "sid=tok-2", "Accept": "*/*", "x-api-key": KEY},
        "response": [{"name": "set-cookie", "value": "sid=tok-3"}, {"name": "etag", "value": "e1"}],
    }  # fmt: skip
    store.on("GET", "/1", Reply(200, (json.dumps(entry) + "\n" + json.dumps({"url": "b"}) + "\n").encode()))
    store.on("GET", "/2", Reply(200, b"\x00binary"))
    store.on("GET", "/3", Reply(403, b""))
    batches = [{"key": f"k{n}", "size": n, "download_url": f"{store.url}/{n}?sig=tok-4"} for n in (1, 2, 3)]
    body = {"session_id": "s1", "format": "batched_v1", "batches": [*batches, {"key": "k4"}], "total_batch_count": 9}
    api.on("GET", "*/network/logs", Reply(200, body))
    told = await cloud.network(limit=7)
    assert api.seen[-1].query == "limit=7&download=True"
    assert [one["key"] for one in told["batches"]] == ["k1", "k2", "k3", "k4"]
    assert (told["total_batch_count"], told["batches"][2]) == (9, {"key": "k3", "size": 3})
    first, second = told["batches"][0]["entries"]
    assert (first["status"], first["headers"]["Accept"], second) == (200, "*/*", {"url": "b"})
    assert first["response"][1] == {"name": "etag", "value": "e1"}
    assert not any(secret in json.dumps(told) for secret in ("tok-", KEY, "sig="))


async def test_code_offset_cookies_and_files_are_read_whatever_is_missing(api: Proxy, cloud: CloudSession) -> None:
    """Missing keys are nothing; an offset that is none is an error."""
    api.on("GET", "*/workflow/code", Reply(200, {"python_script": "run()", "json_actions": [{"type": "goto"}]}))
    api.on("GET", "*/cookies", Reply(200, {"cookies": [{"name": "a", "value": "b", "domain": "x.example"}, 3]}))
    api.on("GET", "*/offset", Reply(200, {"offset": 4}))
    api.on("*", "*", Reply(200, {}), times=None)
    code = await cloud.code()
    assert (code.python, code.actions) == ("run()", [{"type": "goto"}])
    assert [(one["name"], one["value"], one["path"]) for one in await cloud.cookies()] == [("a", "b", "/")]
    assert await cloud.offset() == 4
    assert (await cloud.code()).python == ""
    assert [await cloud.cookies(), await cloud.files()] == [[], []]
    with pytest.raises(CloudNotNotte):
        await cloud.offset()


# --- over the local API ----------------------------------------------------------------

_KINDS = {"start": "start", "observe": "observe", "execute": "execute", "scrape": "scrape", "cookies": "cookies"}
ACTS: list[a.Action] = [a.Goto(url=FORM), a.Fill(selector="#applicant", value="Ada"), a.ScrollDown(amount=100)]


async def test_every_request_of_the_engine_is_the_contract_s(tmp_path: Path) -> None:
    """A whole session and an agent over the wire: the newest SDK's own models take each body that was sent."""
    (tmp_path / "own").mkdir()
    async with desk(tmp_path) as office, proxy(office.api.url) as between:
        engine = NotteEngine(lambda: CloudAccess(office.api.key, between.url))
        session = await engine.open(OpenRequest("ses_x", SessionSpec(engine="notte"), tmp_path / "own"))
        for action in ACTS:
            await session.perform(action, timeout_ms=3_000)
        await session.observe(ObserveRequest(view=1, mode="page"))
        await session.scrape(selector=None, only_main_content=True, links=False, images=False)
        await session.screenshot(marks=False)
        await session.set_cookies([{"name": "a", "value": "secret-value", "domain": "office.test", "path": "/"}])
        remote = await engine.remote(session.remote_id)
        assert [one["value"] for one in await remote.cookies()] == ["secret-value"]
        assert (await remote.session()).is_live
        agent_id = await remote.start_agent(HostedTask("Send the form.", url=FORM, max_steps=5))
        await office.ended(agent_id)
        code = await remote.code()
        assert ("NotteClient" in code.python, code.actions[0]["type"]) == (True, "goto")
        assert await remote.offset() == len(await remote.steps()) > 0
        await session.close(deadline_s=5)
        told = await remote.session()
        await engine.close(deadline_s=1)
    assert (told.is_live, told.state, told.close_reason, told.viewer_url) == (False, "closed", "manual", None)
    sent = [(_kind(one.path), one.json) for one in between.seen if one.method == "POST" and one.body]
    assert {kind for kind, _ in sent} >= {"start", "observe", "execute", "scrape", "cookies", "agent"}
    assert faults_of("1.10", sent) == []
    assert all(one.headers["authorization"] == f"Bearer {office.api.key}" for one in between.seen)


def _kind(path: str) -> str:
    return "agent" if path.startswith("/agents/") else _KINDS[path.rpartition("/")[2]]


async def test_what_the_local_api_does_not_serve_is_said_as_it_says_it(tmp_path: Path) -> None:
    """A refused key, an unknown session, what only the cloud has."""
    async with desk(tmp_path) as office:
        client = client_of(office.api.url, key=office.api.key)
        remote = CloudSession(client, await office.session())
        with pytest.raises(CloudUnknown, match="501"):
            await remote.network()
        with pytest.raises(StillMaking, match="still active"):
            await film(remote, wait_s=5)
        with pytest.raises(CloudUnknown, match="ses_none"):
            await CloudSession(client, "ses_none").session()
        stranger: Any = client_of(office.api.url, key="another-key-of-nobody")
        with pytest.raises(Exception, match="refuses the key") as caught:
            await CloudSession(stranger, "s1").session()
        assert "another-key-of-nobody" not in str(caught.value)
        for one in (client, stranger):
            await one.close()
