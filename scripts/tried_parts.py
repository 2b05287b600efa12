"""The parts of docs/tried.md: what is tried, in order. `tried.py` runs them and writes them down."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scripts.tried import Tour


async def main_job(paper: "Tour") -> None:
    """Start, fill a form in one call, read the result, take the script, look at the record."""
    paper.section("The main job")
    await paper.call("notte_status", "Nothing is live yet.")
    await paper.call("notte_start", "Open a page.", url=paper.site.url("/form.html"))
    name, mail, code = paper.id("Applicant"), paper.id("E-mail"), paper.id("Access code")
    district, kind, terms, send = (
        paper.id("District"),
        paper.id("New"),
        paper.id("I accept the terms"),
        paper.id("Send request"),
    )
    await paper.act(
        "Fill seven fields and send, in one call.",
        {"type": "fill", "id": name, "value": "Ada Lovelace"}, {"type": "fill", "id": mail, "value": "ada@example.org"},
        {"type": "fill", "id": code, "value": "open sesame"}, {"type": "select_dropdown_option", "id": district, "value": "North"},
        {"type": "check", "id": kind}, {"type": "check", "id": terms}, {"type": "click", "id": send},
    )  # fmt: skip
    for target in ("playwright", "notte", "json"):
        await paper.call("notte_workflow_code", f"The script, target `{target}`.", target=target)
    await paper.call("notte_status", "The record.", id=await _session(paper))


async def _session(paper: "Tour") -> str:
    result = await paper.client.call_tool("notte_status", {})
    facts: dict[str, Any] = result.structured_content or {}
    return str(facts["sessions"][0]["session_id"])


async def observing(paper: "Tour") -> None:
    """Modes, find, cursor, budget, hidden text, names, changes."""
    paper.section("Observing")
    await paper.open("/controls.html", "Every native control.")
    await paper.open("/products/1000", "A thousand products, under the budget.")
    await paper.call("notte_observe", "Any of them by `find`.", find="product 777", max_tokens=300)
    await paper.call("notte_observe", "Or by cursor.", max_tokens=200)
    cursor = paper.last.split("cursor ")[1].split(",")[0]
    await paper.call("notte_observe", "It continues.", cursor=cursor, max_tokens=200)
    await paper.open("/clickables.html", "What only a pointer cursor or a listener makes clickable.")
    await paper.open("/hidden.html", "Nothing hidden: no word that starts with CANARY.")
    await paper.call("notte_observe", "Nor in the text of the page.", mode="page")
    await paper.open("/unicode.html", "No control, bidi or tag characters.")
    await paper.call("notte_observe", "A picture with the ids drawn on it.", screenshot=True, mode="changes")


async def acting(paper: "Tour") -> None:
    """Covered, disabled, dialogs, tabs, history, drags."""
    paper.section("Acting")
    await paper.open("/covered.html")
    for name in ("Covered for 600 ms", "Covered for good", "Enabled after 500 ms", "Moving for 1.2 s"):
        await paper.act(f"`{name}`.", {"type": "click", "selector": f'role=button[name="{name}"]'})
    await paper.open("/dialogs.html")
    confirm = paper.id("Confirm")
    await paper.act("A dialog is dismissed and told.", {"type": "click", "id": confirm})
    await paper.act(
        "Or answered as armed.", {"type": "handle_dialog", "value": "accept"}, {"type": "click", "id": confirm}
    )
    await paper.open("/tabs.html")
    await paper.act("A new tab becomes the current one.", {"type": "click", "id": paper.id("Form in a new tab")})
    await paper.act(
        "Back to the first.",
        {"type": "switch_tab", "tab_index": 0},
        {"type": "goto", "url": paper.site.url("/late.html")},
        {"type": "go_back"},
    )
    await paper.open("/stubborn.html", "Fields that ignore, mask, clear or replace what is typed.")
    fields = [word for word in paper.last.split() if word[0] == "I" and word[1:].isdigit()]
    await paper.act(
        "What they really hold is told.",
        *({"type": "fill", "id": i, "value": "1234567"} for i in fields[:6]),
        on_error="continue",
    )


async def waiting(paper: "Tour") -> None:
    """wait_for, a condition that does not come, and content behind timers."""
    paper.section("Waiting")
    await paper.open("/late.html")
    await paper.act(
        "Content that comes 400 ms after the click.", {"type": "click", "id": paper.id("Search flights")},
        {"type": "wait_for", "value": "Book the first", "timeout_ms": 3000},
    )  # fmt: skip
    await paper.act(
        "And another 150 ms after a click on it.", {"type": "click", "id": paper.id("Book the first")},
        {"type": "wait_for", "value": "booked", "timeout_ms": 3000},
    )  # fmt: skip
    await paper.act("A condition that does not come.", {"type": "wait_for", "value": "never shown", "timeout_ms": 300})
    await paper.call(
        "notte_status", "Waiting for the next step comes back by itself.", id=await _session(paper), wait_seconds=1
    )


async def frames(paper: "Tour") -> None:
    """Frames of the same and of other origins, shadow roots."""
    paper.section("Frames and shadow roots")
    await paper.open("/frames.html", "Frames of the same origin, another origin, another site, nested and sandboxed.")
    await paper.open("/shadow.html", "Open shadow roots.")


async def files(paper: "Tour") -> None:
    """Downloads, uploads and the session's files."""
    paper.section("Files")
    await paper.open("/downloads.html")
    await paper.act("A download lands under the session's files.", {"type": "download_file", "id": paper.id("Report")})
    await paper.act("Whatever its name was.", {"type": "download_file", "id": paper.id("Path upwards")})
    session = await _session(paper)
    await paper.call("notte_read", "What there is.", uri=f"notte://sessions/{session}/files")
    await paper.open("/uploads.html")
    document = paper.id("Document")
    await paper.act(
        "A file of the session may be uploaded.", {"type": "upload_file", "id": document, "path": "report.csv"}
    )
    await paper.act("No other.", {"type": "upload_file", "id": document, "path": "/etc/passwd"})


async def secrets(paper: "Tour") -> None:
    """A password is typed and stands nowhere."""
    paper.section("Secrets", "The value typed is `sesame-9`; it is in none of these answers.")
    await paper.open("/login.html")
    await paper.act("Typed.", {"type": "fill", "id": paper.id("Password"), "value": "sesame-9"})
    await paper.act(
        "Scripts are off from here on.",
        {"type": "evaluate_js", "code": "document.querySelector('[type=password]').value"},
    )
    await paper.call(
        "notte_workflow_code", "The script reads it from the environment.", target="playwright", max_tokens=400
    )


async def reading(paper: "Tour") -> None:
    """Scraping, the step log, the guide."""
    paper.section("Reading")
    await paper.open("/article.html")
    await paper.call("notte_scrape", "Markdown of the main content.", max_tokens=600)
    session = await _session(paper)
    await paper.call("notte_read", "The step log.", uri=f"notte://sessions/{session}/steps", max_tokens=600)
    await paper.call("notte_read", "The guide.", uri="notte://guide", max_tokens=400)


async def bad_input(paper: "Tour") -> None:
    """Every slip gets its own error, and none ends the server or the session."""
    paper.section("Bad input")
    await paper.open("/products/3")
    old = paper.id("Add to cart")
    await paper.act("A selector that matches several.", {"type": "click", "selector": "button"})
    await paper.call("notte_observe", "Unknown argument.", sesion_id="x")
    await paper.act("Unknown field of an action.", {"type": "click", "id": old, "force": True})
    await paper.act("Unknown type.", {"type": "clikc", "id": old})
    await paper.act("An id that was never observed.", {"type": "click", "id": "B9999"})
    await paper.open("/late.html")
    await paper.act("A stale id.", {"type": "click", "id": old})
    await paper.act("A selector that matches none.", {"type": "click", "selector": "#nothing"})
    await paper.act("No selector at all.", {"type": "click", "selector": "///["})
    for url in ("file:///etc/passwd", "javascript:alert(1)", "chrome://version"):
        await paper.act("An unsupported scheme.", {"type": "goto", "url": url})
    await paper.act("A host that does not resolve.", {"type": "goto", "url": "http://no-such-host.invalid/"})
    await paper.act("A port where nobody listens.", {"type": "goto", "url": f"http://127.0.0.1:{_free_port()}/"})
    await paper.call("notte_observe", "An unknown session.", session_id="ses_00000000000000000000000000")
    await paper.call("notte_observe", "An expired cursor.", cursor="c999")
    await paper.call("notte_start", "An unknown key inside `session`.", session={"headles": True})
    await paper.call("notte_stop", "Stop what?")
    await paper.call("notte_observe", "And the session is as it was.", max_tokens=200)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def restart(paper: "Tour") -> None:
    """A new server over the same state."""
    paper.section("After a restart")
    session = await _session(paper)
    await paper.call("notte_status", "The session of the server that ended.")
    await paper.call("notte_observe", "It has no browser.", session_id=session)
    await paper.call("notte_start", "It is restored by asking.", session_id=session)
    await paper.call("notte_stop", "And stopped.", id=session)
    await paper.call("notte_observe", "A stopped session is told as such.", session_id=session)


async def broken_machines(paper: "Tour", folder: Path) -> None:
    """No browser, no folder, a newer database."""
    from scripts.paper import server

    paper.section("Broken machines")
    async with server(folder / "a", "--browser", "/nowhere/chromium") as client:
        paper.turn_to(client)
        await paper.call("notte_start", "A Chromium that is not there.", url=paper.site.url("/form.html"))
    blocked = folder / "file"
    blocked.write_text("")
    async with server(blocked / "state") as client:
        paper.turn_to(client)
        await paper.call("notte_start", "A state folder that cannot be made.", url=paper.site.url("/form.html"))
    newer = folder / "newer"
    newer.mkdir(mode=0o700)
    with closing(sqlite3.connect(newer / "notte-mcp.sqlite")) as database:
        database.execute("PRAGMA user_version = 999")
    async with server(newer) as client:
        paper.turn_to(client)
        await paper.call("notte_start", "A database of a newer version.", url=paper.site.url("/form.html"))
