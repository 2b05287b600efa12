"""Who may act: a person who gave the code has a token for one session, kept in memory here and in the page.

Few codes may be wrong in a minute; after that none is looked at for a while, not even the right one, so that
nobody learns by guessing.

Below: keys, refusals. Above: routes.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from notte_mcp.http.refusals import Refusal
from notte_mcp.logs import Log
from notte_mcp.viewer import refusals
from notte_mcp.viewer.keys import Keys

MAX_WRONG: Final = 5
"""Wrong codes within `WITHIN_S`."""

WITHIN_S: Final = 60.0
LOCKED_S: Final = 120.0
"""How long no code is looked at then (seconds)."""

MAX_TOKENS: Final = 256
"""Tokens that are kept; the oldest goes first."""

log = Log("viewer")


class Admission:
    """See the module. `now` gives seconds that only grow."""

    def __init__(self, keys: Keys, now: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._now = now
        self._wrong: list[float] = []
        self._locked_until = 0.0
        self._tokens: OrderedDict[bytes, str] = OrderedDict()

    def admit(self, session_id: str, code: str) -> str | Refusal:
        """A token to act in this session, for the code; or why not."""
        now = self._now()
        if now < self._locked_until:
            return refusals.locked(self._locked_until - now)
        if not self._keys.is_code(code):
            self._wrong = [*(at for at in self._wrong if at > now - WITHIN_S), now]
            log.warning("viewer.wrong_code", session=session_id)
            if len(self._wrong) < MAX_WRONG:
                return refusals.WRONG_CODE
            self._wrong, self._locked_until = [], now + LOCKED_S
            return refusals.locked(LOCKED_S)
        token = secrets.token_urlsafe(32)
        self._tokens[_digest(token.encode())] = session_id
        while len(self._tokens) > MAX_TOKENS:
            self._tokens.popitem(last=False)
        log.info("viewer.admitted", session=session_id)
        return token

    def admits(self, session_id: str, given: bytes) -> bool:
        """Whether this token may act in this session."""
        return self._tokens.get(_digest(given)) == session_id

    def forget(self, live: Callable[[str], bool]) -> None:
        """Tokens of sessions that are not live any more open nothing."""
        for digest in [digest for digest, session_id in self._tokens.items() if not live(session_id)]:
            del self._tokens[digest]


def _digest(token: bytes) -> bytes:
    # Looked up by its digest: how long that takes tells nothing of a token.
    return hashlib.sha256(token).digest()
