"""What a person writes into the address bar, and where it leads; no browser is needed."""

from pathlib import Path

import anyio
import pytest

from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.viewer.addresses import meant, shown
from tests.tools.conftest import FORM, pages
from tests.viewer.viewing import viewing


@pytest.mark.parametrize(
    "near",
    ["localhost:3000", "127.0.0.1:8931/second.html", "127.1", "[::1]:80/", "192.168.1.1", "10.0.0.7/a", "172.16.3.4:1",
     "app.localhost/x", "printer.local", "nas", "nas:5000?a=b", "169.254.1.1", "0.0.0.0:8000"],
)  # fmt: skip
def test_what_is_near_is_opened_without_tls(near: str) -> None:
    assert meant(f" {near} ") == (f"http://{near}",)


@pytest.mark.parametrize(
    "far", ["example.org", "example.org:8443/a", "8.8.8.8", "1.example.org", "10.0.0.7.example.org"]
)
def test_what_is_far_is_tried_with_tls_first(far: str) -> None:
    assert meant(far) == (f"https://{far}", f"http://{far}")


def test_what_has_a_scheme_is_what_it_says() -> None:
    """Nor is the browser's error page an address."""
    assert meant("http://example.org") == ("http://example.org",)
    assert meant("about:blank") == ("about:blank",)
    assert (shown("chrome-error://chromewebdata/"), shown("https://a.example/")) == ("", "https://a.example/")


@pytest.mark.anyio
async def test_where_nobody_speaks_tls_it_is_opened_without_and_that_is_told(tmp_path: Path) -> None:
    """Only where the person named no scheme."""
    async with viewing(tmp_path, None, {"local": ScriptedEngine(pages(anyio.Event()))}) as one:
        session_id = await one.session(FORM)
        token = await one.admitted(session_id)
        await one.act(session_id, token, do="take_over")
        found = await one.act(session_id, token, do="goto", url=FORM.removeprefix("http://"))
        assert found["ok"]
        assert "http://" in found["brought"]
        asked = await one.act(session_id, token, do="goto", url=FORM.replace("http://", "https://"))
        assert not asked["ok"]
        absent = await one.act(session_id, token, do="goto", url="absent.example/")
        assert "Nor did it over http://" in absent["message"]
