"""What the registry says when it cannot do what was asked: texts only.

Below: errors, records, engines.remote. Above: the rest of the registry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from notte_mcp.cloud_errors import CloudUnavailable
from notte_mcp.engines.remote import ENDED_THERE
from notte_mcp.errors import (
    InvalidAction,
    LimitReached,
    SessionBusy,
    SessionChoice,
    SessionLost,
    SessionNotLive,
    UnknownSession,
)
from notte_mcp.observations import cut_middle
from notte_mcp.records import LIVE_STATES, SessionRecord, SessionState

RESTORABLE: Final[frozenset[SessionState]] = frozenset({"interrupted", "failed"})
"""States from which `Registry.restore` gives a session a new browser."""

_NAMED: Final = 20
_URL_CHARS: Final = 200

NOTHING_DONE: Final = "Nothing was done."


@dataclass(frozen=True, slots=True)
class Live:
    """A live session as a refusal names it."""

    id: str
    url: str
    idle_s: float

    def __str__(self) -> str:
        return f"{self.id} ({cut_middle(self.url, _URL_CHARS) or 'no page yet'}, idle {span(self.idle_s)})"


def _listed(live: Sequence[Live]) -> str:
    """The first of them, and how many more."""
    more = f"; and {len(live) - _NAMED} more" if len(live) > _NAMED else ""
    return "; ".join(str(one) for one in live[:_NAMED]) + more


def span(seconds: float) -> str:
    """Seconds as a person says them: `3 s`, `4 min`, `2 h`."""
    if seconds < 100:  # noqa: PLR2004 - up to a minute and a half, seconds are read more easily
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"  # noqa: PLR2004 - the same


def unknown(session_id: str) -> UnknownSession:
    """No session has this id."""
    return UnknownSession(
        f"There is no session {session_id!r}.", next_call="notte_status() lists the sessions there are"
    )


def choice(live: Sequence[Live], restorable: Sequence[SessionRecord]) -> SessionChoice:
    """No id was given, and not exactly one session is live."""
    if live:
        return SessionChoice(
            f"{len(live)} sessions are live: {_listed(live)}.",
            next_call=f"the same call with the id of one, such as {live[0].id}",
        )
    if restorable:
        first = restorable[0]
        return SessionChoice(
            f"No session is live. {first.id} ({first.url or 'no page'}) is {first.state} and can be restored.",
            next_call=f'notte_start(session_id="{first.id}"), or notte_start() for a new one',
        )
    return SessionChoice("No session is live.", next_call="notte_start()")


def not_live(
    record: SessionRecord,
    *,
    owner: str,
    done: str = NOTHING_DONE,
    becomes: SessionState | None = None,
    because: str = "",
) -> SessionNotLive:
    """A recorded session without a browser of ours. One that is `stopping` is soon what it `becomes`, `because` of that."""
    reason = record.reason or because
    what = f"Session {record.id} is {record.state}" + (f" ({reason})." if reason else ".")
    kept = f"Its {record.step_count} steps can be read."
    if record.state in LIVE_STATES and record.owner != owner:
        return SessionNotLive(
            f"Session {record.id} is live in another server process, and only that one can use it.",
            next_call="notte_start() for a session of this server",
        )
    if record.state == "stopping" and becomes in RESTORABLE:
        what = f"Session {record.id} is stopping, since its server is ending; it is kept."
    if record.state in RESTORABLE or (record.state == "stopping" and becomes in RESTORABLE):
        return SessionNotLive(
            what, done=done, kept=kept, next_call=f'notte_start(session_id="{record.id}") restores it'
        )
    if record.remote_id:
        what = what.replace("Session", "Cloud session", 1)
    return SessionNotLive(what, done=done, kept=kept, next_call=f"{_another(record)} for a new one")


def _another(record: SessionRecord) -> str:
    how = [f'url="{record.url}"'] if record.url else []
    how += ['session={"engine": "notte"}'] if record.spec.engine == "notte" else []
    return f"notte_start({', '.join(how)})"


def ending() -> SessionNotLive:
    """Nothing new begins here any more; the next call finds the next server."""
    return SessionNotLive("This server is ending.", next_call="the same call again")


def busy(session_id: str, *, what: str, since_s: float, waited_s: float) -> SessionBusy:
    """Another call holds the session."""
    return SessionBusy(
        f"Session {session_id} is busy: {what} since {span(since_s)} (waited {span(waited_s)} for it).",
        next_call=f'notte_status(id="{session_id}", wait_seconds=30), then the same call',
    )


def gone(session_id: str) -> SessionNotLive:
    """A session that is recorded and has no browser here."""
    return SessionNotLive(
        f"Session {session_id} is not live in this server.",
        next_call=f'notte_start(session_id="{session_id}") restores it if it can be',
    )


def held(session_id: str, agent_id: str) -> SessionBusy:
    """Another agent has the session."""
    return SessionBusy(
        f"Agent {agent_id} works in session {session_id}, and a session has one agent at a time.",
        next_call=f'notte_status(id="{agent_id}", wait_seconds=30), or notte_stop(id="{agent_id}"), then the same call',
    )


def taken(session_id: str, *, since_s: float) -> SessionBusy:
    """A person has the session."""
    return SessionBusy(
        f"A person has taken over session {session_id} in the live view, {span(since_s)} ago; you may observe, not act.",
        done=NOTHING_DONE,
        next_call=f'notte_status(id="{session_id}", wait_seconds=45, until="done") comes back when it is given back; '
        "then notte_observe, since the page is another one, and act",
    )


def not_taken(session_id: str) -> SessionBusy:
    """A person acts in a session that nobody took over for him."""
    return SessionBusy(
        f"Session {session_id} is not taken over (any more), and others may be acting in it.",
        done=NOTHING_DONE,
        next_call="take over in the live view, then the same again",
    )


def secret_by_key(session_id: str, name: str) -> InvalidAction:
    """A character of a secret, that would be written down as it is."""
    return InvalidAction(
        f"The field that has the focus in session {session_id} takes the secret {name}, which is never written down.",
        next_call="its whole text as one fill",
    )


def lost(record: SessionRecord, detail: str, *, done: str) -> SessionLost:
    """The browser behind a session went away."""
    why = f": {detail.rstrip('.')}" if detail else ""
    if record.remote_id and detail.startswith(ENDED_THERE):
        return SessionLost(
            f"The cloud session behind {record.id} has ended{detail.removeprefix(ENDED_THERE).rstrip('.')}.",
            done=done,
            kept=f"Its {record.step_count} steps are kept.",
            next_call=f"{_another(record)} for a new one",
        )
    if record.remote_id:
        return SessionLost(
            f"The cloud session behind {record.id} does not answer any more{why}.",
            done=done,
            kept=f"Its {record.step_count} steps are kept.",
            next_call=f'notte_status(id="{record.id}"), which tells whether it lives on there, and why not',
        )
    return SessionLost(
        f"The browser of session {record.id} is gone{why}.",
        done=done,
        kept=f"Its {record.step_count} steps and its last saved logins are kept.",
        next_call=f'notte_start(session_id="{record.id}") restores it in a new browser at its last url',
    )


def unheard(record: SessionRecord, *, within_s: float) -> CloudUnavailable:
    """Nobody knows how a session on another machine stands."""
    return CloudUnavailable(
        f"The cloud did not tell within {span(within_s)} how session {record.id} stands there.",
        kept="It is as it was.",
        next_call=f'notte_status(id="{record.id}"), then the same call',
    )


def out_of_steps(record: SessionRecord, limit: int, asked: int) -> LimitReached:
    """The session's log is as long as it may be."""
    url = f'url="{record.url}"' if record.url else ""
    return LimitReached(
        f"Session {record.id} has {record.step_count} steps, and a session has at most {limit} (max_steps_per_session); "
        f"{asked} more were asked for.",
        kept="Its page is as it was, it can be observed, and its steps can be read and made a script of.",
        next_call=f"notte_start({url}) for a new session that goes on there",
    )


def full(limit: int, live: Sequence[Live], *, others: int = 0) -> LimitReached:
    """All places are taken, so many of them by `others`, who are not named."""
    listed = _listed(live)
    if others:
        listed = f"{others} of other users, " + (f"and yours: {listed}" if live else "none of yours")
    if not live:
        return LimitReached(
            f"This server runs at most {limit} sessions at once; live now: {listed}.",
            next_call="the same call in some minutes: a session that is idle ends by itself",
        )
    longest = max(live, key=lambda one: one.idle_s)
    return LimitReached(
        f"This server runs at most {limit} sessions at once; live now: {listed}.",
        next_call=f'notte_stop(id="{longest.id}") (the one idle longest), or use a live one',
    )
