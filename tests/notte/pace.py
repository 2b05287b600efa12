"""A client whose waiting takes no time: its clock goes by what it sleeps."""

from dataclasses import dataclass, field

import anyio

from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.patience import Patience

KEY = "sk-notte-4f9d2c81a7b3e650"


@dataclass(slots=True)
class Naps:
    """What was slept (seconds), and what the clock says."""

    taken: list[float] = field(default_factory=list[float])
    now: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()

    def patience(self) -> Patience:
        """Patience by this clock; of each wait that may be drawn the longest."""
        return Patience(clock=lambda: self.now, chance=lambda: 1.0, sleep=self.sleep)


def client_of(url: str, naps: Naps | None = None, key: str | None = KEY) -> NotteClient:
    """A client of the API at `url`."""
    return NotteClient(CloudAccess(key, url), patience=(naps or Naps()).patience())
