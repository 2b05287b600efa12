"""The database's schema, as numbered steps that are only ever appended to.

Migration n leads from schema n - 1 to n; `PRAGMA user_version` says where a file
stands. What is written here is never edited after a release: the SQL is literal
on purpose, so that it does not move when `tables` does.

Below: SQLAlchemy. Above: database.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection


def _sessions_steps_requests(connection: Connection) -> None:
    for statement in (
        """CREATE TABLE sessions (
            id TEXT NOT NULL PRIMARY KEY,
            owner TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL,
            spec TEXT NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            url TEXT NOT NULL,
            title TEXT NOT NULL,
            step_count INTEGER NOT NULL,
            view INTEGER NOT NULL,
            id_counters TEXT NOT NULL,
            storage_saved_at REAL
        )""",
        "CREATE INDEX sessions_by_age ON sessions (created_at)",
        """CREATE TABLE steps (
            session_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            actor TEXT NOT NULL,
            state TEXT NOT NULL,
            action TEXT NOT NULL,
            started_at REAL NOT NULL,
            ended_at REAL,
            receipt TEXT,
            url TEXT NOT NULL,
            PRIMARY KEY (session_id, number)
        )""",
        """CREATE TABLE requests (
            request_id TEXT NOT NULL PRIMARY KEY,
            tool TEXT NOT NULL,
            digest TEXT NOT NULL,
            owner TEXT NOT NULL,
            claimed_at REAL NOT NULL,
            answer TEXT
        )""",
    ):
        connection.exec_driver_sql(statement)


def _agents(connection: Connection) -> None:
    for statement in (
        """CREATE TABLE agents (
            id TEXT NOT NULL PRIMARY KEY,
            owner TEXT NOT NULL,
            state TEXT NOT NULL,
            spec TEXT NOT NULL,
            session_id TEXT NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            ended_at REAL,
            reason TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            step_count INTEGER NOT NULL,
            success INTEGER,
            answer TEXT,
            result TEXT,
            question TEXT,
            usage TEXT NOT NULL
        )""",
        "CREATE INDEX agents_by_age ON agents (created_at)",
        """CREATE TABLE agent_events (
            agent_id TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            after_step INTEGER NOT NULL,
            at REAL NOT NULL,
            event TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (agent_id, sequence)
        )""",
        "ALTER TABLE steps ADD COLUMN agent_id TEXT",
        "ALTER TABLE steps ADD COLUMN agent_step INTEGER",
        # Partial: a step that belongs to no agent costs nothing here.
        "CREATE INDEX steps_by_agent ON steps (agent_id, agent_step) WHERE agent_id IS NOT NULL",
    ):
        connection.exec_driver_sql(statement)


def _workflows(connection: Connection) -> None:
    for statement in (
        "ALTER TABLE sessions ADD COLUMN seen TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE steps ADD COLUMN saw TEXT NOT NULL DEFAULT '[]'",
        """CREATE TABLE workflows (
            name TEXT NOT NULL,
            version INTEGER NOT NULL,
            content TEXT NOT NULL,
            source TEXT NOT NULL,
            created_at REAL NOT NULL,
            verified INTEGER,
            verified_at REAL,
            PRIMARY KEY (name, version)
        )""",
        # What a run tells is read as a whole, so all but what it is found by is one column.
        """CREATE TABLE runs (
            id TEXT NOT NULL PRIMARY KEY,
            owner TEXT NOT NULL,
            state TEXT NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            record TEXT NOT NULL
        )""",
        "CREATE INDEX runs_by_age ON runs (created_at)",
    ):
        connection.exec_driver_sql(statement)


def _logs(connection: Connection) -> None:
    for statement in (
        "ALTER TABLE steps ADD COLUMN usage TEXT",
        "ALTER TABLE agent_events ADD COLUMN session_id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE agent_events ADD COLUMN session_step INTEGER NOT NULL DEFAULT 0",
        # What was written before stands after the agent's step that it follows, else before its first one.
        """UPDATE agent_events SET session_id = coalesce(
            (SELECT session_id FROM steps WHERE steps.agent_id = agent_events.agent_id AND agent_step <= after_step
             ORDER BY agent_step DESC LIMIT 1),
            (SELECT session_id FROM steps WHERE steps.agent_id = agent_events.agent_id ORDER BY agent_step LIMIT 1),
            (SELECT session_id FROM agents WHERE id = agent_events.agent_id), '')""",
        """UPDATE agent_events SET session_step = coalesce(
            (SELECT number FROM steps WHERE steps.agent_id = agent_events.agent_id AND agent_step <= after_step
             ORDER BY agent_step DESC LIMIT 1),
            (SELECT number - 1 FROM steps WHERE steps.agent_id = agent_events.agent_id ORDER BY agent_step LIMIT 1),
            0)""",
        "CREATE INDEX events_by_session ON agent_events (session_id, session_step)",
    ):
        connection.exec_driver_sql(statement)


def _remote_ids(connection: Connection) -> None:
    for table in ("sessions", "agents"):
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN remote_id TEXT NOT NULL DEFAULT ''")


Migration = Callable[[Connection], None]

MIGRATIONS: Final[tuple[Migration, ...]] = (_sessions_steps_requests, _agents, _workflows, _logs, _remote_ids)
"""Every migration, oldest first."""

LATEST: Final = len(MIGRATIONS)
"""The schema that this version reads and writes."""


def schema_version(connection: Connection) -> int:
    """The schema of the open file; 0 is an empty one."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def migrate(connection: Connection) -> None:
    """Bring the file to `LATEST`. The caller's transaction makes it all or nothing."""
    for number, migration in enumerate(MIGRATIONS[schema_version(connection) :], schema_version(connection) + 1):
        migration(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
