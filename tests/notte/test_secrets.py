"""The key and the viewers' tokens: in no record, no file and no log line of a server that used them."""

from pathlib import Path
from urllib.parse import parse_qs

import anyio
import pytest
from pydantic import SecretStr

from notte_mcp import actions as a
from notte_mcp import logs
from notte_mcp.agent_records import AgentSpec
from notte_mcp.app import open_app
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings
from tests.api.desk import FORM, desk
from tests.notte.proxy import Reply, proxy

pytestmark = pytest.mark.anyio

NOTTE = SessionSpec(engine="notte", record=False)


@pytest.fixture
def every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is logged is written, to where this test reads it."""
    monkeypatch.setattr(logs._State, "logger", None)
    monkeypatch.setattr(logs._State, "threshold", 0)


async def test_a_server_keeps_neither_the_key_nor_a_token(
    tmp_path: Path, every_line: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session, its errors, a hosted agent whose log is followed with a token: all of it is on disk, but those."""
    async with desk(tmp_path) as office, proxy(office.api.url) as between:
        key, state = office.api.key, tmp_path / "ours"
        given = Settings(state_dir=state, notte_api_key=SecretStr(key), notte_api_url=between.url)
        echo = {"detail": f"you sent Bearer {key} for wss://x?token=viewer-token-9"}
        async with open_app(given) as app:
            record, _ = await app.registry.open(NOTTE)
            async with app.registry.use(record.id) as live:
                await live.execute([a.Goto(url=FORM)], deadline_s=30)
                between.on("POST", "*/page/execute", Reply(400, echo), has=b'"type":"fill"')
                done = await live.execute([a.Fill(selector="#applicant", value="Ada")], deadline_s=30)
            spec = AgentSpec("Send the form.", "notte", NOTTE, url=FORM, max_steps=5)
            agent = await app.agents.start(spec, session_id=record.id)
            with anyio.fail_after(30):
                ended = await app.agents.wait(agent.id, seconds=30)
        tokens = {token for one in between.seen for token in parse_qs(one.query).get("token", [])}
    told = capsys.readouterr()
    assert (ended.state, bool(tokens)) == ("completed", True)
    kept = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert record.remote_id.encode() in kept
    assert "agent.ended" in told.err
    for secret in (key, "viewer-token-9", *tokens):
        assert secret.encode() not in kept
        assert secret not in told.out + told.err + str(done) + str(ended)
