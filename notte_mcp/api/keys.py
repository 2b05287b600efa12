"""Who may call the local API: whoever has its key, and for one session whoever was given a viewer token of it.

A token is made of the session's id, the time until which it holds and a MAC with the key: nothing is kept of it, and
with another key none holds any more. It shows (logs, recording, video) and no more than shows; the key itself never
stands in an address that this API gives out, though a WebSocket may be opened with it, as SDKs before 1.8.40 do.

Below: http.tokens. Above: calls, routes.
"""

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

from notte_mcp.http.refusals import Refusal
from notte_mcp.http.tokens import bearer

OWNER: Final = "owner"
"""The caller who has the key; every other one is called by the session that its token is for."""

ANYBODY: Final = "anybody"
OPEN: Final = frozenset({"/health", "/ready"})

TOKEN_S: Final = 86_400
"""How long a viewer token holds."""

_MAC_BYTES: Final = 24

_CHALLENGE: Final = {"www-authenticate": 'Bearer realm="notte-mcp api"'}
NO_KEY: Final = Refusal(
    401,
    "AuthenticationError",
    "A key is needed.",
    "Set NOTTE_API_KEY to the key of this API; `notte-mcp api --show-key` prints it.",
    _CHALLENGE,
)
WRONG_KEY: Final = Refusal(
    401,
    "AuthenticationError",
    "The key is not this API's.",
    "Set NOTTE_API_KEY to the key of this API; `notte-mcp api --show-key` prints it.",
    _CHALLENGE,
)


class ApiKeys:
    """See the module."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def viewer_token(self, session_id: str, *, hold_s: float = TOKEN_S) -> str:
        """A token that shows this session; of characters that an address may hold."""
        signed = f"{session_id}.{int(time.time() + hold_s)}"
        return f"{signed}.{self._mac(signed)}"

    def whose(self, path: str, given: Sequence[bytes]) -> str | Refusal:
        """The caller's name (see `OWNER`), by its `Authorization` headers, or why it is nobody's."""
        if path.rstrip("/") in OPEN:
            return ANYBODY
        if not given:
            return NO_KEY
        token = bearer(given)
        if hmac.compare_digest(_digest(token), _digest(self._key)):
            return OWNER
        return self._shown_by(token) or WRONG_KEY

    def may_see(self, caller: str, session_id: str) -> bool:
        """Whether this caller may see this session."""
        return caller in (OWNER, session_id)

    def _shown_by(self, token: bytes) -> str | None:
        signed, _, mac = token.decode("latin-1").rpartition(".")
        if not hmac.compare_digest(self._mac(signed).encode(), mac.encode("latin-1")):
            return None
        session_id, _, until = signed.rpartition(".")
        return session_id if time.time() < int(until) else None

    def _mac(self, signed: str) -> str:
        made = hmac.digest(self._key, f"view {signed}".encode(), hashlib.sha256)
        return urlsafe_b64encode(made[:_MAC_BYTES]).decode()


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
