"""One SQLite file, opened so that it keeps what it was given.

Below SQLite 3.51.3 a rollback journal with `synchronous=EXTRA`, since write-ahead
logging could corrupt a file with several connections (the WAL-reset bug); from
there on WAL with FULL. A file that is damaged is moved aside, never mended and
never deleted. What is stored is not known here.

Below: errors, migrations, failures, presence. Above: sql.
"""

import json
import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

from filelock import FileLock, Timeout
from pydantic_core import from_json
from sqlalchemy import URL, Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from notte_mcp.errors import StoreTooNew, StoreUnusable
from notte_mcp.store.failures import is_damage, is_lock, unusable, unusable_by
from notte_mcp.store.migrations import LATEST, migrate, schema_version
from notte_mcp.store.presence import Presence

_WAL_IS_SAFE: Final = (3, 51, 3)
_CHECKED_BYTES: Final = 64 * 1024 * 1024
"""A larger file is checked by its first page only: a whole check reads every page of it."""


def journal(version: tuple[int, ...]) -> tuple[str, str]:
    """The journal mode and the `synchronous` level that suit a version of SQLite."""
    # TRUNCATE is as durable as DELETE and spares the folder two changes per commit.
    return ("WAL", "FULL") if version >= _WAL_IS_SAFE else ("TRUNCATE", "EXTRA")


class Database:
    """An open file with one connection. Used from one thread at a time, which it sees to itself.

    `notes` holds what the owner should be told about the opening (a damaged
    file was moved aside).
    """

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self.path = path
        self.notes: tuple[str, ...] = ()
        self._busy_timeout_s = busy_timeout_s
        self._lock = Lock()
        self._begin = "BEGIN"
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None
        self._presence = Presence(path.with_name(f"{path.name}.users"))

    def open(self) -> None:
        """Check the file, move it aside if it is damaged, and bring its schema up to date.

        Raises:
            StoreTooNew: a newer version wrote it; it is left untouched.
            StoreUnusable: locked, read-only, no room, not to be opened.
        """
        # Between the check and the move no other server may open the file, or two
        # would find the damage and the second move the first one's new file away.
        turn = FileLock(f"{self.path}.lock", mode=0o600, thread_local=False, fallback_to_soft=False)
        try:
            with turn.acquire(timeout=self._busy_timeout_s):
                self._presence.enter()
                self._connection = self._open_in_turn()
                self._file = _identity(self.path)
        except Timeout as error:
            raise unusable_by(sqlite3.SQLITE_BUSY, self.path, busy_timeout_s=self._busy_timeout_s) from error
        except OSError as error:
            raise unusable(error, self.path, busy_timeout_s=self._busy_timeout_s) from error
        finally:
            if self._connection is None:
                self._presence.leave()

    @contextmanager
    def transaction(self, *, write: bool) -> Generator[Connection]:
        """A transaction: committed at the end, undone by any error.

        Raises:
            StoreUnusable: see the store's contract.
        """
        with self._lock:
            if self._connection is None:
                raise StoreUnusable(
                    f"The database {self.path} is closed: the server is ending.", next_call="the same call again"
                )
            if write and _identity(self.path) != self._file:
                # SQLite does not always notice, and would write to a file that nobody finds any more.
                raise unusable_by(sqlite3.SQLITE_READONLY_DBMOVED, self.path, busy_timeout_s=self._busy_timeout_s)
            with self._told(), self._transaction(self._connection, write=write):
                yield self._connection

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            if self._connection is not None:
                _end(self._connection)
                self._connection = None
                self._presence.leave()

    def _open_in_turn(self) -> Connection:
        with self._told():
            try:
                return self._connect()
            except (DBAPIError, sqlite3.Error) as error:
                if not is_damage(error):
                    raise
                if not self._presence.alone():
                    raise _damaged_in_use(self.path) from error
                self.notes = (_move_aside(self.path),)
            return self._connect()

    def _connect(self) -> Connection:
        _make_private(self.path)
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            # No isolation level: else the driver would begin transactions by rules of its own.
            connect_args={"timeout": self._busy_timeout_s, "isolation_level": None},
            poolclass=NullPool,
            json_serializer=_to_json,
            json_deserializer=_from_json,
        )
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(self._begin))  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType, reportUnknownMemberType]
        connection = engine.connect()
        try:
            self._prepare(connection)
        except BaseException:
            _end(connection)
            raise
        return connection

    def _prepare(self, connection: Connection) -> None:
        with self._transaction(connection, write=False):
            if (version := schema_version(connection)) > LATEST:
                raise _too_new(self.path, version)
            _check(connection, self.path)
        _set_journal(_driver(connection))
        # Also where there is nothing to migrate: a read-only file is told now and not at the first step.
        with self._transaction(connection, write=True):
            migrate(connection)

    @contextmanager
    def _transaction(self, connection: Connection, *, write: bool) -> Generator[None]:
        # IMMEDIATE, since a transaction that reads first and then wants to write
        # fails at once where another one writes, whatever the busy timeout.
        self._begin = "BEGIN IMMEDIATE" if write else "BEGIN"
        try:
            with connection.begin():
                yield
        except BaseException:
            # A commit that found a reader in its way leaves the transaction open, and SQLAlchemy thinks it over.
            _driver(connection).rollback()
            raise

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            raise unusable(error, self.path, busy_timeout_s=self._busy_timeout_s) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path, whatever was there before; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _make_private(path: Path) -> None:
    # Never opened when it is there: closing it again would take away the locks that
    # another connection of this process has on it.
    if path.exists():
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    else:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_journal(driver: sqlite3.Connection) -> None:
    mode, synchronous = journal(sqlite3.sqlite_version_info)
    try:
        driver.execute(f"PRAGMA journal_mode={mode}")
    except sqlite3.OperationalError as error:
        # A server on another SQLite has the file open in its own mode, which then stays.
        if not is_lock(error):
            raise
    driver.execute(f"PRAGMA synchronous={synchronous}")


def _check(connection: Connection, path: Path) -> None:
    if path.stat().st_size > _CHECKED_BYTES:
        return
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _move_aside(path: Path) -> str:
    aside = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns() % 1_000_000:06d}")
    path.replace(aside)
    # A journal left behind would be played into the new file; beside the old one it helps a rescue.
    for suffix in ("-journal", "-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.replace(aside.with_name(aside.name + suffix))
    return (
        f"The database {path} was damaged. It was moved to {aside} and a new one begun: earlier sessions are not "
        f"listed. `sqlite3 {aside} .recover` may save them."
    )


def _damaged_in_use(path: Path) -> StoreUnusable:
    return StoreUnusable(
        f"The database {path} is damaged, and another notte-mcp has it open.",
        kept="The file is as it was.",
        next_call="end the other notte-mcp, then start the server again: it moves the damaged file aside",
    )


def _too_new(path: Path, version: int) -> StoreTooNew:
    return StoreTooNew(
        f"The database {path} was written by a newer notte-mcp (schema {version}; this one knows {LATEST}).",
        kept="The file is as it was.",
        next_call="update notte-mcp, or set NOTTE_MCP_STATE_DIR to another folder, and start the server again",
    )


def _end(connection: Connection) -> None:
    engine = connection.engine
    connection.close()
    engine.dispose()


def _to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _from_json(text: str) -> Any:
    try:
        return from_json(text)  # in a third of the time, which is what reading a long log waits for
    except ValueError:
        return json.loads(text)  # takes half of a surrogate pair too, and any depth
