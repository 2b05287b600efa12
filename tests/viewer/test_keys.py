"""Who is let in at the live view, and for what: keys, the code, tokens to act, names and origins; no browser is needed."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from notte_mcp.actions import Reload
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.http.refusals import Refusal
from notte_mcp.state_folder import StateFolder
from notte_mcp.tools.accounts import agent_next
from notte_mcp.viewer import commands, people
from notte_mcp.viewer.admission import LOCKED_S, MAX_WRONG, Admission
from notte_mcp.viewer.keys import Keys
from notte_mcp.viewer.viewer import Viewer
from tests.tools.conftest import FORM, pages
from tests.viewer.viewing import Viewing, viewing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncGenerator[Viewing]:
    async with viewing(tmp_path, None, {"local": ScriptedEngine(pages(anyio.Event()))}) as one:
        yield one


async def test_the_page_is_the_same_for_everybody_and_holds_nothing(shown: Viewing) -> None:
    """What it shows comes with a key that no request for a page carries; no other page may frame it or run in it."""
    session_id = await shown.session(FORM)
    async with shown.asker() as client:
        one, other = await client.get(f"/{session_id}"), await client.get(f"/ses_{'0' * 26}")
        files = [await client.get(path) for path in ("/page/page.js", "/page/dom.js", "/page/tokens.css")]
        absent = await client.get("/ses_none"), await client.get("/"), await client.get("/page/../keys.py")
    assert one.content == other.content
    assert session_id not in one.text
    policy = one.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    expected = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
    assert expected.items() <= dict(one.headers).items()
    assert [file.status_code for file in files] == [200] * 3
    assert [answer.status_code for answer in absent] == [404] * 3


async def test_a_key_shows_its_own_session_and_acts_in_none(shown: Viewing) -> None:
    """Nobody without it, nobody with another session's; who has it may look, and is told what acting needs."""
    mine, theirs = await shown.session(FORM), await shown.session(FORM)
    keys = shown.viewer.keys
    for token in (None, "x" * 32, keys.of(theirs), keys.of_all, keys.code):
        async with shown.asker(token) as client:
            assert (await client.get(f"/api/{mine}/stream")).status_code == 401, token
            assert (await client.post(f"/api/{mine}/act", json={"do": "take_over"})).status_code == 401, token
            assert (await client.post(f"/api/{mine}/control", json={"code": keys.code})).status_code == 401, token
    async with shown.asker(keys.of(mine)) as client:
        refused = await client.post(f"/api/{mine}/act", json={"do": "take_over"})
        in_address = await client.get(f"/api/{mine}/stream?key={keys.of(mine)}", headers={"authorization": ""})
    assert (refused.status_code, refused.json()["error"]) == (403, "view_only")
    assert in_address.status_code == 401
    assert not shown.app.registry.is_taken(mine)
    async with shown.stream(mine) as messages:
        assert "session" in await anext(messages)


async def test_another_name_or_origin_is_refused_before_any_key_is_looked_at(shown: Viewing) -> None:
    """DNS rebinding, and pages of others in the person's own browser."""
    session_id = await shown.session(FORM)
    key = shown.viewer.keys.of(session_id)
    async with shown.asker(key) as client:
        for host in ("evil.example", f"evil.example:{shown.viewer.port}", "127.0.0.1"):
            assert (await client.get(f"/{session_id}", headers={"host": host})).status_code == 421
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            answer = await client.post(f"/api/{session_id}/control", json={}, headers={"origin": origin})
            assert answer.status_code == 403
        form = {"content-type": "text/plain"}
        assert (await client.post(f"/api/{session_id}/control", content=b"{}", headers=form)).status_code == 415


async def test_the_code_gives_a_token_for_one_session_which_ends_with_it(shown: Viewing) -> None:
    """A token is no key to another session, and a session that is over cannot be acted in."""
    mine, theirs = await shown.session(FORM), await shown.session(FORM)
    token = await shown.admitted(mine)
    assert (await shown.act(theirs, token, do="take_over"))["error"] == "no_key"
    assert (await shown.act(mine, token, do="take_over"))["ok"]
    assert shown.app.registry.is_taken(mine)
    await shown.app.registry.stop(mine)
    over = await shown.act(mine, token, do="goto", url=FORM)
    assert not over.get("ok")
    assert over["message"]


async def test_few_codes_may_be_wrong_and_then_none_is_looked_at(shown: Viewing) -> None:
    """Said in words; not even the right one tells anything while it is locked."""
    session_id = await shown.session(FORM)
    async with shown.asker(shown.viewer.keys.of(session_id)) as client:
        tries = [await client.post(f"/api/{session_id}/control", json={"code": "AAAA-AAAA"}) for _ in range(MAX_WRONG)]
        right = await client.post(f"/api/{session_id}/control", json={"code": shown.viewer.keys.code})
    assert [answer.status_code for answer in tries] == [403] * (MAX_WRONG - 1) + [429]
    assert right.status_code == 429
    assert "seconds" in right.json()["message"]
    assert "token" not in right.json()


def test_the_lock_opens_by_itself_and_a_code_may_be_written_in_any_way() -> None:
    """People read it aloud; wrong ones that are far apart do not add up."""
    now, keys = [1_000.0], Keys(b"secret")
    door = Admission(keys, lambda: now[0])
    for _ in range(3 * MAX_WRONG):
        now[0] += 30
        assert isinstance(door.admit("ses_a", "wrong"), Refusal)
    token = door.admit("ses_a", f" {keys.code.lower().replace('-', ' ')} ")
    assert isinstance(token, str)
    assert door.admits("ses_a", token.encode())
    assert not door.admits("ses_b", token.encode())
    for _ in range(MAX_WRONG):
        door.admit("ses_a", "wrong")
    assert isinstance(door.admit("ses_a", keys.code), Refusal)
    now[0] += LOCKED_S
    assert isinstance(door.admit("ses_a", keys.code), str)
    door.forget(lambda _: False)
    assert not door.admits("ses_a", token.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"do": "evaluate_js", "code": "1"}', b'{"do": "click", "x": 1}', b'{"do": "click", "x": 1e400, "y": 1}',
        b'{"do": "stop"}', b'{"do": "key", "key": "rm -rf"}', b'{"do": "fill", "id": "I1; x", "value": "hidden-4711"}',
    ],
)  # fmt: skip
async def test_what_is_no_act_is_refused_and_not_repeated(shown: Viewing, body: bytes) -> None:
    """What was typed may be a secret."""
    session_id = await shown.session(FORM)
    token = await shown.admitted(session_id)
    async with shown.asker(token, **{"content-type": "application/json"}) as client:
        answer = await client.post(f"/api/{session_id}/act", content=body)
    assert answer.status_code == 400
    assert "hidden-4711" not in answer.text


async def test_so_many_may_look_and_one_more_is_told(shown: Viewing) -> None:
    """Each view costs frames."""
    session_id = await shown.session(FORM)
    async with AsyncExitStack() as held:
        views = [await held.enter_async_context(shown.stream(session_id)) for _ in range(people.MAX_VIEWS_EACH)]
        for messages in views:
            await anext(messages)
        async with shown.asker(shown.viewer.keys.of(session_id)) as client:
            answer = await client.get(f"/api/{session_id}/stream")
        assert (answer.status_code, answer.json()["error"]) == (503, "too_many_views")


async def test_the_secret_lies_where_its_person_alone_may_read_it_and_goes_with_the_server(tmp_path: Path) -> None:
    """`notte-mcp viewer` finds it there."""
    folder = StateFolder.open(tmp_path / "state")
    folder.note_view(4711, b"\x01\x02")
    noted = folder.run_dir / "view.json"
    assert noted.stat().st_mode & 0o777 == 0o600
    assert json.loads(noted.read_text())["port"] == 4711
    assert folder.views() == [(4711, b"\x01\x02")]
    folder.close()
    assert not noted.exists()


async def test_a_port_that_is_taken_is_another_one_then() -> None:
    first = Viewer.bind(0)
    assert first is not None
    second = Viewer.bind(first.port)
    assert second is not None
    assert second.port != first.port
    await first.close()
    await second.close()


async def test_the_list_is_for_who_can_read_the_secret(shown: Viewing) -> None:
    session_id = await shown.session(FORM)
    async with shown.asker(shown.viewer.keys.of_all) as client:
        told = (await client.get("/api/sessions")).json()["sessions"]
    assert [one["id"] for one in told] == [session_id]
    async with shown.asker(shown.viewer.keys.of(session_id)) as client:
        assert (await client.get("/api/sessions")).status_code == 401


async def test_the_command_tells_its_person_the_address_and_the_code(
    shown: Viewing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what is live; of what is not it says so."""
    session_id = await shown.session(FORM)
    asked = partial(commands.run, tmp_path, session_id, show=False)
    assert await anyio.to_thread.run_sync(asked) == 0
    told = capsys.readouterr().out
    assert shown.viewer.url(session_id) in told
    assert shown.viewer.keys.code in told
    await shown.app.registry.stop(session_id)
    assert await anyio.to_thread.run_sync(asked) == 1
    assert "not live" in capsys.readouterr().err


async def test_nothing_that_an_assistant_reads_holds_the_code(shown: Viewing) -> None:
    """The address shows, and no more."""
    session_id = await shown.session(FORM)
    url = shown.app.view_url(session_id)
    assert url == f"{shown.base}/{session_id}#{shown.viewer.keys.of(session_id)}"
    assert url is not None
    assert shown.viewer.keys.code not in url
    assert shown.viewer.secret.hex() not in url
    await shown.app.registry.stop(session_id)
    assert shown.app.view_url(session_id) is None


async def test_who_has_taken_over_and_went_away_has_given_back_and_the_agent_waits(
    shown: Viewing,
) -> None:
    """Whether the page is as it should be, nobody said: so the agent stays paused, view and status tell why, and who comes back lets it go on."""
    now = [0.0]
    here = people.People(lambda: now[0])
    gate = anyio.Event()
    agent = await shown.agent(FORM, {"actions": [{"type": "reload"}]}, gate=gate)
    with anyio.fail_after(10):
        while (await shown.app.agents.record(agent.id)).step_count < 1:
            await anyio.lowlevel.checkpoint()
    app, session_id = shown.app, agent.session_id
    await here.take_over(app, session_id, "a view")
    assert (await app.agents.record(agent.id)).state == "paused"
    with here.looking(session_id, "a view"):
        now[0] += 2 * people.GONE_S
        await here.look(app)
        assert app.registry.is_taken(session_id)
    now[0] += people.GONE_S + 1
    await here.look(app)
    assert not app.registry.is_taken(session_id)
    assert here.note(session_id) == people.WENT
    left = await app.agents.record(agent.id)
    assert (left.state, left.reason) == ("paused", "person_left")
    assert "went away" in agent_next(left, last_step=1)
    await here.take_over(app, session_id, "a view")
    assert here.note(session_id) == ""
    await here.give_back(app, session_id)
    gone_on = await app.agents.record(agent.id)
    assert (gone_on.state, gone_on.reason) == ("running", "")


async def test_a_reader_who_does_not_read_holds_up_nobody(shown: Viewing) -> None:
    """Frames are not queued for anybody."""
    session_id = await shown.session(FORM)
    async with shown.stream(session_id) as slow, shown.stream(session_id, "another") as quick:
        await anext(slow)
        async with shown.app.registry.use(session_id) as live:
            for _ in range(20):
                await live.execute([Reload()], deadline_s=5)
        with anyio.fail_after(10):
            async for message in quick:
                if any(line.get("number") == 21 for line in message.get("log", ())):
                    break
