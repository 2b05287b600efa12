"""Whose call this is: the environment and the working folder of the process that the caller started.

In a server of one process they are its own. A connection to a keeper brings those of its relay, which go with its
calls and with all that these begin: the secrets of a run are looked for there, and relative paths begin there. Kept in
memory alone, and handed to no child.

Below: nothing. Above: runs, models, keeper.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Caller:
    """See the module. `folder` is absolute, or empty where it is this process's own."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path

    def path(self, text: str) -> Path:
        """A path as the caller means it."""
        return self.folder / Path(text).expanduser()


_current: ContextVar[Caller | None] = ContextVar("caller", default=None)


def caller() -> Caller:
    """Who called."""
    return _current.get() or Caller(os.environ, Path())


@contextmanager
def called_by(one: Caller) -> Generator[None]:
    """What is called within the block, and begun there, is this one's."""
    token = _current.set(one)
    try:
        yield
    finally:
        _current.reset(token)


def environment() -> Mapping[str, str]:
    """The environment of who called."""
    return caller().environ
