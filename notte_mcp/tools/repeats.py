"""Calls that carry a `request_id`: run once, answered the same each time.

The work runs beside the call, so that a caller who gives up and asks again finds it
done or still going, never done twice. The claim and the answer are in the store and
so outlive the server. A call that did nothing gives its id back.

Below: store. Above: start and execute.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from notte_mcp.errors import NotteMCPError, RequestIdConflict
from notte_mcp.logs import Log
from notte_mcp.store.base import Claim, Store

log = Log("tools.repeats")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: its `answer` as JSON. `void` where nothing was done, so that it may be tried again."""

    answer: Any
    void: bool = False


Run = Callable[[], Awaitable[Outcome]]


@dataclass(slots=True)
class _Flight:
    digest: str
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Any = None
    error: Exception | None = None


class Repeats:
    """See the module. `group` is where the work runs; whoever runs the server sets it."""

    group: TaskGroup

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    async def once(
        self, request_id: str, *, store: Store, owner: str, tool: str, arguments: Mapping[str, Any], run: Run
    ) -> Any:
        """The answer of `run`, or of the call that had this id before; a repeat waits for a call that is going on.

        Raises:
            RequestIdConflict: the id was used with other arguments, or its call never finished.
            StoreUnusable: the claim could not be written; nothing was done.
        """
        digest = digest_of(tool, arguments)
        flight = self._flights.get(request_id)
        if flight is None:
            flight = self._flights[request_id] = _Flight(digest)
            claim = partial(store.claim, request_id, tool=tool, digest=digest, owner=owner)
            self.group.start_soon(self._fly, request_id, flight, store, claim, run)
        elif flight.digest != digest:
            raise _other_arguments(request_id)
        await flight.done.wait()
        if flight.error is not None:
            raise flight.error
        return flight.answer

    async def _fly(
        self, request_id: str, flight: _Flight, store: Store, claim: Callable[[], Awaitable[Claim]], run: Run
    ) -> None:
        try:
            flight.answer = await self._answer(request_id, store, await claim(), run)
        except Exception as error:  # noqa: BLE001 - handed to the callers, who turn it into an answer
            flight.error = error
        finally:
            del self._flights[request_id]
            flight.done.set()

    async def _answer(self, request_id: str, store: Store, claim: Claim, run: Run) -> Any:
        if not claim.same:
            raise _other_arguments(request_id)
        if not claim.fresh:
            if claim.answer is None:
                raise _never_finished(request_id)
            return claim.answer
        outcome = await run()
        try:
            await (store.unclaim(request_id) if outcome.void else store.answer(request_id, outcome.answer))
        except NotteMCPError as error:
            # What was done is done, and its caller is to hear of it; a repeat will be told it never finished.
            log.error("repeats.answer_not_kept", code=error.code)
        return outcome.answer


def digest_of(tool: str, arguments: Mapping[str, Any]) -> str:
    """A digest of a call that does not depend on the order of its arguments."""
    text = json.dumps([tool, arguments], sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _other_arguments(request_id: str) -> RequestIdConflict:
    return RequestIdConflict(
        f"The request_id {request_id!r} was used for a call with other arguments.",
        next_call="the same call with a new request_id",
    )


def _never_finished(request_id: str) -> RequestIdConflict:
    return RequestIdConflict(
        f"The call with request_id {request_id!r} was begun and its server ended before it was over.",
        done="Whether it was done is unknown; it was not done again.",
        kept="Its steps are in the session's log.",
        next_call="notte_status() to see what happened; then a new request_id to do it again",
    )
