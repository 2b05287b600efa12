"""Keys and addresses of the providers: what is passed in, since nothing here reads the environment.

Below: nothing. Above: providers, named, app (which fills it from the settings).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One provider's key and address. None for either: no key, the vendor's own address."""

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)

    @property
    def key(self) -> str | None:
        """The key without the white space that a copy brings along; None where nothing is left."""
        return (self.api_key or "").strip() or None

    @property
    def url(self) -> str | None:
        """The address, likewise."""
        return (self.base_url or "").strip() or None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be in a text: the key, and a password inside the address."""
        password = urlsplit(self.url).password if self.url and self.is_web else self.url
        return tuple(dict.fromkeys(s for s in (self.api_key, self.key, password) if s and s.strip()))

    @property
    def is_web(self) -> bool:
        """Whether the address, where there is one, is one of http or https."""
        try:
            found = urlsplit(self.url or "https://vendor")
            return found.scheme in {"http", "https"} and bool(found.hostname) and found.port != 0
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Access:
    """What each provider is called with. Equal where the settings are."""

    anthropic: Endpoint = Endpoint()
    openai: Endpoint = Endpoint()
    google: Endpoint = Endpoint()
    ollama: Endpoint = Endpoint()

    @classmethod
    def of(cls, endpoints: Mapping[str, tuple[str | None, str | None]]) -> Self:
        """From (key, address) by the provider's name."""
        return cls(**{name: Endpoint(*endpoint) for name, endpoint in endpoints.items()})
