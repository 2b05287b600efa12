"""What all actions have in common: their time, settling, the receipt, and what a failure is called.

`perform` does one action and says what really happened. A failure is a receipt, not
an exception; only a lost browser is raised. Vendor exceptions end here.

Below: `gestures`, `fields`, `forms`, `navigation`, `pages`, `settle`. Above: `session`.
"""

import time
from contextlib import suppress
from typing import Final

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from notte_mcp import actions as a
from notte_mcp.engines.base import Hand
from notte_mcp.engines.local import fields, forms, gestures, hands, navigation, pages, pointer
from notte_mcp.engines.local.locate import locate
from notte_mcp.engines.local.settle import Watch, settle
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import (
    ActionTimeout,
    NeedsCloud,
    NotteMCPError,
    PageCrashed,
    PageNotResponding,
    SessionLost,
)
from notte_mcp.receipts import Receipt

_LOST: Final = ("browser has been closed", "Browser closed", "Connection closed", "Target closed", "has been closed")
_SETTLING: Final = (a.Click, a.DoubleClick, a.Hover, a.PressKey, a.Drag, a.EvaluateJs)
_TITLE_SECONDS: Final = 0.5

# What stood on the page is not to be seen any more after these.
_LEAVING: Final = (
    a.Goto, a.GotoNewTab, a.CloseTab, a.SwitchTab, a.GoBack, a.GoForward, a.Reload, a.EvaluateJs, a.ScrollUp, a.ScrollDown,
)  # fmt: skip
_TOUCHING_NOTHING: Final = (a.Wait, a.WaitFor, a.Scrape, a.HandleDialog, a.Help, a.Completion)

# Nothing is waited for after these, so nobody listens to the requests that they may start.
_STILL: Final = (a.Fill, a.MultiFactorFill, a.FallbackFill, a.Check, a.SelectDropdownOption, a.HandleDialog, a.Wait)


async def perform(stage: Stage, action: a.Action, *, timeout_ms: int, hand: Hand | None = None) -> Receipt:
    """Do one action within `timeout_ms` and wait until it is over; with `hand` as a person does it.

    Raises:
        SessionLost: the browser is gone.
    """
    tab, tabs_before, begun = stage.tab, stage.opened, time.time()
    stage.acted_at = None
    stage.patient, stage.hand = "timeout_ms" in action.model_fields_set, hand
    if stage.screen is not None:
        stage.screen.stirs()
    with Watch(tab, listening=not isinstance(action, _STILL) or _presses_enter(action)) as watch:
        receipt = await _unless_lost(stage, tab, watch, action, timeout_ms)
    ended = time.time()
    if not isinstance(action, _TOUCHING_NOTHING):
        stage.changed()
    await _tabs_ready(stage)
    if stage.lost:
        raise SessionLost("The browser of this session is gone.", done="Whether the action happened is unknown.")
    new_tab = stage.current if stage.opened > tabs_before and not isinstance(action, a.GotoNewTab) else None
    receipt = receipt.but(
        url_before=watch.url_before,
        url_after=stage.tab.url,
        navigated=receipt.navigated or watch.navigated,
        status=receipt.status or watch.status,
        new_tab=receipt.new_tab if receipt.new_tab is not None else new_tab,
        tab_closed=tab.closed,
        dialogs=stage.dialogs.take(),
        downloads=stage.downloads.take(),
        failed_requests=tuple(watch.failed),
        sent=tuple(watch.sent),
        acted_at=stage.acted_at or (begun if receipt.success else ended),
    )
    if receipt.moved or receipt.new_tab is not None or tab.closed:
        await _learn_title(stage)
    return receipt


async def _unless_lost(stage: Stage, tab: Tab, watch: Watch, action: a.Action, timeout_ms: int) -> Receipt:
    """The action's receipt; nothing is waited for in a browser that is gone or a page that crashed."""
    receipt: Receipt | None = None

    async def work() -> None:
        nonlocal receipt
        receipt = await _within(stage, action, timeout_ms)
        if receipt.success and (isinstance(action, _SETTLING) or _presses_enter(action)):
            receipt = await _settled(stage, watch, receipt)
        doing.cancel_scope.cancel()

    async with anyio.create_task_group() as doing:
        doing.start_soon(work)
        while not (stage.lost or tab.crashed):
            await stage.settled.wait()
        doing.cancel_scope.cancel()
    if receipt is not None:
        return receipt
    how = f"was ended, since {why}," if (why := stage.because()) else "crashed"
    return _failed(
        action,
        PageCrashed(
            f"The page {how} while {action.type} was under way.",
            done="It may have happened.",
            kept="The session and its other tabs are kept.",
            next_call="goto its URL again",
        ),
    )


def _presses_enter(action: a.Action) -> bool:
    return bool(getattr(action, "press_enter", False))


async def _settled(stage: Stage, watch: Watch, receipt: Receipt) -> Receipt:
    begun = stage.downloads.begun
    unsettled = await settle(watch, stage.acting)
    if stage.downloads.begun > begun:
        await stage.downloads.finished(2)
    return receipt.but(unsettled=unsettled)


async def _tabs_ready(stage: Stage) -> None:
    """A tab that opened meanwhile is attached before anyone looks, and the one that is gone is replaced."""
    begun = stage.downloads.begun
    with anyio.move_on_after(2):
        while (stage.opening or stage.awaited or not stage.tabs) and not stage.lost:
            with anyio.move_on_after(0.1):
                await stage.settled.wait()
            if stage.downloads.begun > begun:
                break  # what was opened has become a download, and never comes as a tab
    stage.awaited = 0


async def _learn_title(stage: Stage) -> None:
    with suppress(DocumentGone, PageNotResponding, PlaywrightError), anyio.move_on_after(_TITLE_SECONDS):
        await stage.tab.refresh()


async def _within(stage: Stage, action: a.Action, timeout_ms: int) -> Receipt:
    asked = min(timeout_ms, getattr(action, "timeout_ms", timeout_ms))
    try:
        with anyio.fail_after(asked / 1000 + 1):
            if isinstance(action, _LEAVING):
                await stage.filmed()
                stage.touched()
            receipt = await _by_hand(stage, action, asked) or await _do(stage, action, asked)
            if _presses_enter(action) and receipt.success:
                stage.changed()
                await pointer.arm(stage, leaving=True)
                await stage.tab.page.keyboard.press("Enter")
            return receipt
    except (TimeoutError, PlaywrightTimeout):
        late = f"{action.type} did not finish within {asked} ms."
        return _failed(action, ActionTimeout(late, done="It may have begun.", next_call="notte_observe"))
    except NotteMCPError as error:
        return _failed(action, error)
    except DocumentGone:
        gone = f"The page was replaced while {action.type} was under way."
        return _failed(action, ActionTimeout(gone, done="It may have happened.", next_call="notte_observe"))
    except PlaywrightError as error:
        return await _refused(stage, action, error)


async def _refused(stage: Stage, action: a.Action, error: PlaywrightError) -> Receipt:
    """What the browser's refusal means: the browser is gone, the page closed, or it would not do it."""
    text = str(error).strip().splitlines()[0][:200]
    if any(sign in text for sign in _LOST):
        with anyio.move_on_after(0.5):  # the news that the browser ended comes after the error it caused
            while not stage.lost:
                await stage.settled.wait()
        closed = f"The page closed while {action.type} was under way."
        return _failed(action, ActionTimeout(closed, done="It may have happened.", next_call="notte_observe"))
    return _failed(
        action, NotteMCPError(f"The browser refused {action.type}: {text}.", done="", next_call="notte_observe")
    )


def _failed(action: a.Action, error: NotteMCPError) -> Receipt:
    return Receipt(action.type, success=False, message=str(error).removesuffix(" Nothing was done."), code=error.code)


async def _by_hand(stage: Stage, action: a.Action, timeout_ms: int) -> Receipt | None:
    return None if stage.hand is None else await hands.perform(stage, action, stage.hand, timeout_ms=timeout_ms)


async def _do(stage: Stage, action: a.Action, timeout_ms: int) -> Receipt:
    match action:
        case a.Goto() | a.GotoNewTab() | a.CloseTab() | a.SwitchTab() | a.GoBack() | a.GoForward() | a.Reload():
            return await navigation.perform(stage, action, timeout_ms=timeout_ms)
        case a.Click() | a.DoubleClick() | a.Hover() | a.DownloadFile() | a.Drag() | a.PressKey():
            return await gestures.perform(stage, action, timeout_ms=timeout_ms)
        case a.Wait() | a.WaitFor() | a.ScrollUp() | a.ScrollDown() | a.EvaluateJs() | a.Scrape():
            return await pages.perform(stage, action, timeout_ms=timeout_ms)
        case a.FormFill():
            return await forms.fill_form(stage, action, timeout_ms=timeout_ms)
        case a.Fill() | a.MultiFactorFill() | a.FallbackFill() | a.Check() | a.SelectDropdownOption() | a.UploadFile():
            element = await locate(stage, action, timeout_ms, hopeful=isinstance(action, a.FillAction))
            return await fields.perform(stage, element, action, timeout_ms=timeout_ms)
        case a.HandleDialog() | a.CaptchaSolve() | a.EmailRead() | a.SmsRead() | a.Help() | a.Completion():
            return _said(stage, action)


def _said(
    stage: Stage, action: a.HandleDialog | a.CaptchaSolve | a.EmailRead | a.SmsRead | a.Help | a.Completion
) -> Receipt:
    """What touches no page."""
    match action:
        case a.HandleDialog():
            stage.dialogs.arm(accept=action.value == "accept", answer=action.answer)
            ending = "accepted" if action.value == "accept" else "dismissed"
            return Receipt(action.type, success=True, message=f"The next dialog will be {ending}")
        case a.Help():
            return Receipt(action.type, success=True, message=f"Asked for help: {action.value[:300]}")
        case a.Completion():
            how = "success" if action.success else "failure"
            return Receipt(action.type, success=True, message=f"Completed ({how}): {action.answer[:300]}")
        case a.CaptchaSolve() | a.EmailRead() | a.SmsRead():
            raise NeedsCloud(
                f"{action.type} needs a session in the Notte cloud.",
                next_call="ask the person to do this step, then go on",
            )
