"""What can go wrong with the Notte cloud, in words for the assistant that reads them.

Each says, as every error of ours, whether anything was done: of a request whose answer was lost it says that nobody knows.

Below: errors. Above: engines, registry, agents, tools.
"""

from notte_mcp.errors import NotteMCPError


class CloudError(NotteMCPError):
    """The Notte API did not do what was asked. `status` is its HTTP status (None: there was no answer), and
    `retry_after_s` what it said about trying again (seconds)."""

    code = "cloud_error"

    def __init__(
        self, what: str, *, status: int | None = None, retry_after_s: float | None = None, **rest: str
    ) -> None:
        super().__init__(what, **rest)
        self.status = status
        self.retry_after_s = retry_after_s


class CloudKeyMissing(CloudError):
    """No key for the Notte API is configured."""

    code = "cloud_key_missing"


class CloudKeyRefused(CloudError):
    """The Notte API refuses the key (401, 403)."""

    code = "cloud_key_refused"


class CloudNoCredit(CloudError):
    """The account has no credit, or its plan does not hold this (402)."""

    code = "cloud_no_credit"


class CloudUnknown(CloudError):
    """The Notte API knows no such thing: an id it never gave or has forgotten, or a route it does not have (404, 410)."""

    code = "cloud_unknown"


class CloudRefused(CloudError):
    """The Notte API does not take the request as it is (400, 409, 422): asking again would change nothing."""

    code = "cloud_refused"


class CloudUnavailable(CloudError):
    """The Notte API is down, overloaded, limits the rate, or cannot be reached (429, 5xx, no connection)."""

    code = "cloud_unavailable"


class CloudUnreached(CloudUnavailable):
    """No connection to the Notte API could be made: it certainly was asked nothing."""


class CloudNotNotte(CloudError):
    """What answers at the API's address is not the Notte API: HTML of a proxy, or JSON of something else."""

    code = "cloud_not_notte"
