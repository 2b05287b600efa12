"""The workflows that are kept by name, each save a version of its own.

Below: store.base, workflows. Above: runs.
"""

import re
from typing import Final

from notte_mcp.registry import Clock
from notte_mcp.runs import refusals
from notte_mcp.store.base import Store
from notte_mcp.workflow_records import WorkflowRecord
from notte_mcp.workflows import Workflow, dump

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAMED: Final = re.compile(r"(?P<name>[^@]*)(?:@(?P<version>[1-9]\d{0,8}))?")


class Saved:
    """See the module."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def save(self, name: str, workflow: Workflow, *, source: str, verified: bool | None = None) -> WorkflowRecord:
        """Keep a workflow as the next version of its name.

        Raises:
            InvalidArgument: the name has characters other than letters, digits, `-`, `_` and `.`, or is too long.
        """
        if _NAME.fullmatch(name) is None:
            raise refusals.bad_name(name)
        now = self._clock.unix()
        at = now if verified is not None else None
        return await self._store.add_workflow(
            WorkflowRecord(name, 0, dump(workflow), source, now, verified=verified, verified_at=at)
        )

    async def workflow(self, name: str) -> WorkflowRecord:
        """A saved workflow: `orders` (its highest version) or `orders@2`. Raises: UnknownWorkflow."""
        found = _NAMED.fullmatch(name)
        record = None
        if found is not None:
            version = found["version"]
            record = await self._store.workflow(found["name"], int(version) if version else None)
        if record is None:
            raise refusals.unknown_workflow(name, [f"{one.name}@{one.version}" for one in await self.workflows()])
        return record

    async def workflows(self, *, limit: int = 100) -> list[WorkflowRecord]:
        """The highest version of each name, newest first."""
        return await self._store.workflows(limit=limit)
