"""What the proxy can do to a request or to a WebSocket, and what it remembers of one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Reply:
    """This answer, and nothing is passed on. `body`: bytes as they are, a text as HTML, anything else as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Swap:
    """It is passed on and done, and this answer is given in the place of its own."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection breaks before anything is passed on."""


@dataclass(frozen=True, slots=True)
class Lose:
    """It is passed on and done, then the connection breaks: its answer is lost."""


@dataclass(frozen=True, slots=True)
class Half:
    """It is passed on and done; the connection breaks in the middle of the answer's body."""


@dataclass(frozen=True, slots=True)
class Stall:
    """It is taken, and passed on if `passed`; no answer ever comes."""

    passed: bool = False


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer comes `seconds` late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """The WebSocket is not opened: this status."""

    status: int = 403


@dataclass(frozen=True, slots=True)
class Close:
    """The WebSocket is closed in good form with `code`."""

    code: int = 1012
    after: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """The WebSocket's connection breaks."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing more comes over the WebSocket, which stays open."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Junk:
    """These text frames come in between, then the rest as it is."""

    frames: tuple[str, ...] = ("[1]", "not json", "null", "{}")
    after: int = 0


Fault = Reply | Swap | Reset | Lose | Half | Stall | Slow | Refuse | Close | Cut | Silence | Junk
MALFORMED: Final = Reply(200, b'{"session_id": "s1", "status', {"content-type": "application/json"})
HTML: Final = Reply(200, "<html><title>Sign in</title></html>")


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came, whatever was done to it. `path` is without the query; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)
