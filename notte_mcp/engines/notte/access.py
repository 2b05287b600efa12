"""Whose account of the Notte cloud a call is made on: the key and the address.

Like a caller's models it goes with the call and with everything that the call begins. Nothing here reads the
environment or sends anything.

Below: nothing. Above: client, engine, keeper and app (which fill it from the settings).
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

CLOUD_URL: Final = "https://api.notte.cc"


@dataclass(frozen=True, slots=True)
class CloudAccess:
    """See the module. Without white space around either, as copies bring it along; a key of nothing is None."""

    key: str | None = field(default=None, repr=False)
    url: str = field(default=CLOUD_URL, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.key or "").strip() or None)
        object.__setattr__(self, "url", self.url.strip().rstrip("/"))

    @property
    def base(self) -> str:
        """The address; empty where it is none of http or https with a host, or where it holds a name and a password,
        which would be sent in the place of the key."""
        try:
            parts = urlsplit(self.url)
            fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return ""
        return self.url if fits and "@" not in parts.netloc and not (parts.query or parts.fragment) else ""

    @property
    def place(self) -> str:
        """Where requests go, for texts: host and port."""
        return urlsplit(self.base).netloc or "(no address)"


_current: ContextVar[CloudAccess | None] = ContextVar("cloud_access", default=None)


def current() -> CloudAccess:
    """The caller's access; one without a key where nothing was given."""
    return _current.get() or CloudAccess()


@contextmanager
def given(access: CloudAccess) -> Generator[None]:
    """What is called within the block, and begun there, has this access."""
    token = _current.set(access)
    try:
        yield
    finally:
        _current.reset(token)
