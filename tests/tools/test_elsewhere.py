"""What the cloud alone has of a session: its own script as it is read here, and what is said where there is none."""

import ast
import json

import pytest

from notte_mcp.resources.elsewhere import OURS, without_ours
from tests.tools.conftest import FORM, Host

THEIR_SCRIPT = f"""\
from notte_sdk import NotteClient

def run():
    with NotteClient().Session() as session:
        session.execute(type="goto", url="https://shop.test")
        session.execute(type="evaluate_js", code={f"{OURS} (() => 1)()"!r})
        session.execute(
            type="evaluate_js",
            code="document.title",
        )
        read = session.execute(type="evaluate_js",
                               code=({f"{OURS} probe"!r}
                                     " of two lines"))
        return read.data
"""


def test_scripts_of_ours_are_left_out_of_theirs_with_what_only_tells_of_them() -> None:
    """What a caller ran stays; what is left is still a program."""
    found = without_ours(THEIR_SCRIPT)

    assert OURS not in found
    assert "document.title" in found
    assert "read" not in found
    assert 'url="https://shop.test"' in found
    ast.parse(found)


def test_a_block_of_ours_alone_stays_a_block() -> None:
    """A `with` needs something in it."""
    found = without_ours(f"with session:\n    session.execute(code={OURS!r})\n")

    assert found == "with session:\n    pass\n"


def test_what_is_no_python_is_given_as_it_is() -> None:
    """It is read by people and models, and run by nobody here."""
    assert without_ours("session.execute(") == "session.execute("


@pytest.mark.anyio
async def test_of_a_session_of_this_machine_cookies_are_named_and_the_rest_is_refused_in_words(host: Host) -> None:
    """No value of a cookie is told; what only the cloud has says what there is instead."""
    session = (await host.facts("notte_start", url=FORM))["session_id"]
    folder = host.settings.state_dir / "sessions" / session
    cookie = {"name": "sid", "value": "geheim-1234", "domain": "shop.test", "path": "/", "expires": 1_900_000_000}
    (folder / "state.json").write_text(json.dumps({"cookies": [cookie], "origins": []}), encoding="utf-8")

    said = await host.text("notte_read", uri=f"notte://sessions/{session}/cookies")
    assert json.loads(said)["cookies"] == [{name: cookie[name] for name in ("name", "domain", "path", "expires")}]
    assert "geheim-1234" not in said
    network = await host.refusal("notte_read", uri=f"notte://sessions/{session}/network")
    assert "of cloud sessions alone" in network
    assert "each step tells the requests that failed" in network
    script = await host.refusal("notte_read", uri=f"notte://sessions/{session}/workflow/notte.cloud")
    assert "notte_workflow_code" in script
    assert "engine_code" not in await host.facts("notte_workflow_code", id=session)
