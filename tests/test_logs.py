import json
import logging
from collections.abc import Callable

import pytest

from notte_mcp import logs
from notte_mcp.logs import Log, redact


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the logs wrote to stderr since this was last asked."""
    monkeypatch.setattr(logs._State, "logger", None)
    monkeypatch.setattr(logs._State, "threshold", 0)
    return lambda: capsys.readouterr().err


def test_an_event_is_one_json_line(written: Callable[[], str]) -> None:
    """Structlog to stderr."""
    Log("tests").info("session.opened", session="ses_1")

    line = json.loads(written())
    assert (line["event"], line["log"], line["level"], line["session"]) == ("session.opened", "tests", "info", "ses_1")


def test_below_the_level_nothing_is_written(written: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: the default is `warning`."""
    monkeypatch.setattr(logs._State, "threshold", 30)

    Log("tests").info("session.opened")

    assert written() == ""


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "db_password",
        "api_key",
        "apikey",
        "token",
        "auth_token",
        "Authorization",
        "cookie",
        "cookies",
        "client_secret",
        "otp",
    ],
)
def test_what_a_key_calls_secret_is_withheld(key: str, written: Callable[[], str]) -> None:
    """P9: at any depth."""
    Log("tests").warning("thing.seen", **{key: "geheim"}, nested={key: "geheim"})

    line = written()
    assert "geheim" not in line
    assert line.count(logs.WITHHELD) == 2


@pytest.mark.parametrize("key", ["max_tokens", "tokens", "url", "session"])
def test_other_keys_are_kept(key: str) -> None:
    """Ours: a budget is no secret."""
    assert redact({key: "x"}) == {key: "x"}


def test_a_user_in_a_url_is_withheld() -> None:
    """P9: proxies come with their passwords."""
    assert redact({"proxy": "http://ada:geheim@proxy:1"}) == {"proxy": f"http://{logs.WITHHELD}@proxy:1"}


def test_an_exception_comes_with_its_traceback(written: Callable[[], str]) -> None:
    """Ours: incidents are looked up here."""
    try:
        int("why")
    except ValueError:
        Log("tests").exception("thing.broke")

    assert "ValueError: invalid literal" in json.loads(written())["exception"]


def test_what_libraries_log_takes_the_same_way(written: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: one form on stderr, and nothing below `warning` from them."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    try:
        logs.configure("debug")
        logging.getLogger("mcp.server").info("arguments %r", {"value": "geheim"})
        logging.getLogger("mcp.server").warning("odd %s", "thing")
    finally:
        root.handlers[:], level = before
        root.setLevel(level)

    line = json.loads(written())
    assert (line["event"], line["log"], line["level"]) == ("odd thing", "mcp.server", "warning")
