"""Sessions that live on another machine: how they stand there, and their end there.

A session here is a place at one of these. It outlives us, and it ends without us; so what is on our record is asked
after where it matters: before it is gone on with, when somebody wants to know, and when it is said to be gone.

Below: opening, engines.base. Above: registry, and life (by its methods).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

import anyio

from notte_mcp.cloud_errors import CloudUnknown
from notte_mcp.engines.base import Engine, OpenRequest
from notte_mcp.engines.remote import RemoteSession
from notte_mcp.errors import NotteMCPError
from notte_mcp.logs import Log
from notte_mcp.records import SessionRecord
from notte_mcp.registry import opening
from notte_mcp.registry.slot import Slot

ASK_S: Final = 2.0
"""How long it may take to learn how a session stands."""

END_S: Final = 3.5
"""How long one further try to end it may take."""

AGAIN_S: Final = 2.0
"""How long after an end that was not acknowledged it is asked for again."""

log = Log("registry")


class Elsewhere:
    """See the module."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines

    async def stands(self, record: SessionRecord) -> RemoteSession | None:
        """How it stands there; None for one of this machine.

        Raises: CloudError: that could not be learnt; TimeoutError.
        """
        if not record.remote_id:
            return None
        with anyio.fail_after(ASK_S):
            try:
                remote = await opening.engine_of(self._engines, record.spec).remote(record.remote_id)
                return None if remote is None else await remote.session()
            except CloudUnknown:
                return RemoteSession(record.remote_id, is_live=False, state="closed", close_reason="unknown")

    async def heard(self, record: SessionRecord) -> RemoteSession | None:
        """The same; None also where it could not be learnt."""
        try:
            return await self.stands(record)
        except (NotteMCPError, TimeoutError) as error:
            log.info("session.not_asked_after", session=record.id, reason=type(error).__name__)
            return None

    async def is_over(self, record: SessionRecord) -> bool:
        """Whether it is known to have ended there."""
        stands = await self.heard(record)
        return stands is not None and not stands.is_live

    async def until_over(self, slot: Slot) -> None:
        """Ask for its end until that is acknowledged."""
        record = slot.record
        request = OpenRequest(record.id, record.spec, slot.folder, remote_id=record.remote_id)
        while not await self.is_over(record):
            await anyio.sleep(AGAIN_S)
            with anyio.move_on_after(END_S), suppress(NotteMCPError):
                browser = await opening.engine_of(self._engines, record.spec).open(request)
                await browser.close(deadline_s=END_S)


def ended(record: SessionRecord, stands: RemoteSession) -> SessionRecord:
    """The record of a session that has ended there, with the reason that is known there."""
    return replace(record, state="stopped", reason=stands.close_reason or stands.state)
