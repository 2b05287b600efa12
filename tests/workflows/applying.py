"""A request at the permit desk, made on the real engine: what recorded sessions and their scripts are compared by."""

from typing import Any, Final

from notte_mcp.app import App
from notte_mcp.batches import parse_actions

CODE: Final = "correct horse"
"""Its access code, which is no secret to the desk alone."""


async def act(app: App, session_id: str, *actions: dict[str, Any]) -> None:
    """Do these with ids in place of `role name` selectors that begin with `@`."""
    async with app.registry.use(session_id) as live:
        seen = await live.observe(mode="actions")
        ids = {f"@{node.role} {node.name}": node.id for node in seen.nodes if node.id}
        batch = [{name: ids.get(str(value), value) for name, value in action.items()} for action in actions]
        done = await live.execute(parse_actions(batch), deadline_s=30)
    assert [r.message for r in done.receipts if not r.success] == []


async def apply(app: App, session_id: str, *more: dict[str, Any], city: str) -> None:
    """Fill in the form, do what is left to be done with it, and send it."""
    await act(
        app,
        session_id,
        {"type": "fill", "id": "@textbox Applicant", "value": "Ada"},
        {"type": "fill", "id": "@password Access code", "value": CODE},
        {"type": "select_dropdown_option", "id": "@combobox District", "value": "South"},
        {"type": "select_dropdown_option", "id": "@combobox City", "value": city},
        {"type": "check", "id": "@checkbox I accept the terms"},
        *more,
        {"type": "handle_dialog", "value": "accept"},
        {"type": "click", "id": "@button Send request"},
    )
