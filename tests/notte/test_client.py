"""The client of the Notte API, over real sockets: what is repeated, what an error says, and what nobody ever hears."""

import json
import logging
import socket
import traceback
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, unquote

import anyio
import pytest

from notte_mcp import __version__
from notte_mcp.cloud_errors import (
    CloudError,
    CloudKeyMissing,
    CloudKeyRefused,
    CloudNoCredit,
    CloudNotNotte,
    CloudRefused,
    CloudUnavailable,
    CloudUnknown,
)
from notte_mcp.engines.notte.answers import NOBODY_KNOWS, NOTHING
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.patience import Patience
from tests.notte.pace import KEY, Naps, client_of
from tests.notte.proxy import HTML, MALFORMED, Fault, Half, Lose, Proxy, Reply, Reset, Stall, Swap, proxy

pytestmark = pytest.mark.anyio

HEALTH = {"status": "healthy", "version": "1.10.0", "description": "the API"}
JSON = {"content-type": "application/json"}


@pytest.fixture
async def api() -> AsyncIterator[Proxy]:
    """An API that answers nothing but what a test says, and its health."""
    async with proxy() as server:
        server.on("GET", "/health", Reply(200, HEALTH), times=None)
        yield server


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def client(api: Proxy, naps: Naps) -> AsyncIterator[NotteClient]:
    made = client_of(api.url, naps)
    yield made
    await made.close()


async def asked(client: NotteClient, method: str, *path: str, **rest: Any) -> Any:
    """One call by its method's name."""
    match method:
        case "GET":
            return await client.get(*path, **rest)
        case "POST":
            return await client.post(*path, body={"a": 1}, **rest)
        case _:
            return await client.delete(*path, **rest)


# --- asking again ---------------------------------------------------------------

ALL, SAFE = ("GET", "DELETE", "POST"), ("GET", "DELETE")
AGAIN = {503: ALL, 529: ALL, 502: SAFE, 504: SAFE, 500: (), 429: (), 408: (), 401: (), 404: (), 409: (), 422: ()}


@pytest.mark.parametrize("status", AGAIN)
@pytest.mark.parametrize("method", ALL)
async def test_only_what_does_no_harm_is_asked_again(
    api: Proxy, client: NotteClient, naps: Naps, method: str, status: int
) -> None:
    """The contract: 503 and 529 whatever it was, 502 and 504 what may be done twice, three times at most; nothing else."""
    api.on("*", "/sessions/s1", Reply(status, {"detail": "so it is"}), times=None)
    with pytest.raises(CloudError, match="so it is") as caught:
        await asked(client, method, "sessions", "s1")
    again = method in AGAIN[status]
    assert api.count(method, "/sessions/s1") == (4 if again else 1)
    assert naps.taken == ([1, 2, 4] if again else [])
    unknown = method != "GET" and status in {408, 500, 502, 504}
    assert caught.value.done == (NOBODY_KNOWS if unknown else NOTHING)
    assert caught.value.status == status


@pytest.mark.parametrize("fault", [Reset(), Lose(), Half(), Swap(Reply(504, {"detail": "late"}))])
@pytest.mark.parametrize("method", ALL)
async def test_a_post_whose_answer_is_lost_is_never_sent_again(
    api: Proxy, client: NotteClient, method: str, fault: Fault
) -> None:
    """An agent or a session that nobody knows of would cost its account; what may be done twice is done twice."""
    async with proxy(api.url) as between:
        lossy = client_of(between.url)
        api.on("*", "/a", Reply(200, {"ok": "x" * 200}), times=None)
        between.on("*", "/a", fault)
        if method == "POST":
            with pytest.raises(CloudUnavailable) as caught:
                await lossy.post("a", body={"b": 1})
            assert caught.value.done == NOBODY_KNOWS
            assert between.count("POST", "/a") == 1
            assert api.count("POST", "/a") == (0 if isinstance(fault, Reset) else 1)
        else:
            assert (await asked(lossy, method, "a"))["ok"]
            assert between.count(method, "/a") == 2
        await lossy.close()


@pytest.mark.parametrize("fault", [Lose(), Reply(500, {"detail": "boom"}), Reply(504, "<html>"), MALFORMED])
async def test_a_look_that_failed_changed_nothing(api: Proxy, fault: Fault) -> None:
    """The contract's POSTs that only look are not repeated either, and leave no doubt."""
    async with proxy(api.url) as between:
        api.on("POST", "*", Reply(200, {}), times=None)
        between.on("POST", "*", fault, times=None)
        client = client_of(between.url)
        for look in ("observe", "scrape"):
            with pytest.raises(CloudError) as caught:
                await client.post("sessions", "s1", "page", look)
            assert caught.value.done == NOTHING
            assert between.count("POST", f"*/{look}") == 1
        await client.close()


async def test_a_server_that_is_not_there_is_asked_again_whatever_it_was(naps: Naps) -> None:
    """Refused: nothing was sent, so nothing was done."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        client = client_of(f"http://127.0.0.1:{held.getsockname()[1]}", naps)
        with pytest.raises(CloudUnavailable, match="cannot be reached") as caught:
            await client.post("sessions", "start", body={})
        await client.close()
    assert (caught.value.done, naps.taken) == (NOTHING, [1, 2, 4])


async def test_a_server_that_says_when_is_asked_then_if_that_is_soon(
    api: Proxy, client: NotteClient, naps: Naps
) -> None:
    """Up to 20 s are waited; longer ones are the caller's, who is told how long."""
    api.on("POST", "/a", Reply(503, {"detail": "soon"}, {"retry-after": "20"}))
    api.on("POST", "/a", Reply(529, {"detail": "later"}, {"retry-after": "21"}))
    with pytest.raises(CloudUnavailable, match="later") as caught:
        await client.post("a")
    assert naps.taken == [20]
    assert caught.value.retry_after_s == 21
    assert "after 21 s" in caught.value.next_call


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"x-ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-reset": "1400000000"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
async def test_a_rate_limit_says_when_to_come_back(
    api: Proxy, client: NotteClient, headers: dict[str, str], seconds: float | None
) -> None:
    """In seconds, as a date, or as the hour at which it ends; what is none of these is passed over."""
    api.on("GET", "/a", Reply(429, {"detail": "slow down"}, headers))
    with pytest.raises(CloudUnavailable, match="slow down") as caught:
        await client.get("a")
    assert caught.value.retry_after_s == seconds


async def test_all_tries_together_take_a_minute_at_most(api: Proxy, client: NotteClient, naps: Naps) -> None:
    """A third wait of 20 s would end after the minute."""
    api.on("GET", "/a", Reply(503, {"detail": "no"}, {"retry-after": "20"}), times=None)
    with pytest.raises(CloudUnavailable):
        await client.get("a", within_s=1_000)
    assert naps.taken == [20, 20]


def test_waits_are_drawn_below_a_bound_that_doubles_to_ten_seconds() -> None:
    """Full jitter: many clients do not come back at the same time."""
    for chance in (0.0, 0.5, 0.99):
        patience = Patience(retries=9, chance=lambda chance=chance: chance)
        drawn = [patience.pause(turn, spent_s=0) for turn in range(6)]
        assert drawn == [pytest.approx(chance * most) for most in (1, 2, 4, 8, 10, 10)]


async def test_a_silent_server_is_given_up_in_time(api: Proxy, client: NotteClient) -> None:
    """The limit is of the whole call; a POST that went silent may have been done."""
    api.on("POST", "/a", Stall())
    with anyio.fail_after(10), pytest.raises(CloudUnavailable, match="did not answer") as caught:
        await client.post("a", within_s=0.2)
    assert caught.value.done == NOBODY_KNOWS


async def test_waiting_can_be_given_up_at_any_moment(api: Proxy) -> None:
    """In flight and between two tries; the client goes on being of use."""
    held = anyio.Event()

    async def forever(_seconds: float) -> None:
        held.set()
        await anyio.sleep_forever()

    client = NotteClient(client_of(api.url).access, patience=Patience(sleep=forever))
    api.on("GET", "/stalled", Stall())
    api.on("GET", "/busy", Reply(503))
    api.on("GET", "/fine", Reply(200, {"ok": True}))
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(client.get, "stalled")
            group.start_soon(client.get, "busy")
            await api.arrived("GET", "/stalled")
            await held.wait()
            group.cancel_scope.cancel()
        assert await client.get("fine") == {"ok": True}
    await client.close()


# --- what an error says -----------------------------------------------------------

SHAPES = [
    (400, {"message": "Invalid cursor", "detail": None}, CloudRefused, "Invalid cursor"),
    (401, {"detail": "d", "error": "e", "message": "Bad key", "status": 401}, CloudKeyRefused, "Bad key"),
    (401, "Unauthorized", CloudKeyRefused, "refuses the key"),
    (402, {"error": {"code": "no_credit", "message": "Top up", "source": "billing"}}, CloudNoCredit, "Top up"),
    (403, {"detail": "Forbidden"}, CloudKeyRefused, "Forbidden"),
    (404, {"detail": "Session s1 not found"}, CloudUnknown, "Session s1 not found"),
    (405, {"detail": "Method Not Allowed"}, CloudUnknown, "Method Not Allowed"),
    (410, {"message": "Agents are gone"}, CloudUnknown, "Agents are gone"),
    (409, {"detail": "conflict"}, CloudRefused, "conflict"),
    (422, {"detail": [{"loc": ["body", "url"], "msg": "Field required"}]}, CloudRefused, "url: Field required"),
    (
        422,
        {"message": "Validation error", "detail": [{"loc": ["body", "a", 0], "msg": "no", "type": "value_error"}]},
        CloudRefused,
        "a.0: no",
    ),
    (
        422,
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "headless"], "msg": "Extra inputs are not permitted"}]},
        CloudRefused,
        "older or newer",
    ),
    (413, {"detail": {"message": "too much"}}, CloudRefused, "too much"),
    (429, {"detail": "slow down"}, CloudUnavailable, "limits the rate"),
    (500, "Internal Server Error", CloudUnavailable, "failed"),
    (501, {"detail": "personas need the cloud"}, CloudUnknown, "personas need the cloud"),
    (502, "<html>Bad gateway</html>", CloudUnavailable, "failed"),
    (200, {"detail": "No such session", "status": 404}, CloudUnknown, "No such session"),
    (200, {"detail": "odd"}, CloudRefused, "odd"),
]


@pytest.mark.parametrize(("status", "body", "kind", "words"), SHAPES)
async def test_every_shape_of_an_error_is_one_of_ours(
    api: Proxy, client: NotteClient, status: int, body: Any, kind: type[CloudError], words: str
) -> None:
    """With the server's own words, what became of the request, and what to do."""
    api.on("POST", "/a", Reply(status, body), times=None)
    with pytest.raises(CloudError) as caught:
        await client.post("a")
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert caught.value.next_call


async def test_what_failed_over_there_is_told_as_that(api: Proxy, client: NotteClient) -> None:
    """`x-error-class`: the API is well, and what was asked for cannot be done as things stand."""
    told = {"detail": "No snapshot is available", "status": 500}
    api.on("POST", "/a", Reply(500, told, {"x-error-class": "NotteApiExecutionError"}))
    with pytest.raises(CloudRefused, match="No snapshot is available"):
        await client.post("a")


@pytest.mark.parametrize(
    "fault",
    [
        HTML,
        MALFORMED,
        Reply(404, "<html>nginx</html>"),
        Reply(200, ["a list"]),
        Reply(200, b"null", JSON),
        Reply(200, b"[" * 100_000, JSON),
        Reply(302, b"", {"location": "https://login.example/in?token=abc"}),
    ],
    ids=["html", "malformed", "html 404", "list", "null", "deep", "redirect"],
)
async def test_what_does_not_speak_as_the_api_does_is_not_taken_for_it(
    api: Proxy, client: NotteClient, fault: Reply
) -> None:
    """A proxy's page, another program's JSON, a way elsewhere: the address is what is to be looked at."""
    api.on("GET", "/a", fault)
    with pytest.raises(CloudNotNotte) as caught:
        await client.get("a")
    assert "NOTTE_API_URL" in caught.value.next_call
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("health", [Reply(404, {"detail": "Not Found"}), Reply(200, {"status": "ok"}), HTML, Reset()])
async def test_a_stranger_s_404_is_told_from_notte_s(health: Fault) -> None:
    """Any framework says `Not Found`: the first time it is asked what it is, without the key."""
    async with proxy() as stranger:
        stranger.on("GET", "/health", health, times=None)
        client = client_of(stranger.url)
        with pytest.raises(CloudNotNotte, match="not the Notte API"):
            await client.post("sessions", "start")
        await client.close()
        asked_health = next(one for one in stranger.seen if one.path == "/health")
    assert "authorization" not in asked_health.headers


async def test_an_api_that_has_answered_once_is_not_asked_what_it_is(api: Proxy, client: NotteClient) -> None:
    """Its health costs a request, and tells nothing new then."""
    api.on("GET", "/a", Reply(200, {"ok": True}))
    await client.get("a")
    for _ in range(2):
        with pytest.raises(CloudUnknown):
            await client.get("b")
    assert api.count("GET", "/health") == 0


@pytest.mark.parametrize(
    ("key", "url", "kind"),
    [
        (None, None, CloudKeyMissing),
        ("  \n", None, CloudKeyMissing),
        ("sk-\n-two-lines", None, CloudKeyRefused),
        ("sk-schlüssel-9", None, CloudKeyRefused),
        (KEY, "", CloudNotNotte),
        (KEY, "api.notte.cc", CloudNotNotte),
        (KEY, "ftp://api.notte.cc", CloudNotNotte),
        (KEY, "http://user:secret-word@127.0.0.1:1", CloudNotNotte),
        (KEY, "http://127.0.0.1:99999", CloudNotNotte),
        (KEY, "http://[::1", CloudNotNotte),
    ],
)
async def test_without_a_key_or_an_address_nothing_is_sent(
    api: Proxy, key: str | None, url: str | None, kind: type[CloudError]
) -> None:
    """And the error says what to set, without what was set."""
    client = client_of(api.url if url is None else url, key=key)
    with pytest.raises(kind) as caught:
        await client.post("sessions", "start")
    assert (caught.value.done, api.seen) == (NOTHING, [])
    assert not any(part in str(caught.value) for part in ("secret-word", "two-lines", "schlüssel"))
    await client.close()


# --- what is sent -------------------------------------------------------------------


async def test_requests_say_who_sends_them_and_can_be_told_apart(api: Proxy, client: NotteClient) -> None:
    """The key as the contract has it, an honest name, and on what changes something a key that its repeats share."""
    api.on("POST", "/a", Reply(503), times=2)
    api.on("*", "/a", Reply(200, {}), times=None)
    await client.post("a", body={"b": 1, "c": None})
    await client.post("a")
    await client.get("a")
    heads = [one.headers for one in api.seen]
    assert {head["authorization"] for head in heads} == {f"Bearer {KEY}"}
    assert {(head["x-notte-request-origin"], head["user-agent"]) for head in heads} == {
        ("notte-mcp", f"notte-mcp/{__version__}")
    }
    keys = [head.get("idempotency-key") for head in heads]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4] is None
    assert [one.json for one in api.seen[2:4]] == [{"b": 1}, {}]
    assert heads[2]["content-type"] == "application/json"


@pytest.mark.parametrize("segment", ["../vaults", "a/b", "a?b=c#d", "%2e%2e", "ü ;", "a\x00b", "\ud800"])
async def test_an_id_is_one_segment_whatever_is_in_it(api: Proxy, client: NotteClient, segment: str) -> None:
    """What a caller gives as an id leads nowhere else, and is what the server reads."""
    api.on("GET", "*", Reply(200, {}), times=None)
    await client.get("sessions", segment, "debug")
    empty, sessions, found, debug = api.seen[0].path.split("/")
    assert (empty, sessions, debug, api.seen[0].query) == ("", "sessions", "debug", "")
    assert unquote(found) == segment.replace("\ud800", "?")


@pytest.mark.parametrize("segment", ["", ".", ".."])
async def test_an_id_that_would_be_lost_on_the_way_is_refused(api: Proxy, client: NotteClient, segment: str) -> None:
    """Dots are a way through folders, in every client and server in between."""
    with pytest.raises(CloudUnknown):
        await client.delete("sessions", segment, "stop")
    assert api.seen == []


async def test_queries_are_spelled_as_the_contract_s_clients_do(api: Proxy, client: NotteClient) -> None:
    """Booleans as Python writes them, and nothing of what was not given."""
    api.on("GET", "/a", Reply(200, {}))
    await client.get("a", query={"as_workflow": True, "limit": 3, "cursor": None, "q": "a&b=c d"})
    assert parse_qsl(api.seen[0].query) == [("as_workflow", "True"), ("limit", "3"), ("q", "a&b=c d")]


async def test_lists_and_empty_answers_are_read_in_every_form(api: Proxy, client: NotteClient) -> None:
    """In an envelope or bare; a 204 is an empty object."""
    api.on("GET", "/a", Reply(200, {"items": [{"x": 1}, "odd"], "page": 1}))
    api.on("GET", "/a", Reply(200, [{"x": 2}]))
    api.on("DELETE", "/a", Reply(204, b""))
    assert [await client.rows("a"), await client.rows("a")] == [[{"x": 1}], [{"x": 2}]]
    assert await client.delete("a") == {}


async def test_a_file_goes_up_as_a_form_and_comes_down_as_it_is(api: Proxy, client: NotteClient) -> None:
    """Bytes of any kind; a file that reads like an error of the API is a file."""
    content = b"\x00\xff\r\n--boundary"
    api.on("POST", "/f", Reply(200, {"id": "f1"}))
    api.on("GET", "/f/f1", Reply(200, content))
    api.on("GET", "/f/f1", Reply(200, {"detail": "mine"}))
    assert await client.upload("f", name="ä.bin", content=content) == {"id": "f1"}
    assert content in api.seen[0].body
    assert api.seen[0].headers["content-type"].startswith("multipart/form-data; boundary=")
    assert await client.bytes("f", "f1") == content
    assert json.loads(await client.bytes("f", "f1")) == {"detail": "mine"}


async def test_an_answer_without_end_is_not_read_to_its_end(api: Proxy, client: NotteClient) -> None:
    """Nothing over there may fill this machine's memory."""
    api.on("GET", "/f", Reply(200, b"x" * 100_000), times=None)
    with pytest.raises(CloudUnavailable, match="larger than 50,000 bytes"):
        await client.bytes("f", limit=50_000)
    assert api.count("GET", "/f") == 1


async def test_what_lies_elsewhere_is_fetched_without_the_key(api: Proxy, client: NotteClient) -> None:
    """A signed address, and where it leads."""
    async with proxy() as store:
        store.on("GET", "/old", Reply(302, b"", {"location": "/new"}))
        store.on("GET", "/new", Reply(200, b"bytes"))
        assert await client.fetch(f"{store.url}/old?signature=s") == b"bytes"
        with pytest.raises(CloudUnavailable, match="HTTP 404") as caught:
            await client.fetch(f"{store.url}/gone?signature=verysecret")
    assert all("authorization" not in one.headers for one in store.seen)
    assert "verysecret" not in str(caught.value)
    for odd in ("file:///etc/passwd", "", "javascript:1"):
        with pytest.raises(CloudNotNotte):
            await client.fetch(odd)


# --- what nobody hears ----------------------------------------------------------------

ECHO = f"you sent Bearer {KEY} to wss://x/logs?token=viewer-token-1 and {json.dumps(KEY)[1:-1]}"
ECHOES: list[Fault] = [
    *(Reply(status, shape) for status, shape in [
        (400, {"message": ECHO}),
        (401, {"error": {"message": ECHO}}),
        (402, {"detail": ECHO}),
        (404, {"detail": ECHO}),
        (422, {"detail": [{"loc": ["body", KEY], "msg": ECHO}]}),
        (429, {"error": ECHO}),
        (500, {"detail": ECHO}),
        (503, {"detail": {"detail": {"message": ECHO}}}),
        (200, {"detail": ECHO}),
        (404, f"<html>{ECHO}</html>"),
        (500, ECHO),
    ]),
    Reply(400, json.dumps({"message": ECHO}).replace("4f9d", "\\u0034f9d").encode(), JSON),
    Reply(301, b"", {"location": f"https://{KEY}.example/?token={KEY}"}),
    Reset(), Lose(), Half(), Stall(), HTML, MALFORMED,
]  # fmt: skip


@pytest.mark.parametrize("fault", ECHOES, ids=str)
async def test_the_key_and_tokens_are_in_no_error_and_no_log(
    api: Proxy, client: NotteClient, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the server says back, in all that an error carries: its text, its causes, its traceback."""
    caplog.set_level(logging.DEBUG)
    api.on("*", "*", fault, times=None)
    with pytest.raises(CloudError) as caught:
        await client.post("sessions", KEY, body={"task": "t"}, within_s=0.5)
    told = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)) + repr(client.access)
    assert caught.value.__context__ is None
    for secret in (KEY, "viewer-token-1"):
        assert secret not in told
        assert secret not in caplog.text


async def test_the_key_is_in_no_answer(api: Proxy, client: NotteClient) -> None:
    """Not even where the server keeps what it was sent, as it stands or escaped."""
    api.on("GET", "/a", Reply(200, {"error": ECHO, "steps": [{KEY: [KEY]}]}))
    api.on("GET", "/a", Reply(200, json.dumps({"e": KEY}).replace("4f9d", "\\u0034f9d").encode(), JSON))
    for _ in range(2):
        assert KEY not in json.dumps(await client.get("a"))


async def test_a_short_key_takes_nothing_else_with_it(api: Proxy) -> None:
    """A test's key of one letter is not cut out of every word."""
    api.on("GET", "/a", Reply(200, {"max": "x", "text": "next to x"}))
    client = client_of(api.url, key="x")
    assert await client.get("a") == {"max": "[hidden]", "text": "next to [hidden]"}
    await client.close()
