"""The requests of one connection that are not answered yet: so many are begun, some more wait, the rest is refused.

Everything is read at once, so that a cancellation, or an answer to what the server asked, is never behind a
request that waits. A subscription is open for as long as its connection, and has a count of its own.

Below: frames. Above: conversation.
"""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final, Literal

from mcp.types import JSONRPCError, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from notte_mcp.keeper.frames import MAX_FRAME

MAX_BEGUN: Final = 64
"""Requests of one connection at the same time."""

MAX_OPEN: Final = 64
"""Subscriptions of one connection at the same time."""

MAX_WAITING: Final = 1_024
"""Requests that wait for their turn."""

MAX_WAITING_BYTES: Final = 2 * MAX_FRAME
"""Bytes of them."""

LISTEN: Final = "subscriptions/listen"

Verdict = Literal["begin", "wait", "refuse"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that was read and not begun; `size` is that of its line in bytes."""

    message: JSONRPCRequest
    size: int


class Flight:
    """See the module. An id that is used twice at the same time is counted twice."""

    def __init__(self) -> None:
        self._begun: Counter[int | str] = Counter()
        self._open: Counter[int | str] = Counter()
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0

    def admit(self, message: JSONRPCMessage, size: int) -> Verdict:
        """What becomes of a message; one that may begin is counted, one that waits is kept."""
        if not isinstance(message, JSONRPCRequest):
            if isinstance(message, JSONRPCNotification):
                self._forget(message)
            return "begin"
        if message.method == LISTEN:
            if self._open.total() >= MAX_OPEN:
                return "refuse"
            self._open[message.id] += 1
            return "begin"
        if self._begun.total() < MAX_BEGUN:
            self._begun[message.id] += 1
            return "begin"
        if len(self._waiting) >= MAX_WAITING or self._bytes + size > MAX_WAITING_BYTES:
            return "refuse"
        self._waiting.append(Waiting(message, size))
        self._bytes += size
        return "wait"

    def settle(self, asked: int | str) -> None:
        """A request was answered, or will never be."""
        for held in (self._begun, self._open):
            if held.get(asked):
                held[asked] -= 1
                if not held[asked]:
                    del held[asked]
                return

    def next(self) -> JSONRPCRequest | None:
        """The request whose turn it is now, counted; None when none waits or there is no room."""
        if not self._waiting or self._begun.total() >= MAX_BEGUN:
            return None
        first = self._waiting.popleft()
        self._bytes -= first.size
        self._begun[first.message.id] += 1
        return first.message

    def _forget(self, message: JSONRPCNotification) -> None:
        """A request that is cancelled while it waits is not begun, and not answered either (the protocol's rule)."""
        if message.method != "notifications/cancelled" or not self._waiting:
            return
        asked: object = (message.params or {}).get("requestId")
        self._waiting = deque(one for one in self._waiting if one.message.id != asked)
        self._bytes = sum(one.size for one in self._waiting)


def answers(message: JSONRPCMessage) -> int | str | None:
    """The id of the request that a message of the server answers."""
    return message.id if isinstance(message, JSONRPCResponse | JSONRPCError) else None
