"""The Notte API over HTTP: one pool of connections, the key, JSON out and our errors in.

Every path is built of segments, each spelled whole, so that no id leads elsewhere. Requests are repeated where that
does no harm (`exchange`, `patience`); one whose outcome nobody knows says so. Neither the key nor the token of an
address reaches an error or a log from here, nor the key an answer.

Below: exchange, answers, access, cloud_errors. Above: cloud, hosted, session, engine.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import anyio
import httpx

from notte_mcp.cloud_errors import (
    CloudError,
    CloudKeyMissing,
    CloudKeyRefused,
    CloudNotNotte,
    CloudUnavailable,
    CloudUnknown,
    CloudUnreached,
)
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.answers import CHECK_URL, NEW_KEY, NOBODY_KNOWS, NOTHING, Answer, Hush, fault
from notte_mcp.engines.notte.exchange import Asked, Lost, ask, ask_once, pool
from notte_mcp.engines.notte.patience import Patience
from notte_mcp.engines.notte.saving import Sink
from notte_mcp.observations import clean_line

WITHIN_S: Final = 60.0
"""Seconds that a call may take, with all its repeats, unless told otherwise."""

HEALTH_S: Final = 5.0

MAX_FILE_BYTES: Final = 256 * 1024**2

Query = Mapping[str, str | float | bool | None]


class NotteClient:
    """See the module. Methods take the path as segments: `get("sessions", session_id, "debug")`.

    `query`: values that are None are left out, booleans are spelled as the contract's own clients do (`True`).
    `within_s` is for a call with all its repeats. Every method raises: CloudKeyMissing, CloudKeyRefused,
    CloudNoCredit, CloudUnknown, CloudRefused, CloudUnavailable, CloudNotNotte.
    """

    def __init__(self, access: CloudAccess, *, patience: Patience | None = None) -> None:
        self.access = access
        self.patience = patience or Patience()
        self.hush = Hush(access.key)
        self._met = False
        self._http = pool(access)

    async def get(self, *segments: str, query: Query | None = None, within_s: float = WITHIN_S) -> dict[str, Any]:
        """The JSON object that stands there."""
        return await self._object(self._asked("GET", segments, query, within_s))

    async def rows(
        self, *segments: str, query: Query | None = None, within_s: float = WITHIN_S
    ) -> list[dict[str, Any]]:
        """A list: the objects of one page, whether they come in an envelope or bare."""
        body = (await self._checked(self._asked("GET", segments, query, within_s))).json()
        items: Any = cast(dict[str, Any], body).get("items") if isinstance(body, dict) else body
        if not isinstance(items, list):
            raise self._strange(changes=False)
        return [cast(dict[str, Any], one) for one in self.hush.value(items) if isinstance(one, dict)]

    async def post(
        self,
        *segments: str,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        within_s: float = WITHIN_S,
    ) -> dict[str, Any]:
        """POST of a JSON object, whose fields that are None are left out; the JSON object that came."""
        return await self._object(_with_json(self._asked("POST", segments, query, within_s), body or {}))

    async def delete(self, *segments: str, query: Query | None = None, within_s: float = WITHIN_S) -> dict[str, Any]:
        """DELETE; the JSON object that came, empty where nothing did."""
        return await self._object(self._asked("DELETE", segments, query, within_s))

    async def upload(self, *segments: str, name: str, content: bytes, within_s: float = WITHIN_S) -> dict[str, Any]:
        """POST of one file, as a form's field `file`."""
        form = httpx.Request("POST", "http://form", files={"file": (name, content, "application/octet-stream")})
        asked = self._asked("POST", segments, None, within_s)
        kind = ("content-type", form.headers["content-type"])
        return await self._object(replace(asked, content=form.read(), headers=(*asked.headers, kind)))

    async def answer(
        self,
        *segments: str,
        method: str = "GET",
        query: Query | None = None,
        within_s: float = WITHIN_S,
        limit: int = MAX_FILE_BYTES,
        passes: frozenset[int] = frozenset(),
        into: Sink | None = None,
    ) -> Answer:
        """The answer as it came, of at most `limit` bytes: JSON or not, but a success or of a status in `passes`. What is
        no JSON goes `into` the sink as it comes, where there is one."""
        asked = replace(self._asked(method, segments, query, within_s), limit=limit, into=into, reads_json=True)
        found = await self._reply(asked)
        if (found.status >= 300 and found.status not in passes) or (found.status < 300 and found.is_json):  # noqa: PLR2004
            await self._raise_if_fault(found, changes=asked.changes)
        return found

    async def fetch(
        self, url: str, *, limit: int = MAX_FILE_BYTES, within_s: float = WITHIN_S, into: Sink | None = None
    ) -> bytes:
        """What stands at an address that an answer gave (a signed one), asked for without the key; nothing where it goes
        `into` a sink."""
        if urlsplit(url).scheme not in {"http", "https"}:
            raise CloudNotNotte("The Notte API gave an address that is none.", done="")
        found = await ask(self._http, Asked("GET", url, within_s, limit=limit, follows=True, into=into), self.patience)
        if isinstance(found, Lost):
            raise CloudUnavailable(f"What the Notte API keeps elsewhere did not come: {self._words(found)}.", done="")
        if found.status >= 300:  # noqa: PLR2004
            what = f"What the Notte API keeps elsewhere could not be fetched (HTTP {found.status})."
            raise CloudUnavailable(what, status=found.status, done="", next_call="the same call, for a new address")
        return found.body

    async def save(self, *segments: str, into: Sink, within_s: float = WITHIN_S) -> bool:
        """Write what stands there to the disk while it comes; whether all of it may be there (else `into.why`)."""
        asked = replace(self._asked("GET", segments, None, within_s), into=into)
        try:
            found = await self._reply(asked)
        except CloudUnavailable:
            if into.why:
                return False
            raise
        if not 200 <= found.status < 300:  # noqa: PLR2004 - a success is a file, whatever is in it
            await self._raise_if_fault(found, changes=False)
        return True

    async def is_notte(self) -> bool:
        """Whether what answers there calls itself as the Notte API does (`/health`, asked without the key)."""
        found = await ask_once(self._http, Asked("GET", f"{self._base()}/health", HEALTH_S), HEALTH_S)
        try:
            body = found.json() if isinstance(found, Answer) and found.status < 300 else None  # noqa: PLR2004
        except ValueError:
            return False
        return isinstance(body, dict) and len(cast(dict[str, Any], body).keys() & _OF_HEALTH) > 1

    async def close(self) -> None:
        """Let the connections go, within a second. Never raises."""
        with anyio.move_on_after(1, shield=True):
            await self._http.aclose()

    # --- asking -------------------------------------------------------------------

    def _base(self) -> str:
        if not (base := self.access.base):
            raise CloudNotNotte("NOTTE_API_URL is no plain address of http or https.", next_call=CHECK_URL)
        return base

    def _asked(self, method: str, segments: tuple[str, ...], query: Query | None, within_s: float) -> Asked:
        base = self._base()
        if any(not segment.strip(".") for segment in segments):
            raise CloudUnknown("Nothing in the Notte cloud has an id without letters.", next_call="notte_status()")
        path = "/".join(quote(segment, safe="", errors="replace") for segment in segments)
        asked = "&".join(f"{k}={quote(str(v), safe='', errors='replace')}" for k, v in _given(query).items())
        # Repeats carry it too: whoever keeps account of it does the thing once.
        once = () if method == "GET" else (("idempotency-key", secrets.token_hex(32)),)
        changes = method != "GET" and segments[-1] not in _LOOKS
        return Asked(method, f"{base}/{path}" + (f"?{asked}" if asked else ""), within_s, changes, headers=once)

    async def _reply(self, asked: Asked) -> Answer:
        key = self.access.key
        if key is None:
            raise CloudKeyMissing("There is no key for the Notte cloud.", next_call=NEW_KEY)
        if not (key.isascii() and key.isprintable()):
            raise CloudKeyRefused("NOTTE_API_KEY holds characters that no key has.", next_call=NEW_KEY)
        signed = replace(asked, headers=(*asked.headers, ("authorization", f"Bearer {key}")))
        found = await ask(self._http, signed, self.patience)
        if isinstance(found, Lost):
            raise self._unanswered(found, changes=asked.changes)
        return found

    async def _checked(self, asked: Asked) -> Answer:
        found = await self._reply(asked)
        await self._raise_if_fault(found, changes=asked.changes)
        return found

    # --- reading ------------------------------------------------------------------

    async def _raise_if_fault(self, found: Answer, *, changes: bool) -> None:
        error = fault(found, changes=changes, place=self.access.place, hush=self.hush)
        if error is None:
            self._met = True
            return
        if isinstance(error, CloudUnknown) and not self._met:
            # The same words come from any server of another kind: the first time it is asked what it is.
            self._met = await self.is_notte()
            if not self._met:
                what = f"What answers at {self.access.place} is not the Notte API (HTTP {error.status})."
                raise CloudNotNotte(what, status=error.status, next_call=CHECK_URL)
        raise error

    async def _object(self, asked: Asked) -> dict[str, Any]:
        found = await self._checked(asked)
        body: Any = found.json() if found.body else {}
        if not isinstance(body, dict):
            raise self._strange(changes=asked.changes)
        return self.hush.value(body) if self.hush.is_in(found.body) else cast(dict[str, Any], body)

    def _strange(self, *, changes: bool) -> CloudNotNotte:
        what = f"What answers at {self.access.place} gives JSON, but not what the Notte API gives."
        return CloudNotNotte(what, done=NOBODY_KNOWS if changes else NOTHING, next_call=CHECK_URL)

    def _unanswered(self, lost: Lost, *, changes: bool) -> CloudError:
        """Made where no error of httpx is being handled: those hold the request, and that the key."""
        place = self.access.place
        if not lost.sent:
            what = f"The Notte API at {place} cannot be reached: {self._words(lost)}."
            return CloudUnreached(what, done=NOTHING, next_call=CHECK_URL)
        what = f"The Notte API at {place} took the request and did not answer: {self._words(lost)}."
        if not changes:
            return CloudUnavailable(what, done=NOTHING, next_call="the same call")
        look = "notte_status() to see what is there, then the same call"
        return CloudUnavailable(what, done=NOBODY_KNOWS, next_call=look)

    def _words(self, lost: Lost) -> str:
        return clean_line(self.hush.text(lost.words), 200).rstrip(".")

    # Last, since it has the name of the type.
    async def bytes(
        self,
        *segments: str,
        method: str = "GET",
        query: Query | None = None,
        within_s: float = WITHIN_S,
        limit: int = MAX_FILE_BYTES,
    ) -> bytes:
        """What came, as it came: a file, or with `method="POST"` a picture. At most `limit` bytes."""
        asked = replace(self._asked(method, segments, query, within_s), limit=limit)
        found = await self._reply(asked)
        if found.status >= 300:  # noqa: PLR2004 - a success is a file, whatever is in it
            await self._raise_if_fault(found, changes=asked.changes)
        return found.body


_OF_HEALTH: Final = {"status", "version", "description"}

_LOOKS: Final = {"observe", "screenshot", "scrape"}
"""Requests that are a POST and change nothing. They are not repeated all the same: the contract repeats no POST."""


def _given(query: Query | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _with_json(asked: Asked, body: Mapping[str, Any]) -> Asked:
    sent = {name: value for name, value in body.items() if value is not None}
    kind = ("content-type", "application/json")
    # Escapes for all that is not ASCII: half a character has no other form.
    return replace(asked, content=json.dumps(sent, separators=(",", ":")).encode(), headers=(*asked.headers, kind))
