"""P8: what one principal has, another cannot see, use, count or guess. The cases come from what the server publishes."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from notte_mcp.app import open_app
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.errors import LimitReached, ModelUnknown
from notte_mcp.ids import new_session_id
from notte_mcp.models.access import Access
from notte_mcp.models.shelf import Shelf
from notte_mcp.records import SessionRecord, SessionSpec
from notte_mcp.registry.places import Places
from notte_mcp.serve.listening import sweep_old
from notte_mcp.serve.principals import settings_of
from notte_mcp.settings import OWNER, Settings
from notte_mcp.store.sql import SqlStore
from tests.serve.served import ALICE, BOB, CALLER, HEADERS, Served, bearer, message_of, text
from tests.stdio.wire import ENVELOPE, INITIALIZE
from tests.tools.conftest import FORM

pytestmark = pytest.mark.anyio

CANARY = "CANARY-of-alice"
FLOW = "flow-of-alice"
NEEDED: dict[str, dict[str, Any]] = {
    "notte_execute": {"actions": [{"type": "reload"}]},
    "notte_steer": {"command": "pause"},
    "notte_run_workflow": {"wait_seconds": 0},
}
"""What a call needs besides whom it is about."""

WHOM = frozenset({"session_id", "id", "agent_id", "name", "uri", "cursor"})
"""The parameters that say whom or what a call is about."""

ABSENT = {
    "session": "ses_00000000000000000000000000",
    "agent": "agt_00000000000000000000000000",
    "run": "run_00000000000000000000000000",
    "flow": "flow-of-nobody",
    "file": "nothing.txt",
    "cursor": "p0123456789abcdef.40",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One request about something of Alice's, and the same about nothing at all."""

    method: str
    theirs: dict[str, Any]
    nobodys: dict[str, Any]


@pytest.fixture(scope="module")
def hers(server: Served) -> dict[str, str]:
    """What Alice has: of each kind one."""
    session = server.call(ALICE, "notte_start", url=FORM)["structuredContent"]["session_id"]
    server.call(ALICE, "notte_execute", session_id=session, actions=[{"type": "fill", "id": "I1", "value": CANARY}])
    agent = server.call(ALICE, "notte_start", url=FORM, task=CANARY, driver="assistant")["structuredContent"][
        "agent_id"
    ]
    server.call(ALICE, "notte_workflow_code", id=session, save_as=FLOW, wait_seconds=0)
    run = server.call(ALICE, "notte_run_workflow", name=FLOW, wait_seconds=30)["structuredContent"]["run_id"]
    script = f"notte://sessions/{session}/workflow/playwright"
    cursor = re.search(r"p[0-9a-f]{16}\.\d+", text(server.call(ALICE, "notte_read", uri=script, max_tokens=100)))
    files = server.state / "principals" / "alice" / "sessions" / session / "files"
    files.mkdir(exist_ok=True, mode=0o700)
    (files / "canary.txt").write_text(CANARY, encoding="utf-8")
    assert cursor is not None
    return {"session": session, "agent": agent, "run": run, "flow": FLOW, "file": "canary.txt", "cursor": cursor[0]}


def cases(server: Served, hers: dict[str, str]) -> Iterator[Case]:
    """Every tool by every parameter that says whom, and every template by what can stand in it."""
    uris = list(_uris(server, hers))
    yield from (Case("resources/read", {"uri": a}, {"uri": b}) for a, b in uris)
    values = {
        "session_id": [(hers[kind], ABSENT[kind]) for kind in ("session", "agent")],
        "id": [(hers[kind], ABSENT[kind]) for kind in ("session", "agent", "run")],
        "agent_id": [(hers["agent"], ABSENT["agent"])],
        "name": [(hers["flow"], ABSENT["flow"])],
        "cursor": [(hers["cursor"], ABSENT["cursor"])],
        "uri": uris,
    }
    for tool in server.modern(BOB, "tools/list")["result"]["tools"]:
        found = WHOM & tool["inputSchema"]["properties"].keys()
        assert found, tool["name"]
        for name in found:
            needed = (
                {"uri": f"notte://sessions/{ABSENT['session']}"}
                if tool["name"] == "notte_read"
                else NEEDED.get(tool["name"], {})
            )
            for a, b in values[name]:
                calls = [{"name": tool["name"], "arguments": {**needed, name: one}} for one in (a, b)]
                yield Case("tools/call", calls[0], calls[1])
    more: dict[str, dict[str, Any]] = {"get": {}, "cancel": {}, "update": {"inputResponses": {}}}
    for verb, rest in more.items():
        yield Case(f"tasks/{verb}", {"taskId": hers["agent"], **rest}, {"taskId": ABSENT["agent"], **rest})


def _uris(server: Served, hers: dict[str, str]) -> Iterator[tuple[str, str]]:
    for template in server.modern(BOB, "resources/templates/list")["result"]["resourceTemplates"]:
        given = template["uriTemplate"].replace("{target}", "json").replace("{n}", "1")
        given = re.sub(r"\{\?[a-z,]+\}", "", given)
        kind = {"sessions": "session", "agents": "agent", "runs": "run", "workflows": "flow"}[given.split("/")[2]]
        first = "{name}" if kind == "flow" else "{id}"
        theirs, nobodys = (given.replace(first, one[kind], 1) for one in (hers, ABSENT))
        yield theirs.replace("{name}", hers["file"]), nobodys.replace("{name}", ABSENT["file"])
        assert "{" not in theirs.replace("{name}", "")


class Asker:
    """One principal in one era, whose requests all have the same JSON-RPC id."""

    def __init__(self, server: Served, client: httpx.AsyncClient, token: str, session: str | None) -> None:
        self._server = server
        self._client = client
        self._session = session
        self._token = token

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("name") or params.get("uri") or params.get("taskId") or ""
        era = "2026-07-28" if self._session is None else "2025-11-25"
        # Tasks are declared by each request.
        known: dict[str, Any] = {
            **ENVELOPE,
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
        }
        routing = {"Mcp-Method": method, **({"Mcp-Name": name} if name else {})}
        headers = {
            **HEADERS,
            **bearer(self._token),
            "MCP-Protocol-Version": era,
            **(routing if self._session is None else {"Mcp-Session-Id": self._session}),
        }
        body: Any = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": {**params, **({"_meta": known} if self._session is None else {})},
        }
        return message_of(await self._client.post(self._server.url, json=body, headers=headers))


@pytest.mark.parametrize("era", ["2026", "2025"])
async def test_what_is_anothers_is_answered_as_what_is_not_there(
    server: Served, hers: dict[str, str], era: str
) -> None:
    """At the same time, with the same JSON-RPC ids, while its owner asks for it too."""
    old = era == "2025"
    async with httpx.AsyncClient(timeout=60) as client:
        alice = Asker(server, client, ALICE, server.begun(ALICE) if old else None)
        bob, again = (Asker(server, client, BOB, server.begun(BOB) if old else None) for _ in range(2))
        tried = 0
        for case in cases(server, hers):
            if old and case.method.startswith("tasks/"):
                continue
            got = await _at_once(
                lambda case=case: alice.ask(*_own(case, hers)),
                lambda case=case: bob.ask(case.method, case.theirs),
                lambda case=case: again.ask(case.method, case.nobodys),
            )
            foreign, absent = (_neutral(one, hers) for one in got[1:])
            assert foreign == absent, case
            assert CANARY not in foreign
            assert "error" in foreign or '"isError": true' in foreign, case
            assert hers["session"] in json.dumps(got[0]), case  # hers is hers meanwhile
            tried += 1
    assert tried >= (34 if old else 37)


def _own(case: Case, hers: dict[str, str]) -> tuple[str, dict[str, Any]]:
    del case
    return "resources/read", {"uri": f"notte://sessions/{hers['session']}"}


async def _at_once(*asks: Any) -> list[dict[str, Any]]:
    answers: dict[int, dict[str, Any]] = {}

    async def ask(number: int, what: Any) -> None:
        answers[number] = await what()

    async with anyio.create_task_group() as group:
        for number, what in enumerate(asks):
            group.start_soon(ask, number, what)
    return [answers[number] for number in range(len(asks))]


def _neutral(message: dict[str, Any], hers: dict[str, str]) -> str:
    """An answer without what was asked about, which it may repeat."""
    said = json.dumps(message)
    for kind, value in [*hers.items(), *ABSENT.items()]:
        said = said.replace(value, kind)
    return said


async def test_lists_and_completions_hold_ones_own_alone(server: Served, hers: dict[str, str]) -> None:
    """No ids, no counts."""
    listed = [
        server.modern(BOB, "resources/read", uri=f"notte://{kind}") for kind in ("sessions", "agents", "workflows")
    ]
    listed.append(server.call(BOB, "notte_status"))
    for template, argument in (
        ("notte://sessions/{id}", "id"),
        ("notte://agents/{id}", "id"),
        ("notte://runs/{id}", "id"),
        ("notte://workflows/{name}", "name"),
    ):
        asked = {"ref": {"type": "ref/resource", "uri": template}, "argument": {"name": argument, "value": ""}}
        theirs = server.modern(ALICE, "completion/complete", **asked)["result"]["completion"]["values"]
        assert theirs
        listed.append(server.modern(BOB, "completion/complete", **asked))
        assert listed[-1]["result"]["completion"]["values"] == []
    said = json.dumps(listed)

    assert not [value for value in (*hers.values(), CANARY) if value in said]


async def test_a_request_id_is_ones_own(server: Served, hers: dict[str, str]) -> None:
    """With the arguments of another's call: one's own answer, and no conflict with hers."""
    asked: dict[str, Any] = {"url": FORM, "request_id": "the-same"}
    theirs = server.call(ALICE, "notte_start", **asked)["structuredContent"]["session_id"]
    mine = server.call(BOB, "notte_start", **asked)["structuredContent"]["session_id"]
    again = server.call(BOB, "notte_start", **asked)["structuredContent"]["session_id"]
    server.call(BOB, "notte_stop", id=mine)

    assert (mine != theirs, again) == (True, mine)


async def test_a_protocol_session_of_another_is_not_there(server: Served) -> None:
    """2025-11-25: the id is bound to whose token made it; it cannot be used, listened to, or ended."""
    theirs, absent = server.begun(ALICE), "0" * 32

    def told(method: str, session: str) -> tuple[int, str]:
        headers = {**HEADERS, **bearer(BOB), "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        body: Any = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}} if method == "POST" else None
        answer = CALLER.request(method, server.url, json=body, headers=headers)
        return answer.status_code, answer.text

    for method in ("POST", "GET", "DELETE"):
        assert told(method, theirs) == told(method, absent)
        assert told(method, theirs)[0] == 404
    mine = {"Mcp-Session-Id": theirs, "MCP-Protocol-Version": "2025-11-25"}
    assert server.post({"jsonrpc": "2.0", "id": 2, "method": "ping"}, token=ALICE, **mine).status_code == 200
    assert (
        server.post(
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}, token=BOB, **mine
        ).status_code
        == 404
    )


async def test_news_of_another_do_not_arrive(server: Served, hers: dict[str, str]) -> None:
    """Asked for by its very address; one's own do."""
    uris = [f"notte://sessions/{hers['session']}", "notte://sessions"]
    async with server.client(BOB, "auto") as client, client.listen(resource_subscriptions=uris) as events:
        server.call(ALICE, "notte_execute", session_id=hers["session"], actions=[{"type": "reload"}])
        mine = server.call(BOB, "notte_start", url=FORM)["structuredContent"]["session_id"]
        with anyio.fail_after(20):
            first = await anext(aiter(events))
        assert getattr(first, "uri", None) == "notte://sessions"
        server.call(BOB, "notte_stop", id=mine)
    async with server.client(BOB, "auto") as client, client.listen(resource_subscriptions=uris[:1]) as events:
        server.call(ALICE, "notte_execute", session_id=hers["session"], actions=[{"type": "reload"}])
        with anyio.move_on_after(1) as silence:
            await anext(aiter(events))
    assert silence.cancelled_caught


async def test_each_has_a_folder_of_its_own_that_nobody_else_may_open(server: Served, hers: dict[str, str]) -> None:
    """The files of named principals lie below the state folder, closed as it is."""
    server.call(BOB, "notte_status")
    folder = server.state / "principals"
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}

    assert modes == {"principals": 0o700, "alice": 0o700, "bob": 0o700}
    assert CANARY.encode() in (folder / "alice" / "notte-mcp.sqlite").read_bytes()
    assert CANARY.encode() not in (folder / "bob" / "notte-mcp.sqlite").read_bytes()
    assert not (server.state / "notte-mcp.sqlite").exists()


async def test_a_named_principal_gets_nothing_of_the_owners(tmp_path: Path) -> None:
    """No secret of the environment, no plan of a model out of a file, no folder of his."""
    tokens = {"http_tokens": {"alice": ALICE, OWNER: BOB}}
    own = Settings.read({"state_dir": str(tmp_path), **tokens}, environ={})
    assert own.database.parent == tmp_path  # looked at before it is copied
    named = settings_of(own)["alice"]
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(["anything"]), encoding="utf-8")

    assert (named.for_others, named.database.parent) == (True, tmp_path / "principals" / "alice")
    assert settings_of(own)[OWNER] is own
    assert Shelf(Access()).named(f"scripted:{plan}").name
    async with open_app(named, engines={"local": ScriptedEngine({})}) as app:
        assert app.runs._place.secrets() == {}
        with pytest.raises(ModelUnknown, match="the server's own"):
            app.models.named(f"scripted:{plan}")


async def test_what_is_too_old_goes_though_nobody_asks_for_it(tmp_path: Path) -> None:
    """Of a principal whose App is closed, at the server's start; what is younger stays."""
    folder = tmp_path / "principals" / "alice"
    old, young = (
        SessionRecord(new_session_id(), "own_gone", "stopped", SessionSpec(), at, at) for at in (1.0, time.time())
    )
    for record in (old, young):
        (folder / "sessions" / record.id).mkdir(parents=True)
    store = await SqlStore.open(folder / "notte-mcp.sqlite")
    for record in (old, young):
        await store.put_session(record)
    await store.close()
    await sweep_old(Settings(state_dir=tmp_path))

    store = await SqlStore.open(folder / "notte-mcp.sqlite")
    assert await store.sessions() == [young]
    assert [path.name for path in (folder / "sessions").iterdir()] == [young.id]
    await store.close()


async def test_principals_share_the_places_of_their_machine_and_learn_no_more_than_how_many(tmp_path: Path) -> None:
    """What one gives back the other has."""
    places = Places.of(sessions=1, agents=1)
    one, two = (Settings(state_dir=tmp_path / name) for name in ("one", "two"))
    async with (
        open_app(one, engines={"local": ScriptedEngine({})}, places=places) as mine,
        open_app(two, engines={"local": ScriptedEngine({})}, places=places) as theirs,
    ):
        held, _ = await theirs.registry.open(SessionSpec())
        with pytest.raises(LimitReached, match="at most 1 sessions at once; live now: 1 of other users") as refused:
            await mine.registry.open(SessionSpec())
        assert held.id not in str(refused.value)
        await theirs.registry.stop(held.id)
        assert (await mine.registry.open(SessionSpec()))[0].state == "ready"
