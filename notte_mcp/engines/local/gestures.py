"""What a pointer and a keyboard do: click, hover, drag, press a key, click for a download.

Below: `pointer`, `locate`, `downloads`. Above: `performer`.
"""

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp import actions as a
from notte_mcp.engines.local import pointer
from notte_mcp.engines.local.locate import locate
from notte_mcp.engines.local.stage import Stage
from notte_mcp.errors import ActionFailed, ActionTimeout, InvalidAction
from notte_mcp.receipts import Receipt

_Gesture = a.Click | a.DoubleClick | a.Hover | a.DownloadFile | a.Drag | a.PressKey


async def perform(stage: Stage, action: _Gesture, *, timeout_ms: int) -> Receipt:
    """One gesture.

    Raises:
        UnknownElement, StaleElement, SelectorNotFound, SelectorAmbiguous, NotActionable, ActionFailed.
    """
    match action:
        case a.Drag():
            return await _drag(stage, action, timeout_ms)
        case a.PressKey():
            return await _press_key(stage, action, timeout_ms)
        case a.Hover():
            element = await locate(stage, action, timeout_ms, hopeful=True)
            reached = await pointer.hover(stage, element, timeout_ms=timeout_ms)
            return _acted(action, reached, "Hovered over")
        case a.DownloadFile():
            return await _download(stage, action, timeout_ms)
        case a.Click() | a.DoubleClick():
            element = await locate(stage, action, timeout_ms, hopeful=True)
            twice = isinstance(action, a.DoubleClick)
            reached = await pointer.click(stage, element, timeout_ms=timeout_ms, count=2 if twice else 1, leaving=True)
            return _acted(action, reached, "Double-clicked" if twice else "Clicked")


def _acted(action: a.Action, reached: pointer.Reached, verb: str) -> Receipt:
    said = f'{verb} {reached.target.role} "{reached.target.name}"'
    return Receipt(action.type, success=True, message=said, target=reached.target, healed=reached.element.healed)


async def _download(stage: Stage, action: a.DownloadFile, timeout_ms: int) -> Receipt:
    element = await locate(stage, action, timeout_ms, hopeful=True)
    begun, until = stage.downloads.begun, anyio.current_time() + timeout_ms / 1000
    reached = await pointer.click(stage, element, timeout_ms=timeout_ms)
    if not await stage.downloads.one_begun(begun, until - anyio.current_time()):
        raise ActionFailed(
            f"No download began within {timeout_ms} ms of the click.", done="It was clicked.", next_call="notte_observe"
        )
    if not await stage.downloads.finished(until - anyio.current_time()):
        raise ActionTimeout(
            f"The download had not ended within {timeout_ms} ms.",
            done="It goes on, and lands under the session's files if the session lives until it has come.",
            next_call="notte_read on the session's files, later",
        )
    if failed := [download for download in stage.downloads.done if download.failure]:
        raise ActionFailed(
            f"The download {failed[0].name} failed: {failed[0].failure}.",
            done="No file of it was kept.",
            next_call="the same action once more, or another link",
        )
    return _acted(action, reached, "Downloaded by clicking")


async def _drag(stage: Stage, action: a.Drag, timeout_ms: int) -> Receipt:
    element = await locate(stage, action, timeout_ms)
    onto = await locate(stage, a.Hover(id=action.to_id, selector=action.to_selector), timeout_ms)
    source = await pointer.reach(stage, element, kind="click", timeout_ms=timeout_ms)
    mouse = stage.tab.page.mouse
    await pointer.arm(stage)
    await mouse.move(source.x, source.y)
    await mouse.down()
    try:
        # The destination is looked for after the press: bringing it into view may scroll the source away.
        destination = await pointer.reach(stage, onto, kind="focus", timeout_ms=timeout_ms)
        place = await pointer.center(onto)
        await mouse.move((source.x + place[0]) / 2, (source.y + place[1]) / 2, steps=4)
        await mouse.move(*place, steps=4)
        await mouse.move(*place)
    finally:
        # A call that is given up must not leave the button pressed.
        with anyio.CancelScope(shield=True), anyio.move_on_after(1):
            await mouse.up()
    dragged, target = source.target, destination.target
    return Receipt(
        action.type,
        success=True,
        message=f'Dragged {dragged.role} "{dragged.name}" to {target.role} "{target.name}"',
        target=dragged,
        destination=target,
        healed=element.healed,
    )


async def _press_key(stage: Stage, action: a.PressKey, timeout_ms: int) -> Receipt:
    target, healed = None, False
    if action.id or action.selector:
        element = await locate(stage, action, timeout_ms)
        reached = await pointer.reach(stage, element, kind="focus", timeout_ms=timeout_ms)
        await element.world.call("focusField", {"key": element.key, "clear": None}, timeout_s=5)
        target, healed = reached.target, element.healed
    await pointer.arm(stage, leaving=action.key.endswith("Enter"))
    try:
        await stage.tab.page.keyboard.press(action.key)
    except PlaywrightError as error:
        if "Unknown key" not in str(error):
            raise
        raise InvalidAction(
            f"There is no key {action.key!r}.",
            next_call="use Playwright's names: Enter, Escape, ArrowDown, Control+A",
        ) from None
    where = f' on {target.role} "{target.name}"' if target else ""
    return Receipt(action.type, success=True, message=f"Pressed {action.key}{where}", target=target, healed=healed)
