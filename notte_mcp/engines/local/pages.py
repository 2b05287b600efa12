"""Actions on the page as a whole: waiting, scrolling, scripts, scraping.

Below: `locate`, `scripts`, `world`. Above: `performer`, `session`.
"""

import json
from contextlib import suppress
from typing import Any, Final, cast

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from notte_mcp import actions as a
from notte_mcp.engines.base import Scraped
from notte_mcp.engines.local import scripts
from notte_mcp.engines.local.locate import bind_all, by_selector, locate, located, unusable
from notte_mcp.engines.local.pointer import arm, described, target_of
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import ActionFailed, ActionTimeout, NotteMCPError, PageNotResponding
from notte_mcp.observations import clean, clean_line
from notte_mcp.receipts import Receipt, Target

SCRIPT_SECONDS: Final = 10.0
SCRIPT_CHARS: Final = 256_000
# Of a program that waits for its own scripts: the first is the Notte contract's, the second enough for most files.
_OWN_SCRIPT_SECONDS: Final = 45.0
_OWN_SCRIPT_CHARS: Final = 2_000_000
_FRAMES_SECONDS: Final = 0.5
_SCRAPED_CHARS: Final = 8_000

_PageAction = a.Wait | a.WaitFor | a.ScrollUp | a.ScrollDown | a.EvaluateJs | a.Scrape


async def perform(stage: Stage, action: _PageAction, *, timeout_ms: int) -> Receipt:
    """One of the page's own actions."""
    match action:
        case a.Wait():
            return await _wait(action, timeout_ms)
        case a.WaitFor():
            return await _wait_for(stage, action, timeout_ms)
        case a.ScrollUp() | a.ScrollDown():
            return await _scroll(stage, action, timeout_ms)
        case a.EvaluateJs():
            return await _evaluate(stage, action, timeout_ms)
        case a.Scrape():
            scraped = await scrape(
                stage, selector=action.selector, only_main_content=action.only_main_content, links=True, images=False
            )
            data = scraped.markdown[:_SCRAPED_CHARS]
            return Receipt(action.type, success=True, message=f"Scraped {len(scraped.markdown)} characters", data=data)


async def _wait(action: a.Wait, timeout_ms: int) -> Receipt:
    await anyio.sleep(min(action.time_ms, timeout_ms) / 1000)
    if timeout_ms < action.time_ms:
        raise ActionTimeout(
            f"Waited {timeout_ms} of {action.time_ms} ms: the time for the call was over.",
            done="",
            next_call="wait for the rest, or for what it is waited for (wait_for), in a new call",
        )
    return Receipt(action.type, success=True, message=f"Waited {action.time_ms} ms")


async def _wait_for(stage: Stage, action: a.WaitFor, timeout_ms: int) -> Receipt:
    with anyio.move_on_after(timeout_ms / 1000):
        if action.value is not None or action.gone is not None:
            text = action.value if action.value is not None else action.gone or ""
            if await _text(stage, text, gone=action.gone is not None, timeout_ms=timeout_ms):
                return Receipt(
                    action.type,
                    success=True,
                    message=f'"{clean_line(text, 80)}" {"went" if action.gone else "is there"}',
                )
        elif action.url is not None:
            try:
                await stage.tab.page.wait_for_url(action.url, timeout=timeout_ms, wait_until="commit")
            except PlaywrightTimeout:
                raise _not_met(_condition(stage, action), timeout_ms) from None
            return Receipt(action.type, success=True, message=f"The URL is {clean_line(stage.tab.url, 200)}")
        elif action.selector is not None:
            try:
                await located(stage.tab, action.selector).filter(visible=True).first.wait_for(timeout=timeout_ms)
            except PlaywrightTimeout:
                raise _not_met(_condition(stage, action), timeout_ms) from None
            except PlaywrightError as error:
                raise unusable(clean_line(action.selector, 120), error) from None
            said, target = f"{clean_line(action.selector, 80)} is visible", await _only_target(stage, action.selector)
            return Receipt(action.type, success=True, message=said, target=target)
        else:
            element = await locate(stage, action, timeout_ms)
            found = await element.world.call(
                "waitVisible", {"key": element.key, "timeout": timeout_ms}, timeout_s=timeout_ms / 1000 + 1
            )
            if not found.get("error"):
                said, target = f"{action.id} is visible", await target_of(element, found)
                return Receipt(action.type, success=True, message=said, target=target, healed=element.healed)
    raise _not_met(_condition(stage, action), timeout_ms)


async def _only_target(stage: Stage, selector: str) -> Target | None:
    """What a selector matches, where that is one element: several may be waited for."""
    try:
        return await described(await by_selector(stage, selector, 1))
    except NotteMCPError:
        return None


def _condition(stage: Stage, action: a.WaitFor) -> str:
    if action.url is not None:
        return f"the URL did not become {clean_line(action.url, 120)}; it is {clean_line(stage.tab.url, 200)}"
    if action.selector is not None:
        return f"{clean_line(action.selector, 120)} did not become visible"
    text = clean_line(action.value or action.gone or action.id or "", 80)
    return f'"{text}" did not {"go" if action.gone else "appear"}'


def _not_met(condition: str, timeout_ms: int) -> ActionTimeout:
    return ActionTimeout(
        f"Within {timeout_ms} ms {condition}.", done="", next_call="notte_observe to see what is there"
    )


async def _text(stage: Stage, text: str, *, gone: bool, timeout_ms: int) -> bool:  # noqa: C901  (three small ones in one)
    """Whether a text appeared in any frame (or went from the page) in time; a page left meanwhile is followed."""
    met, tab = anyio.Event(), stage.tab
    until = anyio.current_time() + timeout_ms / 1000

    async def one(world: World) -> None:
        while not met.is_set():
            left = max(1, int((until - anyio.current_time()) * 1000))
            asked = {"text": text, "gone": gone, "timeout": left}
            try:
                if (await world.call("waitForText", asked, timeout_s=left / 1000 + 1))["met"]:
                    met.set()
            except DocumentGone:
                if world is tab.main:
                    continue
            except (PageNotResponding, PlaywrightError):
                pass
            return

    async def anywhere() -> None:
        """Wait in each frame; those of another origin are looked for, as they come by themselves."""
        known: set[World] = set()
        while stage.tabs and stage.tab is tab:
            for world in set(tab.worlds) - known:
                known.add(world)
                waiting.start_soon(one, world)
            with suppress(PlaywrightError):
                await bind_all(tab)
            await anyio.sleep(0 if set(tab.worlds) - known else _FRAMES_SECONDS)

    with anyio.move_on_after(timeout_ms / 1000 + 0.2):
        async with anyio.create_task_group() as waiting:
            if gone:
                waiting.start_soon(one, tab.main)
            else:
                waiting.start_soon(anywhere)
            await met.wait()
            waiting.cancel_scope.cancel()
    return met.is_set()


async def _scroll(stage: Stage, action: a.ScrollUp | a.ScrollDown, timeout_ms: int) -> Receipt:
    down = isinstance(action, a.ScrollDown)
    asked: dict[str, Any] = {"key": None, "amount": action.amount, "down": down}
    world, target, healed = stage.tab.main, None, False
    if action.id or action.selector:
        element = await locate(stage, action, timeout_ms)
        world, asked["key"], healed = element.world, element.key, element.healed
        target = await described(element)
    else:
        await stage.tab.refresh()
    stage.touched()
    moved = await world.call("scroll", asked, timeout_s=5)
    if moved.get("error") or not moved["moved"]:
        end = "bottom" if down else "top"
        raise ActionFailed(
            f"Nothing scrolled: it is at its {end}, or does not scroll.",
            next_call="name the container by id or selector, if another is meant",
        )
    rest = f", {moved['left']} px below" if moved["left"] > 0 else ", at the bottom"
    return Receipt(
        action.type,
        success=True,
        message=f"Scrolled {'down' if down else 'up'} {abs(moved['moved'])} px (at {moved['top']}{rest})",
        target=target,
        healed=healed,
    )


async def _evaluate(stage: Stage, action: a.EvaluateJs, timeout_ms: int) -> Receipt:
    if stage.tainted and not stage.own_scripts:
        raise ActionFailed(
            "evaluate_js is off in this session: a secret was typed in it, and a script could read it.",
            next_call="notte_observe or notte_scrape to read the page",
        )
    seconds = min(_OWN_SCRIPT_SECONDS if stage.own_scripts else SCRIPT_SECONDS, timeout_ms / 1000)
    late = ActionTimeout(
        f"The script did not finish within {seconds:g} s and was ended.",
        done="It may have changed the page.",
        next_call="a shorter script, or wait_for",
    )
    await arm(stage)
    with anyio.move_on_after(seconds):
        answer = await scripts.run(stage, action.code, most_chars=_most_chars(stage) + 1)
        if thrown := answer.get("exceptionDetails"):
            raise _script_failed(thrown)
        value = answer["result"].get("value", "null")
        if isinstance(value, dict):
            kind = clean_line(str(cast("dict[str, Any]", value).get("unjson")), 80)
            return Receipt(
                action.type,
                success=True,
                message="Ran the script",
                data=f"(it ran; its result, a {kind}, is no JSON value)",
            )
        text = str(value)
        most = _most_chars(stage)
        cut = f", cut at {most} characters" if len(text) > most else ""
        return Receipt(action.type, success=True, message=f"Ran the script{cut}", data=_json_or_text(text, most))
    with suppress(PlaywrightError), anyio.move_on_after(1):
        await stage.tab.cdp.send("Runtime.terminateExecution")
    raise late


def _most_chars(stage: Stage) -> int:
    return _OWN_SCRIPT_CHARS if stage.own_scripts else SCRIPT_CHARS


def _script_failed(thrown: dict[str, Any]) -> ActionFailed:
    exception: dict[str, Any] = thrown.get("exception", {})
    said = exception.get("description") or exception.get("value") or thrown.get("text") or "unknown"
    return ActionFailed(
        f"The script failed: {clean_line(str(said).splitlines()[0], 200)}.",
        done="It may have changed the page.",
        next_call="correct the code",
    )


def _json_or_text(text: str, most: int) -> Any:
    try:
        return _cleaned(json.loads(text)) if len(text) <= most else clean(text[:most])
    except (ValueError, RecursionError):
        return clean(text)


def _cleaned(value: Any) -> Any:
    """A JSON value without the characters that only mislead a reader."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {clean(str(name)): _cleaned(item) for name, item in cast("dict[Any, Any]", value).items()}
    return value


async def scrape(stage: Stage, *, selector: str | None, only_main_content: bool, links: bool, images: bool) -> Scraped:
    """The current tab as markdown, what is not rendered left out (see `BrowserSession.scrape`)."""
    from markdownify import markdownify

    tab = stage.tab
    await tab.refresh()
    worlds: list[tuple[World, int | None]] = [(world, None) for world in tab.worlds]
    if selector is not None:
        element = await by_selector(stage, selector, 1_000)
        worlds = [(element.world, element.key)]
    parts: list[str] = []
    omitted = False
    for world, key in worlds:
        asked = {"key": key, "main": only_main_content and world is tab.main}
        try:
            found = await world.call("plainHtml", asked, timeout_s=tab.patience_s(world, SCRIPT_SECONDS))
        except DocumentGone:
            continue
        except PageNotResponding:
            if world is tab.main or key is not None:
                raise
            omitted = True
            continue
        omitted = omitted or found["omitted"]
        parts.append(found["html"])
    strip = [*([] if links else ["a"]), *([] if images else ["img"])]

    def convert() -> str:
        text = markdownify("\n".join(parts), heading_style="ATX", bullets="-", strip=strip or None)
        lines = [line.rstrip() for line in clean(text).splitlines()]
        kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
        return "\n".join(kept).strip()

    return Scraped(clean_line(tab.url, 2_000), tab.title, await anyio.to_thread.run_sync(convert), omitted)
