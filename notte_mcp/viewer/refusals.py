"""What a viewer's page is told where it is not let in, in words for the person who reads them there.

Below: http.refusals. Above: admission, routes.
"""

from typing import Final

from notte_mcp.http.refusals import Refusal

_WHERE: Final = "`notte-mcp viewer` on the machine of the server prints the addresses and the code."

NO_KEY: Final = Refusal(
    401, "no_key", "This address has no key, or a wrong one.", f"Open the whole address, with what follows #. {_WHERE}"
)
VIEW_ONLY: Final = Refusal(403, "view_only", "Who looks may not act: that needs the code.", _WHERE)
WRONG_CODE: Final = Refusal(403, "wrong_code", "This is not the code.", _WHERE)
NO_SUCH_THING: Final = Refusal(404, "no_such_path", "Nothing is at this path.", _WHERE)
NOT_OPEN: Final = Refusal(503, "not_open", "Nothing is live here any more.", "Ask the assistant for a new session.")
FULL: Final = Refusal(
    503, "too_many_views", "This session is watched by as many as it may be.", "Close one of the views, then try again."
)
STALE: Final = Refusal(404, "stale_replay", "This address of a replay is over.", "Open the replay from the view again.")


def locked(seconds: float) -> Refusal:
    """Too many codes were wrong."""
    return Refusal(
        429,
        "locked",
        f"Too many wrong codes: none is looked at for the next {max(1, round(seconds))} seconds.",
        f"Wait, then give the right one. {_WHERE}",
    )


def wrong(what: str, mend: str) -> Refusal:
    """The body of a request is none that is understood."""
    return Refusal(400, "wrong", what, mend)
