"""Logs: one JSON line per event on stderr, secrets taken out by the names of their keys.

Events are past-tense keys with values (`log.info("session.opened", session=...)`), never
prose, and never arguments or page text. What libraries log through the standard
library takes the same way out. structlog is imported at the first line that is
really written: it costs more than a tenth of the server's whole start.

Below: nothing. Above: everything.
"""

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, Literal, cast

Level = Literal["debug", "info", "warning", "error"]

_LEVELS: Final[dict[Level, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_SECRET: Final = re.compile(
    r"pass(?:word|wd|phrase)?$|secret|token(?!s)|api_?key|authorization|cookie|credential|cvv|otp|storage_state",
    re.IGNORECASE,
)
WITHHELD: Final = "(withheld)"
"""Stands where a secret was."""

_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]+@")


class Log:
    """What a module logs through: `log = Log("registry")`. Costs nothing below the level."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **values: Any) -> None:
        _write("debug", self._name, event, values)

    def info(self, event: str, **values: Any) -> None:
        _write("info", self._name, event, values)

    def warning(self, event: str, **values: Any) -> None:
        _write("warning", self._name, event, values)

    def error(self, event: str, **values: Any) -> None:
        _write("error", self._name, event, values)

    def exception(self, event: str, **values: Any) -> None:
        """An error with the traceback of the exception that is being handled."""
        _write("error", self._name, event, {**values, "exc_info": True})


class _State:
    threshold: int = _LEVELS["warning"]
    logger: Any = None


def configure(level: Level) -> None:
    """Set the level of our own events and of the libraries' (theirs at least `warning`: an SDK's
    lower levels repeat what a caller sent)."""
    _State.threshold = _LEVELS[level]
    root = logging.getLogger()
    root.handlers[:] = [_Bridge()]
    root.setLevel(max(_LEVELS[level], logging.WARNING))


def redact(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without what stands under a key that names a secret, and without user names in URLs."""
    return {str(key): _clean(str(key), value) for key, value in values.items()}


def _clean(key: str, value: Any) -> Any:
    if _SECRET.search(key) and value not in (None, ""):
        return WITHHELD
    if isinstance(value, Mapping):
        return redact(cast(Mapping[str, Any], value))
    if isinstance(value, str):
        return _USERINFO.sub(f"{WITHHELD}@", value)
    return value


def _write(level: Level, name: str, event: str, values: Mapping[str, Any]) -> None:
    if _LEVELS[level] < _State.threshold:
        return
    if _State.logger is None:
        _State.logger = _structlog()
    with suppress(OSError):  # a disk that is full, a pipe that nobody reads: what is logged is not what matters
        getattr(_State.logger, level)(event, log=name, **values)


def _structlog() -> Any:
    import structlog

    def without_secrets(_logger: Any, _method: str, event: Any) -> dict[str, Any]:
        return redact(event)

    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.processors.JSONRenderer(default=str),
        ],
    )


class _Bridge(logging.Handler):
    """The standard library's records, written as our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        values: dict[str, Any] = {"exc_info": record.exc_info} if record.exc_info else {}
        try:
            _write(level, record.name, record.getMessage(), values)
        except Exception:  # noqa: BLE001 - a log line must never end a call; logging's own way of saying so
            self.handleError(record)
