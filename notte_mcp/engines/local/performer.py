"""The actions, one function each, and what they have in common: time, settling, the receipt.

`perform` does one action and says what really happened. A failure is a receipt, not
an exception; only a lost browser is raised. Vendor exceptions end here.

Below: `pointer`, `fields`, `navigation`, `settle`. Above: `session`.
"""

from dataclasses import asdict
from typing import Final

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from notte_mcp import actions as a
from notte_mcp.engines.local import fields, navigation, pages, pointer
from notte_mcp.engines.local.elements import Element
from notte_mcp.engines.local.locate import locate
from notte_mcp.engines.local.settle import Watch, settle
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import ActionFailed, ActionTimeout, InvalidAction, NeedsCloud, NotteMCPError, SessionLost
from notte_mcp.receipts import Receipt

_LOST: Final = (
    "browser has been closed",
    "Browser closed",
    "Connection closed",
    "Target page, context or browser has been closed",
)


async def perform(stage: Stage, action: a.Action, *, timeout_ms: int) -> Receipt:
    """Do one action within `timeout_ms` and wait until it is over.

    Raises:
        SessionLost: the browser is gone.
    """
    tab, tabs_before = stage.tab, stage.opened
    stage.dialogs.take()
    with Watch(tab) as watch:
        receipt = await _within(stage, action, timeout_ms)
        if receipt.success and _settles(action):
            receipt = await _settled(stage, watch, receipt)
    await _tabs_ready(stage)
    new_tab = stage.current if stage.opened > tabs_before and not isinstance(action, a.GotoNewTab) else None
    return receipt.but(
        url_before=watch.url_before, url_after=stage.tab.url, navigated=receipt.navigated or watch.navigated,
        status=receipt.status or watch.status, new_tab=receipt.new_tab if receipt.new_tab is not None else new_tab,
        tab_closed=tab.closed, dialogs=stage.dialogs.take(), downloads=stage.downloads.take(),
        failed_requests=tuple(watch.failed),
    )  # fmt: skip


def _settles(action: a.Action) -> bool:
    if isinstance(action, (a.Click, a.DoubleClick, a.Hover, a.PressKey, a.Drag)):
        return True
    return bool(getattr(action, "press_enter", False))


async def _settled(stage: Stage, watch: Watch, receipt: Receipt) -> Receipt:
    begun = stage.downloads.begun
    unsettled = await settle(watch)
    if stage.downloads.begun > begun:
        await stage.downloads.finished(2)
    return receipt.but(unsettled=unsettled)


async def _tabs_ready(stage: Stage) -> None:
    """A tab that opened meanwhile is attached before anyone looks."""
    with anyio.move_on_after(2):
        while stage.opening:
            await stage.settled.wait()


async def _within(stage: Stage, action: a.Action, timeout_ms: int) -> Receipt:
    asked = min(timeout_ms, getattr(action, "timeout_ms", timeout_ms))
    try:
        with anyio.fail_after(asked / 1000 + 0.5):
            receipt = await _do(stage, action, asked)
            if getattr(action, "press_enter", False) and receipt.success:
                await stage.tab.page.keyboard.press("Enter")
            return receipt
    except (TimeoutError, PlaywrightTimeout):
        return _failed(
            action,
            ActionTimeout(
                f"{action.type} did not finish within {asked} ms.", done="It may have begun.", next_call="notte_observe"
            ),
        )
    except NotteMCPError as error:
        return _failed(action, error)
    except DocumentGone:
        gone = ActionTimeout(
            f"The page was replaced while {action.type} was under way.",
            done="It may have happened.",
            next_call="notte_observe",
        )
        return _failed(action, gone)
    except PlaywrightError as error:
        if any(sign in str(error) for sign in _LOST) and not stage.tab.closed:
            raise SessionLost(
                "The browser of this session is gone.", done="Whether the action happened is unknown."
            ) from error
        text = str(error).strip().splitlines()[0][:200]
        return _failed(
            action, NotteMCPError(f"The browser refused {action.type}: {text}.", done="", next_call="notte_observe")
        )


def _failed(action: a.Action, error: NotteMCPError) -> Receipt:
    return Receipt(action.type, success=False, message=str(error).removesuffix(" Nothing was done."), code=error.code)


async def _do(stage: Stage, action: a.Action, timeout_ms: int) -> Receipt:  # noqa: PLR0911  (a closed set, one line each)
    match action:
        case a.Goto() | a.GotoNewTab() | a.CloseTab() | a.SwitchTab() | a.GoBack() | a.GoForward() | a.Reload():
            return await navigation.perform(stage, action, timeout_ms=timeout_ms)
        case a.Click() | a.DoubleClick() | a.Hover() | a.DownloadFile():
            return await _pointed(stage, action, timeout_ms)
        case a.Fill() | a.MultiFactorFill() | a.FallbackFill():
            return await fields.fill(stage, await locate(stage, action, timeout_ms), action, timeout_ms=timeout_ms)
        case a.Check():
            return await fields.check(stage, await locate(stage, action, timeout_ms), action, timeout_ms=timeout_ms)
        case a.SelectDropdownOption():
            return await fields.select(stage, await locate(stage, action, timeout_ms), action, timeout_ms=timeout_ms)
        case a.UploadFile():
            return await fields.upload(stage, await locate(stage, action, timeout_ms), action, timeout_ms=timeout_ms)
        case a.Drag():
            return await _drag(stage, action, timeout_ms)
        case a.FormFill():
            return await _fill_form(stage, action, timeout_ms)
        case a.PressKey():
            return await _press_key(stage, action, timeout_ms)
        case a.HandleDialog():
            stage.dialogs.arm(accept=action.value == "accept", answer=action.answer)
            return Receipt(action.type, success=True, message=f"The next dialog will be {action.value}ed")
        case a.CaptchaSolve() | a.EmailRead() | a.SmsRead():
            raise NeedsCloud(
                f"{action.type} needs a session in the Notte cloud.",
                next_call="ask the person to do this step, then go on",
            )
        case a.Help():
            return Receipt(action.type, success=True, message=f"Asked for help: {action.value[:300]}")
        case a.Completion():
            return Receipt(
                action.type,
                success=True,
                message=f"Completed ({'success' if action.success else 'failure'}): {action.answer[:300]}",
            )
        case a.Wait() | a.WaitFor() | a.ScrollUp() | a.ScrollDown() | a.EvaluateJs() | a.Scrape():
            return await pages.perform(stage, action, timeout_ms=timeout_ms)


async def _pointed(stage: Stage, action: a.ClickAction, timeout_ms: int) -> Receipt:
    element = await locate(stage, action, timeout_ms)
    if isinstance(action, a.Hover):
        reached = await pointer.reach(stage, element, kind="hover", timeout_ms=timeout_ms)
        await pointer.arm(stage.tab.main, None)
        await pointer.move(stage.tab, reached.x, reached.y)
        return _acted(action, element, reached, "Hovered over")
    begun = stage.downloads.begun
    reached = await pointer.click(
        stage, element, timeout_ms=timeout_ms, count=2 if isinstance(action, a.DoubleClick) else 1
    )
    if isinstance(action, a.DownloadFile):
        if not await stage.downloads.one_begun(begun, timeout_ms / 1000):
            raise ActionFailed(
                f"No download began within {timeout_ms} ms of the click.",
                done="It was clicked.",
                next_call="notte_observe",
            )
        await stage.downloads.finished(timeout_ms / 1000)
        return _acted(action, element, reached, "Downloaded by clicking")
    return _acted(action, element, reached, "Double-clicked" if isinstance(action, a.DoubleClick) else "Clicked")


def _acted(action: a.Action, element: Element, reached: pointer.Reached, verb: str) -> Receipt:
    return Receipt(
        action.type, success=True, message=f'{verb} {reached.target.role} "{reached.target.name}"', target=reached.target,
        healed=element.healed,
    )  # fmt: skip


async def _drag(stage: Stage, action: a.Drag, timeout_ms: int) -> Receipt:
    element = await locate(stage, action, timeout_ms)
    onto = await locate(stage, a.Hover(id=action.to_id, selector=action.to_selector), timeout_ms)
    source = await pointer.reach(stage, element, kind="click", timeout_ms=timeout_ms)
    mouse = stage.tab.page.mouse
    await pointer.arm(stage.tab.main, None)
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
        await mouse.up()
    said = (
        f'Dragged {source.target.role} "{source.target.name}" to {destination.target.role} "{destination.target.name}"'
    )
    return Receipt(
        action.type, success=True, message=said, target=source.target, healed=element.healed,
        data={"to": asdict(destination.target.locators) | {"role": destination.target.locators.role, "name": destination.target.name}},
    )  # fmt: skip


async def _press_key(stage: Stage, action: a.PressKey, timeout_ms: int) -> Receipt:
    target, healed = None, False
    if action.id or action.selector:
        element = await locate(stage, action, timeout_ms)
        reached = await pointer.reach(stage, element, kind="focus", timeout_ms=timeout_ms)
        await element.world.call("focusField", {"key": element.key, "clear": False}, timeout_s=5)
        target, healed = reached.target, element.healed
    await pointer.arm(stage.tab.main, None)
    try:
        await stage.tab.page.keyboard.press(action.key)
    except PlaywrightError as error:
        if "Unknown key" not in str(error):
            raise
        raise InvalidAction(
            f"There is no key {action.key!r}.", next_call="use Playwright's names: Enter, Escape, ArrowDown, Control+A"
        ) from None
    where = f' on {target.role} "{target.name}"' if target else ""
    return Receipt(action.type, success=True, message=f"Pressed {action.key}{where}", target=target, healed=healed)


async def _fill_form(stage: Stage, action: a.FormFill, timeout_ms: int) -> Receipt:
    """Fill every field that the page has for the given names; those it has not are named."""
    filled: list[str] = []
    missing: list[str] = []
    secret = None
    for name, element in await fields.form_fields(stage, action):
        if element is None:
            missing.append(name)
            continue
        if element.role in ("combobox", "listbox"):
            await fields.select(
                stage, element, a.SelectDropdownOption(selector="-", value=action.value[name]), timeout_ms=timeout_ms
            )
        else:
            receipt = await fields.fill(
                stage, element, a.Fill(selector="-", value=action.value[name]), timeout_ms=timeout_ms
            )
            secret = secret or receipt.secret
        filled.append(name)
    if not filled:
        raise ActionFailed(
            f"The page has no field for {', '.join(missing)}.", next_call="notte_observe, then fill by id"
        )
    said = f"Filled {', '.join(filled)}" + (f"; the page has no field for {', '.join(missing)}" if missing else "")
    return Receipt(
        action.type, success=not missing, message=said, code="action_failed" if missing else "", secret=secret
    )
