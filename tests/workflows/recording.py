"""Recorded steps, made by hand: what an engine would have written."""

from typing import Any

from notte_mcp.receipts import Locators, Receipt, Target
from notte_mcp.records import SessionSpec, StepRecord, StepState

SESSION = "ses_" + "0" * 26
SPEC = SessionSpec()


class Recording:
    """Steps in order. `url` is where the tab stands; each step gets its number and its addresses."""

    def __init__(self, url: str = "about:blank") -> None:
        self.url = url
        self.steps: list[StepRecord] = []

    def add(
        self,
        action: dict[str, Any],
        target: Target | None = None,
        *,
        to: str | None = None,
        success: bool = True,
        state: StepState | None = None,
        **receipt: Any,
    ) -> "Recording":
        """One step; `to` is the address it led to."""
        after = to or self.url
        facts: dict[str, Any] = {
            "url_before": self.url,
            "url_after": after,
            "navigated": to is not None,
            "target": target,
        }
        step = StepRecord(
            session_id=SESSION,
            number=len(self.steps) + 1,
            actor="assistant",
            state=state or ("done" if success else "failed"),
            action=action,
            started_at=1.0,
            ended_at=2.0,
            receipt=Receipt(action["type"], success=success, **(facts | receipt)),
            url=after,
        )
        self.steps.append(step)
        self.url = after
        return self

    def goto(self, url: str) -> "Recording":
        """Open an address."""
        return self.add({"type": "goto", "url": url}, to=url)

    def fill(self, target: Target, value: Any, **fields: Any) -> "Recording":
        """Fill a field."""
        return self.add({"type": "fill", "id": target.id, "value": value} | fields, target)

    def click(self, target: Target, **receipt: Any) -> "Recording":
        """Click an element."""
        return self.add({"type": "click", "id": target.id}, target, **receipt)


def element(key: str, role: str, name: str, /, **locators: Any) -> Target:
    """An element known by its role and name, unless other locators are given."""
    found = locators or {"role": (role, name), "css": f"#{key.lower()}"}
    return Target(key, role, name, Locators(**found))


def textbox(key: str, name: str, /, **locators: Any) -> Target:
    """A text field."""
    return element(key, "textbox", name, **locators)


def button(key: str, name: str, /, **locators: Any) -> Target:
    """A button."""
    return element(key, "button", name, **locators)
