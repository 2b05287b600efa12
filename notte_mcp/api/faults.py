"""What goes wrong, as the Notte contract spells it: a status, a body that SDKs read, and `x-error-class` where a page was
at fault.

    {"detail": ..., "message": ..., "error": ..., "status": ...}
    422: {"detail": [{"type", "loc", "msg", "input"?}]}

Our errors name calls of the MCP tools as the next thing to do; here these are left out, since who reads them has an SDK.
What is to be mended on the machine itself is said, since nobody else knows it.

Below: encoding; errors, cloud_errors. Above: calls, routes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from starlette.responses import Response

from notte_mcp import errors
from notte_mcp.api.encoding import JsonAnswer
from notte_mcp.cloud_errors import CloudError

EXECUTION: Final = {"x-error-class": "NotteApiExecutionError"}
"""The SDK makes its NotteAPIExecutionError of it."""

_MAX_INPUT: Final = 200


class ApiFault(Exception):
    """An answer that is none. `detail` is a sentence, or FastAPI's list; `error` is its class; `more` are further
    fields of the body."""

    def __init__(
        self,
        status: int,
        detail: str | Sequence[Mapping[str, Any]],
        *,
        error: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail if isinstance(detail, str) else "Validation error")
        self.status = status
        self.detail = detail
        self.error = error or _NAMES.get(status, "NotteApiError")
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    @property
    def body(self) -> dict[str, Any]:
        if not isinstance(self.detail, str):
            return {"detail": list(self.detail)}
        return {"detail": self.detail, "message": str(self), "error": self.error, "status": self.status, **self.more}

    def answer(self) -> Response:
        """It as a response."""
        return JsonAnswer(self.body, status_code=self.status, headers=self.headers)


_NAMES: Final = {
    400: "BadRequest",
    401: "AuthenticationError",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    422: "InvalidRequestError",
    429: "TooManyRequests",
    500: "NotteApiError",
    501: "NotImplemented",
    503: "ServiceUnavailable",
}

_STATUS: Final[tuple[tuple[type[errors.NotteMCPError], int], ...]] = (
    (errors.UnknownSession, 404),
    (errors.UnknownAgent, 404),
    (errors.UnknownResource, 404),
    (errors.UnknownWorkflow, 404),
    (errors.NothingRecorded, 404),
    (errors.InvalidArgument, 422),
    (errors.InvalidAction, 422),
    (errors.UnsupportedUrl, 422),
    (errors.UploadRefused, 422),
    (errors.ModelMissing, 422),
    (errors.ModelUnknown, 422),
    (errors.SessionNotLive, 400),
    (errors.AgentEnded, 400),
    (errors.SessionBusy, 409),
    (errors.ProfileLocked, 409),
    (errors.LimitReached, 429),
    (errors.ModelUnavailable, 503),
    (errors.NeedsCloud, 501),
    (errors.ExtraMissing, 501),
)

_PAGE: Final = (
    errors.UnknownElement, errors.StaleElement, errors.SelectorNotFound, errors.SelectorAmbiguous,
    errors.NotActionable, errors.ActionTimeout, errors.ActionFailed, errors.PageLoadFailed, errors.PageNotResponding,
    errors.PageCrashed, errors.UnknownView, errors.SessionLost,
)  # fmt: skip
"""What a page or its browser is at fault of, as an answer's failure; that of an action is a result with `success: false`."""


_OF_MACHINE: Final = (errors.BrowserMissing, errors.BrowserLaunchFailed)
_OUR_START: Final = re.compile(r"(?:call )?notte_start")


def _mend(error: errors.NotteMCPError) -> str:
    """What mends it here, where that is no call of a tool."""
    if not isinstance(error, _OF_MACHINE) and "`notte-mcp " not in error.next_call:
        return ""
    return f"Next: {_OUR_START.sub('the same call', error.next_call)}."


def fault_of(error: errors.NotteMCPError) -> ApiFault:
    """One of our errors as a fault of the API."""
    said = " ".join(part for part in (error.what, error.done, error.kept, _mend(error)) if part)
    name = type(error).__name__
    if isinstance(error, _PAGE):
        return ApiFault(500, said, error=name, headers=EXECUTION)
    if isinstance(error, CloudError):
        return ApiFault(error.status or 502, said, error=name)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    headers = {"retry-after": "5"} if status == 429 else None  # noqa: PLR2004 - the status says what it is
    return ApiFault(status, said, error=name, headers=headers)


def unknown(what: str, id: str) -> ApiFault:  # noqa: A002 - the contract's name
    """Nothing has this id: `what` is `session`, `file`."""
    return ApiFault(404, f"Not Found: there is no {what} {id!r}.")


def not_served(why: str) -> ApiFault:
    """What this API does not serve, and why."""
    return ApiFault(501, why)


def missing(where: str, name: str) -> ApiFault:
    """A field that has to be there is not."""
    return ApiFault(422, [{"type": "missing", "loc": [where, name], "msg": "Field required", "input": None}])


def wrong(where: str, name: str, kind: str, said: str, given: Any = None) -> ApiFault:
    """A field's value does not fit; `kind` is pydantic's word for it."""
    return ApiFault(422, [{"type": kind, "loc": [where, name] if name else [where], "msg": said, **_input(given)}])


def invalid(error: ValidationError, *, where: str = "body", at: Sequence[str] = ()) -> ApiFault:
    """What pydantic found, in the form in which FastAPI tells it; `at` is the part of the body that was looked at."""
    return ApiFault(
        422,
        [
            {"type": one["type"], "loc": [where, *at, *one["loc"]], "msg": one["msg"], **_input(one["input"])}
            for one in error.errors(include_url=False, include_context=False)
        ],
    )


def _input(given: Any) -> dict[str, Any]:
    """What was given, where that is short: who gave it knows it."""
    if given is None or isinstance(given, bool | int | float):
        return {"input": given}
    return {"input": given[:_MAX_INPUT]} if isinstance(given, str) and len(given) <= _MAX_INPUT else {}
