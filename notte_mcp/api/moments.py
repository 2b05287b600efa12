"""Times as the contract tells them.

Below: nothing. Above: every module that tells a time.
"""

from datetime import UTC, datetime


def moment(seconds: float | None) -> str | None:
    """Unix seconds as UTC in ISO 8601, to the microsecond: of one length, so that texts sort as times do."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
