"""What opens a live view: a key for one session that shows it and no more, and a code that a person alone is given.

Both are derived from the secret of one server process, so nothing is kept of them. A key stands in the address that
the assistant is told; the code never does: who looks may not act for that.

Below: nothing. Above: viewer, admission, commands.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No two of them look alike."""

CODE_CHARS: Final = 8
_KEY_BYTES: Final = 24


class Keys:
    """See the module."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, session_id: str) -> str:
        """The key that shows this session; 32 characters that an address may hold."""
        return urlsafe_b64encode(self._derived(f"view {session_id}")[:_KEY_BYTES]).decode()

    @property
    def of_all(self) -> str:
        """The key for the list of what is live: for who can read the secret."""
        return urlsafe_b64encode(self._derived("list")[:_KEY_BYTES]).decode()

    @property
    def code(self) -> str:
        """The code in exchange for which a person may act, as it is read out: `K7QF-3MWD`."""
        number, signs = int.from_bytes(self._derived("code")), ""
        for _ in range(CODE_CHARS):
            number, sign = divmod(number, len(_ALPHABET))
            signs += _ALPHABET[sign]
        return f"{signs[: CODE_CHARS // 2]}-{signs[CODE_CHARS // 2 :]}"

    def shows(self, session_id: str, given: bytes) -> bool:
        """Whether this is the session's key."""
        return hmac.compare_digest(self.of(session_id).encode(), given)

    def lists(self, given: bytes) -> bool:
        """Whether this is the key for the list."""
        return hmac.compare_digest(self.of_all.encode(), given)

    def is_code(self, given: str) -> bool:
        """Whether this is the code, however it was written."""
        return hmac.compare_digest(_plain(self.code), _plain(given))

    def _derived(self, what: str) -> bytes:
        return hmac.digest(self._secret, what.encode(), hashlib.sha256)


def _plain(code: str) -> bytes:
    return "".join(code.split()).replace("-", "").upper().encode()
