"""What went wrong with a provider, in our words: refused for good, or not available now.

No text of ours holds a key: the provider's own words are cleaned, cut, and searched
for it (some repeat a part of the key that they refuse).

Below: errors, access, pydantic_ai. Above: providers.
"""

import re
from typing import Any, Final, NamedTuple, cast

from pydantic_ai import exceptions as theirs

from notte_mcp.errors import ModelRefused, ModelUnavailable
from notte_mcp.models.access import Endpoint
from notte_mcp.observations import clean_line

MAX_SAID_CHARS: Final = 300

HIDDEN: Final = "[key]"

# Keys by their looks, whole or with their middle starred out.
_LIKE_A_KEY: Final = re.compile(r"\b(?:sk-|AIza|Bearer\s+)[\w.*…-]{3,}")

_AGAIN_LATER: Final = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which asking again may help."""

_KEY_REFUSED: Final = frozenset({401, 403})

_OTHERWISE: Final = 'leave the task to the assistant: notte_start(driver="assistant", task=...)'


class _Reading(NamedTuple):
    """How an error of theirs is told: the first kind in `_READINGS` that it is."""

    kind: type[Exception]
    words: str
    again: bool
    next_call: str = ""


_READINGS: Final = (
    _Reading(theirs.ModelAuthenticationError, "refused the key", again=False, next_call="set {key} to a valid one"),
    _Reading(
        theirs.ModelNotFoundError,
        "is not known to its provider",
        again=False,
        next_call="check the model's name and the provider's base URL",
    ),
    _Reading(theirs.ModelQuotaExceededError, "has no quota left", again=False, next_call=_OTHERWISE),
    _Reading(
        theirs.ModelContextWindowExceededError,
        "takes no request of this length",
        again=False,
        next_call="name a model that takes more",
    ),
    _Reading(theirs.ModelRateLimitError, "limits the rate", again=True),
    _Reading(theirs.ModelTimeoutError, "gave no answer in time", again=True),
    _Reading(theirs.ModelRequestTimeout, "gave no answer in time", again=True),
    _Reading(theirs.ModelConnectionError, "could not be reached, or hung up", again=True),
    _Reading(theirs.ContentFilterError, "refused by its content filter", again=False, next_call=_OTHERWISE),
)


def mishap(error: Exception, *, name: str, endpoint: Endpoint, key_name: str) -> ModelRefused | ModelUnavailable:
    """Our error for what a vendor raised."""
    reading = next((reading for reading in _READINGS if isinstance(error, reading.kind)), None) or _otherwise(error)
    status = f" (HTTP {error.status_code})" if isinstance(error, theirs.ModelHTTPError) else ""
    what = f"{name} {reading.words}{status}: {_said(error, endpoint)}"
    what = what if what.endswith((".", "!", "?")) else f"{what}."
    if not reading.again:
        return ModelRefused(what, done="", next_call=reading.next_call.format(key=key_name or "the server's key"))
    after = error.retry_after if isinstance(error, theirs.ModelAPIError) else None
    return ModelUnavailable(what, retry_after_s=after, done="")


def _otherwise(error: Exception) -> _Reading:
    """Where the kind alone does not tell."""
    match error:
        case theirs.ModelHTTPError() if error.status_code in _KEY_REFUSED:
            return _READINGS[0]
        case theirs.ModelHTTPError():
            again = error.status_code >= 500 or error.status_code in _AGAIN_LATER  # noqa: PLR2004
            words = "failed" if again else "refused the request"
            return _Reading(type(error), words, again=again, next_call=_OTHERWISE)
        case theirs.UserError() | UnicodeError():
            words = f"could not be asked ({type(error).__name__})"
            return _Reading(type(error), words, again=False, next_call=_OTHERWISE)
        case _:
            # Some of their readers fall over a body of another shape with whatever error that comes to.
            return _Reading(type(error), "gave an answer that is not its protocol's", again=True)


def _said(error: Exception, endpoint: Endpoint) -> str:
    """The provider's own words, without secrets."""
    body = error.body if isinstance(error, theirs.ModelHTTPError) else None
    text = _message_in(body) or (body if isinstance(body, str) else "") or str(_root(error)).partition("\n")[0]
    return clean_line(without_secrets(text, endpoint), MAX_SAID_CHARS) or type(error).__name__


def _root(error: BaseException) -> BaseException:
    """What a failed connection comes down to, since the clients say no more than "Connection error."."""
    if isinstance(error, theirs.ModelConnectionError):
        while error.__cause__ is not None and str(error.__cause__):
            error = error.__cause__
    return error


def _message_in(body: object) -> str | None:
    if not isinstance(body, dict):
        return None
    fields = cast(dict[str, Any], body)
    if isinstance(fields.get("error"), dict):
        return _message_in(fields["error"])
    return next(
        (text for key in ("message", "error", "detail") if isinstance(text := fields.get(key), str) and text), None
    )


def without_secrets(text: str, endpoint: Endpoint) -> str:
    """`text` with the endpoint's secrets, and whatever looks like a key, replaced."""
    for secret in sorted(endpoint.secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN).replace(repr(secret)[1:-1], HIDDEN)
    return _LIKE_A_KEY.sub(HIDDEN, text)
