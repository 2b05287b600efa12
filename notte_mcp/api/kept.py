"""What the API remembers of a session while its process lives, besides the record: what the contract needs and no record has.

Start fields are not here: they are in `SessionSpec.cloud`, on disk.

Below: nothing. Above: calls, and every endpoint that remembers something.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

import anyio

MAX_SESSIONS: Final = 1_024
"""Of more, what was not asked for longest is forgotten; a session is none the worse, it only has to be observed again."""


@dataclass(slots=True)
class KeptSession:
    """Of one session. `ids` maps the ids of its last observation, as the contract spells them, to ours; `facts` is for
    what else an endpoint has to know the next time, by its own name; `uploading` is held by who puts a file there."""

    ids: dict[str, str] = field(default_factory=dict[str, str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    uploading: anyio.Lock = field(default_factory=anyio.Lock)


class Kept:
    """By session id."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, KeptSession] = OrderedDict()

    def of(self, session_id: str) -> KeptSession:
        """What is remembered of a session; it may be changed."""
        found = self._sessions.setdefault(session_id, KeptSession())
        self._sessions.move_to_end(session_id)
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return found

    def forget(self, session_id: str) -> None:
        """The session has ended."""
        self._sessions.pop(session_id, None)
