"""One action of ours as one of the cloud's, and the receipt of it: written from what the page showed, not from what was
asked.

Before an action its element is looked up, after it the page is asked where it stands and what the field holds. What the
cloud cannot do (hover, drag, waiting for something) scripts do, and the receipt says so.

Below: stage, reaching, wire. Above: session. Beside: pointing (a person's hand), transferring (files).
"""

import json
import time
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Any, Final

import anyio

from notte_mcp import actions as a
from notte_mcp.cloud_errors import CloudError
from notte_mcp.engines.base import Hand
from notte_mcp.engines.notte import pointing, saying, transferring, wire
from notte_mcp.engines.notte.answers import NOBODY_KNOWS
from notte_mcp.engines.notte.reaching import Reached, reach
from notte_mcp.engines.notte.spelling import action_to_wire
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.engines.notte.waiting import wait_for
from notte_mcp.errors import NotActionable, NotteMCPError, SessionLost
from notte_mcp.observations import clean
from notte_mcp.receipts import Receipt

_LATE_S: Final = 2.0
"""How long beyond its timeout an action's answer may take."""

_AFTER_S: Final = 3.5
"""How long beyond its timeout all of it may take: what was not told by then is not waited for."""

_LEAST_S: Final = 1.0
_STILL: Final = (a.Scrape, a.HandleDialog, a.Help, a.Completion)
_OF_TABS: Final = (a.GotoNewTab, a.CloseTab, a.SwitchTab)


async def perform(stage: Stage, action: a.Action, *, timeout_ms: int, hand: Hand | None) -> Receipt:
    """See `BrowserSession.perform`."""
    stage.still_there()
    begun, until, url, document = time.time(), anyio.current_time() + _AFTER_S, stage.url, stage.document
    stage.here = None
    if isinstance(action, a.NavigationAction):
        stage.probe.wake()
    allowed_ms = min(timeout_ms, getattr(action, "timeout_ms", timeout_ms))
    receipt = Receipt(
        action.type, success=False, code="outcome_unknown",
        message=f"{action.type} was not answered within {allowed_ms} ms. Whether it happened is unknown.",
    )  # fmt: skip
    with anyio.move_on_after(allowed_ms / 1000 + _LATE_S):
        receipt = await _told(stage, action, allowed_ms, hand)
    if not isinstance(action, _STILL):
        left_s = until + allowed_ms / 1000 - anyio.current_time()
        receipt = await _settled(stage, action, receipt, document, max(_LEAST_S, left_s))
    stage.still_there()
    return receipt.but(
        url_before=url, url_after=stage.url, acted_at=receipt.acted_at or (begun if receipt.success else time.time())
    )


async def _told(stage: Stage, action: a.Action, allowed_ms: int, hand: Hand | None) -> Receipt:
    """The receipt as far as the action itself tells it; a failure is one too."""
    try:
        if hand is not None and (receipt := await pointing.perform(stage, action, hand, allowed_ms)) is not None:
            return receipt
        return await _do(stage, action, allowed_ms)
    except SessionLost:
        raise
    except NotteMCPError as error:
        code = "outcome_unknown" if error.done == NOBODY_KNOWS else error.code
        said = str(error) if isinstance(error, CloudError) else str(error).removesuffix(" Nothing was done.")
        return Receipt(action.type, success=False, code=code, message=said)


async def _settled(stage: Stage, action: a.Action, receipt: Receipt, document: str, within_s: float) -> Receipt:
    """The receipt with where the page stands now. That this cannot be told changes nothing of what was done."""
    stage.acted += 1
    here, opened = stage.here, 0
    with anyio.move_on_after(within_s) as scope, suppress(CloudError):
        here = here or await stage.settled()
        if here is None or here["document"] != document or isinstance(action, _OF_TABS):
            opened = await stage.learn_tabs()
            if here is None:
                stage.url, stage.title = stage.tabs[stage.current]
                stage.document = ""
    by_itself = opened > 0 and not isinstance(action, a.GotoNewTab)
    moved = here is not None and here["document"] != document
    navigated = moved and not (by_itself or isinstance(action, a.CloseTab | a.SwitchTab))
    return receipt.but(
        navigated=navigated and (bool(document) or receipt.success),
        status=here.get("status") if navigated and here else None,
        new_tab=stage.current if by_itself else None,
        tab_closed=opened < 0,
        unsettled=scope.cancelled_caught or (here is not None and here["ready"] == "loading"),
    )


async def _do(stage: Stage, action: a.Action, allowed_ms: int) -> Receipt:
    if isinstance(action, a.HandleDialog):
        return saying.no_dialogs(action)
    if isinstance(action, a.Help | a.Completion):
        return saying.said(action)
    return await (_of_ours(stage, action, allowed_ms) or _of_theirs(stage, action, allowed_ms))


def _of_ours(stage: Stage, action: a.Action, allowed_ms: int) -> Awaitable[Receipt] | None:  # noqa: PLR0911 - one a type
    """What takes more than the cloud's own action, or has none."""
    match action:
        case a.WaitFor():
            return wait_for(stage, action, allowed_ms)
        case a.Scrape():
            return _scrape(stage, action)
        case a.UploadFile():
            return transferring.upload(stage, action, allowed_ms)
        case a.DownloadFile():
            return transferring.download(stage, action, allowed_ms)
        case a.Hover() | a.DoubleClick() | a.Drag():
            return pointing.by_script(stage, action)
        case a.PressKey() if action.id is not None or action.selector is not None:
            return _key_on(stage, action)
        case _:
            return None


async def _of_theirs(stage: Stage, action: a.Action, allowed_ms: int) -> Receipt:
    if isinstance(action, a.ElementAction):
        return await _on_element(stage, action, allowed_ms)
    if isinstance(action, a.ScrollDown | a.ScrollUp) and action.id is not None:
        return await _plain(stage, action, allowed_ms, await reach(stage, action.id, None))
    return await _plain(stage, action, allowed_ms)


async def _plain(stage: Stage, action: a.Action, allowed_ms: int, reached: Reached | None = None) -> Receipt:
    """An action of the cloud's as it is, on no element or in one that scrolls."""
    called = {str(getattr(action, "id", "")): reached.called} if reached else {}
    if isinstance(action, a.Wait):
        action = action.model_copy(update={"time_ms": min(action.time_ms, allowed_ms)})
    sent = action_to_wire(action, called)
    done = await _sent(stage, sent or {"type": action.type}, allowed_ms)
    receipt = saying.receipt(action, done)
    if isinstance(action, a.EvaluateJs) and done.success:
        receipt = receipt.but(message="Ran the script", data=_json(done.markdown))
    elif done.markdown and done.success:
        receipt = receipt.but(data=clean(done.markdown))
    return receipt.but(target=reached.target, healed=reached.healed) if reached else receipt


async def _sent(stage: Stage, sent: Mapping[str, Any], allowed_ms: int) -> wire.Executed:
    """Execute, and where a captcha stands before it, wait until the cloud has solved it, then the same again."""
    within_s = allowed_ms / 1000 + _LATE_S
    first = done = await stage.execute(sent, within_s=within_s)
    while (captcha := done.captcha) is not None and captcha.get("state") == "solving":
        asked_ms = captcha.get("retry_after_ms")
        await anyio.sleep(min(1_000, asked_ms if isinstance(asked_ms, int | float) else 1_000) / 1_000)
        solve = {"type": "captcha_solve"}
        done = await stage.execute(solve, within_s=within_s, captcha_id=str(captcha.get("captcha_id") or ""))
        if first.executed is False and done.captcha is not None and done.captcha.get("state") == "solved":
            return await stage.execute(sent, within_s=within_s, **_same_page(done.captcha))
    return done


def _same_page(captcha: Mapping[str, Any]) -> dict[str, str | float]:
    """The page that a captcha stood in: what is repeated is for no other one."""
    asked = {"target_page_id": captcha.get("page_id"), "target_generation": captcha.get("generation")}
    return {name: value for name, value in asked.items() if isinstance(value, str | int)}


async def _on_element(stage: Stage, action: a.ElementAction, allowed_ms: int) -> Receipt:
    reached = await reach(stage, action.id, action.selector)
    touched = time.time()
    sent = action_to_wire(action, {action.id: reached.called} if action.id else {}, timeout_ms=allowed_ms)
    done = await _sent(stage, sent or {}, allowed_ms)
    if reached.target is None and done.success:
        reached = await reach(stage, action.id, action.selector, scroll=False)  # it came while it was waited for
    receipt = saying.receipt(action, done, reached).but(
        target=reached.target, healed=reached.healed, acted_at=touched if done.success else None
    )
    if not done.success:
        return receipt.but(secret=reached.secret if isinstance(action, a.FillAction) else None)
    return await saying.read_back(stage, action, reached, receipt)


async def _key_on(stage: Stage, action: a.PressKey) -> Receipt:
    reached = await reach(stage, action.id, action.selector)
    if not reached.key:
        return saying.not_found(action, reached)
    if await stage.ask("focus", key=reached.key) is None:
        raise NotActionable(f"{reached.words} could not be given the focus.", next_call="notte_observe, then the same")
    done = await stage.execute({"type": "press_key", "key": action.key}, within_s=action.timeout_ms / 1000 + _LATE_S)
    return saying.receipt(action, done, reached).but(target=reached.target, healed=reached.healed)


async def _scrape(stage: Stage, action: a.Scrape) -> Receipt:
    asked = {"selector": action.selector, "only_main_content": action.only_main_content, "scrape_images": False}
    async with stage.asking() as client:
        body = await client.post("sessions", stage.remote_id, "page", "scrape", body=asked)
    text = clean(wire.text(body, "markdown"))
    return Receipt(action.type, success=True, message=f"Scraped {len(text)} characters", data=text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return clean(text)
