"""An agent's hold on a session: its steps carry the agent's name and numbers, and the agent says who may act.

The registry knows agents only by this contract. Whoever has the hold is asked before
an action and told after it, in the same turn in which the outcome is on disk.

Below: the nouns. Above: slot, batch, registry; `agents` implements it.
"""

from typing import Protocol

from notte_mcp.actions import Action
from notte_mcp.errors import NotteMCPError
from notte_mcp.receipts import Receipt
from notte_mcp.records import StepRecord, Usage


class Hold(Protocol):
    """See the module. But for `intended`, nothing in here waits."""

    @property
    def agent_id(self) -> str: ...

    @property
    def step_count(self) -> int:
        """The agent's number of its last step."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether the session's idle limit stands still."""
        ...

    def refusal(self, by: str | None) -> NotteMCPError | None:
        """Why `by` (an agent's id, or None for a caller) may not act in the session now."""
        ...

    async def intended(self, *, by: str | None) -> None:
        """The intents of a batch of `by` are on disk and its secrets known; nothing of it has been begun.

        Raises: StoreUnusable: nothing is begun then.
        """
        ...

    def spent(self, *, by: str | None) -> Usage | None:
        """What deciding the batch of `by` has used; it goes with the batch's first step."""
        ...

    def stops(self, action: Action, *, by: str | None) -> str:
        """Why `action` of `by` may not be begun, or "": then it is begun, and `settled` says that it is over."""
        ...

    def begun(self, step: StepRecord) -> None:
        """The step, as an intent, whose action is begun now."""
        ...

    def judge(self, action: Action, *, by: str | None) -> Receipt | None:
        """The receipt of an action that the agent refuses or answers itself, without the browser."""
        ...

    def settled(self, step: StepRecord) -> None:
        """A step of the session has its outcome, and it is on disk."""
        ...
