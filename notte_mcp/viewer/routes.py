"""What answers at the viewer's paths, and to whom.

    /ses_...              the page: the same bytes for every id; the key stands behind # and comes with what it asks for
    /page/NAME            its files
    /api/sessions         what is live, for who can read the server's secret (`notte-mcp viewer`)
    /api/ID/stream        with the session's key: what happens, as it happens
    /api/ID/control       with the key: a token to act, for the code
    /api/ID/act           with that token: an act
    /api/ID/replay        with the key: the address of the replay, which holds for a while
    /replay/TICKET        that replay

Below: admission, people, stream, acts, answers, http.guard. Above: viewer.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import anyio
from starlette.types import Receive, Scope, Send

from notte_mcp.errors import NotteMCPError
from notte_mcp.http.guard import Guard, Names, Route
from notte_mcp.http.refusals import Refusal, wrong_method
from notte_mcp.http.tokens import Tokens, bearer
from notte_mcp.ids import is_session_id
from notte_mcp.observations import clean
from notte_mcp.records import LIVE_STATES
from notte_mcp.resources.recorded import session_subject
from notte_mcp.viewer import answers, refusals
from notte_mcp.viewer.account import Account
from notte_mcp.viewer.acts import act
from notte_mcp.viewer.admission import Admission
from notte_mcp.viewer.keys import Keys
from notte_mcp.viewer.people import People
from notte_mcp.viewer.stream import Stream

if TYPE_CHECKING:
    from notte_mcp.app import App

TICKET_S: Final = 300.0
"""How long the address of a replay holds."""

MAX_TICKETS: Final = 64
MAX_NAME_CHARS: Final = 64

_ANYBODY: Final = "page"
_LISTER: Final = "list"
_METHODS: Final = {"stream": "GET", "control": "POST", "act": "POST", "replay": "POST"}


class Routes:
    """See the module. `app` gives the App while it is open; `ending` is set when the server ends."""

    def __init__(self, keys: Keys, app: "Callable[[], App | None]", people: People, ending: anyio.Event) -> None:
        self._keys = keys
        self._app = app
        self._people = people
        self._ending = ending
        self._files = answers.page_files()
        self._tickets: dict[str, tuple[float, str]] = {}
        self.admission = Admission(keys)

    def guard(self, port: int) -> Guard:
        """They, behind a guard that knows this port's own names alone."""
        exact = [Route(f"/page/{name}", ("GET", "HEAD"), self._file, _open) for name in self._files if name]
        exact.append(Route("/api/sessions", ("GET",), self._list, self._lister))
        under = (
            Route("/ses_", ("GET", "HEAD"), self._page, _open),
            Route("/api/", ("GET", "POST"), self._api, self._whose),
            Route("/replay/", ("GET",), self._replay, self._holder),
        )
        return Guard({route.path: route for route in exact}, Names.of(port), Tokens({}), under)

    # --- whose a request is ---------------------------------------------------------

    def _lister(self, _path: str, given: Sequence[bytes]) -> str | Refusal:
        return _LISTER if self._keys.lists(bearer(given)) else refusals.NO_KEY

    def _whose(self, path: str, given: Sequence[bytes]) -> str | Refusal:
        session_id, what = _parted(path)
        if what not in _METHODS or not is_session_id(session_id):
            return refusals.NO_SUCH_THING
        token = bearer(given)
        if self.admission.admits(session_id, token):
            return session_id
        if not self._keys.shows(session_id, token):
            return refusals.NO_KEY
        return refusals.VIEW_ONLY if what == "act" else session_id

    def _holder(self, path: str, _given: Sequence[bytes]) -> str | Refusal:
        until, session_id = self._tickets.get(path.removeprefix("/replay/"), (0.0, ""))
        return session_id if time.monotonic() < until else refusals.STALE

    # --- what anybody may have ------------------------------------------------------

    async def _page(self, _name: str, scope: Scope, _receive: Receive, send: Send) -> None:
        if not is_session_id(scope["path"].removeprefix("/")):
            return await refusals.NO_SUCH_THING.answer(send)
        return await answers.send_bytes(send, *self._files[""], empty=scope["method"] == "HEAD")

    async def _file(self, _name: str, scope: Scope, _receive: Receive, send: Send) -> None:
        found = self._files[scope["path"].removeprefix("/page/")]
        await answers.send_bytes(send, *found, empty=scope["method"] == "HEAD")

    # --- what a key opens -----------------------------------------------------------

    async def _api(self, session_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        _, what = _parted(scope["path"])
        if scope["method"] != _METHODS[what]:
            return await wrong_method(_METHODS[what]).answer(send)
        if (app := self._app()) is None:
            return await refusals.NOT_OPEN.answer(send)
        view = _view_of(scope)
        if what == "stream":
            return await self._stream(app, session_id, view, receive, send)
        body: bytes = (await receive())["body"]
        match what:
            case "control":
                found = self._admitted(session_id, body)
            case "act":
                found = await act(app, self._people, session_id, view, body)
            case _:
                found = await self._ticket(app, session_id)
        if isinstance(found, Refusal):
            return await found.answer(send)
        return await answers.send_json(send, found)

    async def _stream(self, app: "App", session_id: str, view: str, receive: Receive, send: Send) -> None:
        if self._people.is_full(session_id):
            return await refusals.FULL.answer(send)
        account = Account(app, self._people, session_id, view)
        with self._people.looking(session_id, view):
            return await Stream(app, account, session_id, self._ending).answer(receive, send)

    def _admitted(self, session_id: str, body: bytes) -> Mapping[str, Any] | Refusal:
        try:
            code = json.loads(body)["code"]
        except (ValueError, KeyError, TypeError, RecursionError):
            code = None
        if not isinstance(code, str):
            return refusals.wrong("The code is missing.", "Send it as `code`.")
        token = self.admission.admit(session_id, code)
        return token if isinstance(token, Refusal) else {"token": token}

    async def _list(self, _name: str, _scope: Scope, _receive: Receive, send: Send) -> None:
        if (app := self._app()) is None:
            return await answers.send_json(send, {"sessions": []})
        agents = {agent.session_id: agent for agent in app.agents.live()}
        told = [
            {
                "id": record.id,
                "state": record.state,
                "title": clean(record.title),
                "url": clean(record.url),
                "agent": clean(agents[record.id].spec.task) if record.id in agents else None,
                "agent_state": agents[record.id].state if record.id in agents else None,
                "taken": app.registry.is_taken(record.id),
            }
            for record in app.registry.live()
        ]
        return await answers.send_json(send, {"sessions": told})

    # --- replays --------------------------------------------------------------------

    async def _ticket(self, app: "App", session_id: str) -> dict[str, Any]:
        """Make the player, and an address for it: a key in an address that is opened would stand in histories."""
        try:
            path = await self._player(app, session_id)
        except NotteMCPError as error:
            return {"ok": False, "message": error.what}
        now = time.monotonic()
        self._tickets = {one: known for one, known in self._tickets.items() if known[0] > now}
        while len(self._tickets) >= MAX_TICKETS:
            del self._tickets[next(iter(self._tickets))]
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = (now + TICKET_S, str(path))
        return {"ok": True, "path": f"/replay/{ticket}"}

    async def _player(self, app: "App", session_id: str) -> str:
        record = await app.registry.record(session_id)
        of = await session_subject(app, record)
        live = record.state in LIVE_STATES
        return str(await app.replays.player(of.name, of.parts, lines=of.lines, heading=of.heading, live=live))

    async def _replay(self, path: str, _scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            body = await anyio.Path(path).read_bytes()
        except OSError:
            return await refusals.STALE.answer(send)
        kind = "text/html; charset=utf-8"
        return await answers.send_bytes(send, kind, body, policy=answers.REPLAY_POLICY)


def _open(_path: str, _given: Sequence[bytes]) -> str:
    return _ANYBODY


def _parted(path: str) -> tuple[str, str]:
    session_id, _, what = path.removeprefix("/api/").partition("/")
    return session_id, what


def _view_of(scope: Scope) -> str:
    """What the page calls itself; it says who is there, and opens nothing."""
    given = [value for name, value in scope["headers"] if name == b"x-notte-view"]
    return given[0].decode("latin-1")[:MAX_NAME_CHARS] if given else ""
