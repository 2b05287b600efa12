"""Bearer tokens: whose one is.

Below: nothing. Above: guard, serve, viewer.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

_BEARER: Final = re.compile(rb"bearer +(\S+) *", re.IGNORECASE)


class Tokens:
    """Names by their tokens. Takes the same time whichever token is asked about, and whether or not there is one."""

    def __init__(self, secret_of: Mapping[str, str]) -> None:
        self._digests = {name: _digest(secret.encode()) for name, secret in secret_of.items()}

    def whose(self, authorization: Sequence[bytes]) -> str | None:
        """The name whose token the `Authorization` header holds (all headers of that name are given: two are none)."""
        given = _digest(bearer(authorization))
        matching = [name for name, digest in self._digests.items() if hmac.compare_digest(digest, given)]
        return matching[0] if matching else None


def bearer(authorization: Sequence[bytes]) -> bytes:
    """The token of the one `Authorization` header that there has to be; empty where there is none."""
    found = _BEARER.fullmatch(authorization[0]) if len(authorization) == 1 else None
    return found[1] if found is not None else b""


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(32)


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
