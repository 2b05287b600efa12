"""What the Notte API answered that is no success, as one of our errors: what it said, whether anything was done, what next.

All the shapes that its versions give errors in are read, and none of their words is trusted: they are cleaned, cut, and
searched for the key and for addresses' tokens. Facts: the contract's errors, and FastAPI's form of a refused body.

Below: cloud_errors, observations. Above: client, cloud.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

from notte_mcp.cloud_errors import (
    CloudError,
    CloudKeyRefused,
    CloudNoCredit,
    CloudNotNotte,
    CloudRefused,
    CloudUnavailable,
    CloudUnknown,
)
from notte_mcp.observations import clean_line

MAX_SAID_CHARS: Final = 400

NOTHING: Final = "Nothing was done."
NOBODY_KNOWS: Final = "The answer is lost: nobody knows whether it was done."
"""`done` of an error after which something may have happened over there."""

HIDDEN: Final = "[hidden]"

_MOST_LEVELS: Final = 64

LOCAL: Final = 'notte_start(session={"engine": "local"}) works without the cloud'
NEW_KEY: Final = f"set NOTTE_API_KEY to a valid key, or {LOCAL}"
CHECK_URL: Final = f"check NOTTE_API_URL, or {LOCAL}"

_TOKEN_IN_URL: Final = re.compile(
    r"(?i)((?:token|signature|sig|key|credential|password|secret)(?:=|%3d))[^&\s\"'<>\\]+|\bbearer\s+[^\s\"'<>\\]+"
)


def without_tokens(text: str) -> str:
    """`text` with the tokens of its addresses, and what was sent as a bearer, replaced."""
    return _TOKEN_IN_URL.sub(lambda found: f"{found.group(1) or ''}{HIDDEN}", text)


class Hush:
    """Takes a key, and the tokens of addresses, out of what a server said."""

    def __init__(self, key: str | None) -> None:
        spelled = {key, quote(key, safe=""), json.dumps(key)[1:-1]} if key else set[str]()
        ways = "|".join(re.escape(way) for way in sorted(spelled, key=len, reverse=True))
        # A short key may be a part of any word; what it stands in is then no leak.
        self._key = re.compile(rf"(?<![\w-])(?:{ways})(?![\w-])" if len(key) < 8 else ways) if key else None  # noqa: PLR2004

    def text(self, text: str) -> str:
        """`text` without them."""
        text = without_tokens(text)
        return self._key.sub(HIDDEN, text) if self._key else text

    def value(self, value: Any, level: int = 0) -> Any:
        """A JSON value without the key. Tokens of addresses stay: they are what some answers are asked for. What is
        nested too deep to be looked through is hidden whole."""
        if level > _MOST_LEVELS:
            return HIDDEN
        if isinstance(value, str):
            return self._key.sub(HIDDEN, value) if self._key else value
        if isinstance(value, dict):
            return {self.value(k): self.value(v, level + 1) for k, v in cast(dict[str, Any], value).items()}
        return [self.value(one, level + 1) for one in cast(list[Any], value)] if isinstance(value, list) else value

    def is_in(self, body: bytes) -> bool:
        """Whether the key may stand in it, plainly or escaped."""
        if self._key is None:
            return False
        return b"\\u" in body or self._key.search(body.decode("utf-8", "replace")) is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        """Whether it says so."""
        return "json" in self.headers.get("content-type", "")

    @property
    def retry_after_s(self) -> float | None:
        """What it says about trying again: seconds from now."""
        if (text := self.headers.get("retry-after", "")) and (found := _seconds(text)) is not None:
            return found
        if self.status == 429 and (found := _number(self.headers.get("x-ratelimit-reset", ""))) is not None:  # noqa: PLR2004
            # Some count the seconds, some give the hour in Unix seconds.
            return max(0.0, found - time.time()) if found > 1_000_000_000 else found  # noqa: PLR2004
        return None

    def json(self) -> Any:
        """The body's JSON. Raises: ValueError."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found < float("inf") else None


def _seconds(text: str) -> float | None:
    if (found := _number(text)) is not None:
        return found
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def said(body: Any) -> str:
    """The server's own words, out of any of the shapes that it gives them in; empty where there are none."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        rows = [text for one in cast(list[Any], body)[:10] if (text := said(one))]
        return "; ".join(rows)
    if not isinstance(body, dict):
        return ""
    fields = cast(dict[str, Any], body)
    if isinstance(msg := fields.get("msg"), str):
        loc = fields.get("loc")
        where = ".".join(str(part) for part in cast(list[Any], loc) if part != "body") if isinstance(loc, list) else ""
        return f"{where}: {msg}" if where else msg
    keys = ("detail", "message") if isinstance(fields.get("detail"), list) else ("message", "detail")
    return next((text for key in (*keys, "error") if (text := said(fields.get(key)))), "")


def fault(answer: Answer, *, changes: bool, place: str, hush: Hush) -> CloudError | None:
    """The error that an answer is; None where it is none. `changes` says that the request may have changed something."""
    try:
        body = answer.json() if answer.body else None
    except ValueError:
        return _not_json(answer, changes=changes, place=place, hush=hush)
    status = answer.status
    if status < 300:  # noqa: PLR2004
        if not isinstance(body, dict) or "detail" not in body:
            return None
        given = cast(dict[str, Any], body).get("status")
        # Its clients take an answer with `detail` for an error whatever the status; the body may name another one.
        status = given if isinstance(given, int) and 400 <= given < 600 else 400  # noqa: PLR2004
    words = clean_line(hush.text(said(body)), MAX_SAID_CHARS)
    return _by_status(status, answer, words, changes=changes, place=place, hush=hush)


def _not_json(answer: Answer, *, changes: bool, place: str, hush: Hush) -> CloudError | None:
    if answer.status in {401, 402, 408, 429} or answer.status >= 500:  # noqa: PLR2004
        # Gateways in front of it say these in their own words.
        return _by_status(answer.status, answer, "", changes=changes, place=place, hush=hush)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = "an HTML page" if "html" in kind else "something that is no JSON"
    what = f"{place} answered with {form} (HTTP {answer.status}): it is not the Notte API, or something stands between."
    done = NOBODY_KNOWS if changes and answer.status < 300 else NOTHING  # noqa: PLR2004
    return CloudNotNotte(what, status=answer.status, done=done, next_call=CHECK_URL)


_KNOWN: Final[dict[int, tuple[type[CloudError], str, str]]] = {
    401: (CloudKeyRefused, "refuses the key", NEW_KEY),
    402: (CloudNoCredit, "says that the account has no credit, or its plan does not hold this", LOCAL),
    403: (CloudKeyRefused, "refuses the key", NEW_KEY),
    404: (CloudUnknown, "does not know this", "notte_status() lists what is known here"),
    405: (CloudUnknown, "does not know this", "notte_status() lists what is known here"),
    501: (CloudUnknown, "does not have this", LOCAL),
    410: (CloudUnknown, "does not know this any more", "notte_status() lists what is known here"),
}


def _by_status(status: int, answer: Answer, words: str, *, changes: bool, place: str, hush: Hush) -> CloudError:
    done = NOTHING
    if status in _KNOWN:
        kind, what, next_call = _KNOWN[status]
    elif status < 400:  # noqa: PLR2004
        kind, what, next_call = CloudNotNotte, f"sends elsewhere, to {hush.text(_host(answer))}", CHECK_URL
    elif status >= 500 or status in _LATER:  # noqa: PLR2004
        kind, what, done, next_call = _failed(status, answer, changes=changes)
    elif b"extra_forbidden" in answer.body:
        kind, what = CloudRefused, "has no such field: it is older or newer than what it was asked with"
        next_call = "the same call without it"
    else:
        kind, what = CloudRefused, "does not take the request as it is"
        next_call = "the call with what it names changed"
    # An API of ours says that nothing was done by itself.
    words = words.replace(f" {NOTHING}", "") if done == NOTHING else words
    text = f"The Notte API at {place} {what} (HTTP {status}){f': {words}' if words else ''}"
    text = text if text.endswith((".", "!", "?")) else f"{text}."
    return kind(text, status=status, retry_after_s=answer.retry_after_s, done=done, next_call=next_call)


_LATER: Final = {408: "gave up waiting", 425: "is not ready", 429: "limits the rate"}
_BUSY: Final = {503: "is not available", 529: "has too much to do"}


def _failed(status: int, answer: Answer, *, changes: bool) -> tuple[type[CloudError], str, str, str]:
    """Kind, what, done and next call of what may go better another time."""
    if "x-error-class" in answer.headers:
        # It did get to work on it, and tells how that ended.
        return CloudRefused, "could not do it", "", "notte_observe(), then the call for what is there"
    later = _later(answer)
    if not changes or status in _BUSY or status in {425, 429}:
        what = _BUSY.get(status) or _LATER.get(status) or "failed"
        return CloudUnavailable, what, NOTHING, f"the same call {later}"
    look = f"notte_status() to see what is there, then the same call {later}"
    return CloudUnavailable, _LATER.get(status, "failed"), NOBODY_KNOWS, look


def _later(answer: Answer) -> str:
    after = answer.retry_after_s
    return f"after {after:.0f} s" if after is not None else "after a while"


def _host(answer: Answer) -> str:
    try:
        return clean_line(urlsplit(answer.headers.get("location", "")).hostname or "another path of its own", 100)
    except ValueError:
        return "an address that is none"
