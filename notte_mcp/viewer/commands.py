"""`notte-mcp viewer`: the addresses of what is live and the code to act there, for the person at the machine.

It reads the secrets of the live servers in the state folder, which nobody else may, and asks each what is live.

Below: keys, state_folder, httpx. Above: commands.
"""

import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from notte_mcp.errors import NotteMCPError
from notte_mcp.state_folder import StateFolder
from notte_mcp.viewer.keys import Keys

ANSWER_S: Final = 5.0
"""How long a server may take to say what is live in it."""

MAX_TITLE_CHARS: Final = 60

DONE: Final = 0
FAILED: Final = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A live session, and where it is shown."""

    session_id: str
    address: str
    code: str
    words: str


def run(state_dir: Path, session_id: str | None, *, show: bool) -> int:
    """Print them, or the one named; open it in the person's browser. Gives the exit code."""
    try:
        folder = StateFolder.open(state_dir)
        try:
            views = folder.views()
        finally:
            folder.close()
    except NotteMCPError as error:
        return _failed(str(error))
    found = [shown for port, secret in views for shown in _live(port, secret)]
    if session_id is not None:
        found = [shown for shown in found if shown.session_id == session_id]
    if not found:
        which = "This session is not live" if session_id else "No session is live"
        off = "" if views else " with a live view (is the setting `viewer` off?)"
        return _failed(f"{which} in {state_dir}{off}.")
    if show and len(found) > 1:
        return _failed(f"{len(found)} sessions are live: say which, `notte-mcp viewer ID --open`.\n{_listed(found)}")
    _say(_listed(found))
    if show:
        # The code goes along behind the #, and is taken out of the address by the page.
        webbrowser.open(f"{found[0].address}.{found[0].code}")
    return DONE


def _live(port: int, secret: bytes) -> list[Shown]:
    keys, base = Keys(secret), f"http://127.0.0.1:{port}"
    try:
        answer = httpx.get(
            f"{base}/api/sessions",
            headers={"authorization": f"Bearer {keys.of_all}"},
            timeout=ANSWER_S,
            trust_env=False,
        )
        told: list[dict[str, Any]] = answer.raise_for_status().json()["sessions"]
    except (httpx.HTTPError, ValueError, KeyError):
        return []  # it is ending, or something else has its port by now
    return [Shown(one["id"], f"{base}/{one['id']}#{keys.of(one['id'])}", keys.code, _words(one)) for one in told]


def _words(one: dict[str, Any]) -> str:
    title = _line(one["title"] or one["url"] or "an empty page")
    agent = f"; agent {one['agent_state']}: {_line(one['agent'])}" if one["agent"] else ""
    return f"{title}{agent}{'; taken over by a person' if one['taken'] else ''}"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_TITLE_CHARS else f"{line[: MAX_TITLE_CHARS - 1]}…"


def _listed(found: list[Shown]) -> str:
    lines = [f"{one.session_id}  {one.words}\n  {one.address}\n  code to act there: {one.code}" for one in found]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _failed(why: str) -> int:
    sys.stderr.write(f"notte-mcp: {why}\n")
    return FAILED
