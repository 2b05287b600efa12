"""Going places: URLs, history and tabs.

Only http, https and about:blank are opened. A page that fails to load is a failed
receipt that says why in the browser's terms; the session stays.

Below: `settle`, `tab`. Above: `performer`.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from notte_mcp import actions as a
from notte_mcp.engines.local.settle import settle_load
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import ActionFailed, NotteMCPError, PageLoadFailed, PageNotResponding, UnsupportedUrl
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Receipt

_BUSY_SECONDS: Final = 0.7
_STORM: Final = 2
_SCHEME: Final = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*):")
_LOCAL: Final = re.compile(r"^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(/|\?|#|$)")
_HOST_PORT: Final = re.compile(r"^[A-Za-z0-9.-]+:\d+(/|\?|#|$)")
# What has the form of `host:port` and is not meant so.
_NO_HOSTS: Final = frozenset(
    {"about", "blob", "chrome", "data", "devtools", "file", "filesystem", "ftp", "javascript", "mailto", "view-source"}
)
_ERROR_PAGE: Final = "The tab shows the browser's error page."

_REASONS: Final = (
    ("ERR_NAME_NOT_RESOLVED", "its host name does not resolve", "check the spelling of the host"),
    ("ERR_CONNECTION_REFUSED", "its host refuses the connection", "check that the server runs and the port is right"),
    ("ERR_CONNECTION_", "the connection broke off", "the same goto once more"),
    ("ERR_EMPTY_RESPONSE", "its host closed the connection without an answer", "the same goto once more"),
    ("ERR_TOO_MANY_REDIRECTS", "it redirects without end", "goto another URL"),
    ("ERR_CERT", "its certificate is not valid", "goto another URL"),
    ("ERR_SSL", "it speaks no proper TLS", "try http:// instead of https://"),
    ("ERR_INTERNET_DISCONNECTED", "this machine has no network", "check the network"),
    ("ERR_PROXY", "the proxy does not answer", "check session.proxy"),
    ("ERR_TUNNEL", "the proxy refused it", "check session.proxy"),
    ("ERR_ADDRESS", "its address cannot be reached", "check the URL"),
    ("ERR_UNSAFE_PORT", "the browser does not open this port", "goto another URL"),
    ("ERR_INVALID", "the browser does not accept this URL or what it answered", "check the URL"),
)


def normal_url(text: str, own_ports: Sequence[int] = ()) -> str:
    """A URL that may be opened; a bare host gets https (http on this machine).

    Raises:
        UnsupportedUrl: another scheme, no URL, or one of this server's own pages.
    """
    url = text.strip()
    if url == "about:blank":
        return url
    found = _SCHEME.match(url)
    scheme = found.group(1).lower() if found else ""
    if _LOCAL.match(url):
        url = f"http://{url}"
    elif not scheme or (_HOST_PORT.match(url) and scheme not in _NO_HOSTS):
        url = f"https://{url}"
    elif scheme not in ("http", "https"):
        raise UnsupportedUrl(f"{scheme}: URLs are not opened, only http and https.", next_call="goto an http(s) URL")
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        host, port = None, None
    if not host or re.search(r"[\s\x00-\x1f]", url):
        raise UnsupportedUrl(
            f"{clean_line(text, 100)!r} is no URL.", next_call="goto a full URL such as https://example.org/"
        )
    if port in own_ports:
        raise UnsupportedUrl(
            f"Port {port} is this server's own, for people to look on and not for its browsers.",
            next_call="goto another URL; notte_status tells what its sessions do",
        )
    return url


async def perform(stage: Stage, action: a.NavigationAction, *, timeout_ms: int) -> Receipt:
    """One navigation.

    Raises:
        UnsupportedUrl, PageLoadFailed, ActionFailed.
    """
    match action:
        case a.Goto():
            return await _goto(stage, action, timeout_ms)
        case a.GotoNewTab():
            return await _goto_new_tab(stage, action, timeout_ms)
        case a.CloseTab():
            return await _close_tab(stage, action)
        case a.SwitchTab():
            return await _switch_tab(stage, action)
        case a.GoBack() | a.GoForward():
            return await _history(stage, action, timeout_ms)
        case a.Reload():
            before, url = stage.tab, stage.tab.url
            tab = await _free(stage)
            await _load(tab, "reload" if tab is before else "goto", url, "load", timeout_ms)
            return Receipt(
                action.type,
                success=True,
                message=f"Reloaded {stage.tab.url}",
                navigated=True,
                unsettled=await settle_load(stage.tab),
            )


async def _goto(stage: Stage, action: a.Goto, timeout_ms: int) -> Receipt:
    begun, dialogs = stage.downloads.begun, stage.dialogs.opened_ever
    try:
        status = await _load(
            await _free(stage), "goto", normal_url(action.url, stage.options.own_ports), action.wait_until, timeout_ms
        )
    except PageLoadFailed as failed:
        if "is a download" in failed.what and await stage.downloads.one_begun(begun, 1):
            await stage.downloads.finished(2)
        elif (opened := stage.dialogs.opened_ever - dialogs) >= _STORM and "did not answer" in failed.what:
            raise _stormed(failed, opened) from None
        raise
    unsettled = await settle_load(stage.tab) if action.wait_until == "load" else False
    bad = status is not None and status >= 400  # noqa: PLR2004
    said = f"Opened {clean_line(stage.tab.url, 300)}" + (f" (HTTP {status})" if bad else "")
    return Receipt(action.type, success=True, message=said, navigated=True, status=status, unsettled=unsettled)


async def _load(tab: Tab, how: str, url: str | None, wait_until: str, timeout_ms: int) -> int | None:
    """Load a page; gives the HTTP status where there is one."""
    try:
        if how == "reload":
            response = await tab.page.reload(wait_until="load", timeout=timeout_ms)
        else:
            response = await tab.page.goto(url or "", wait_until=wait_until, timeout=timeout_ms)  # pyright: ignore[reportArgumentType]
    except PlaywrightTimeout:
        failure = _slow(tab, url, timeout_ms)
        await _give_up_loading(tab)
        raise failure from None
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await _give_up_loading(tab)
        raise
    except PlaywrightError as error:
        if "is interrupted by another navigation" in str(error):
            await tab.page.wait_for_load_state("load", timeout=timeout_ms)
            return None
        if "has been closed" in str(error) or "crashed" in str(error):
            raise
        raise _load_failure(error, url or tab.url) from error
    return response.status if response is not None else None


async def _give_up_loading(tab: Tab) -> None:
    """End a load that nobody waits for any more: while one is pending, Chromium answers for the old page nothing."""
    with suppress(PlaywrightError), anyio.move_on_after(_BUSY_SECONDS):
        await tab.cdp.send("Page.stopLoading")


async def _free(stage: Stage) -> Tab:
    """The current tab, fit to go elsewhere: a script that keeps it busy is ended, since the next document waits for
    the same thread. One that cannot be ended (it opens dialog after dialog) loses its tab to an empty one."""
    tab = stage.tab
    for _ in range(2):
        try:
            await tab.main.call("place", timeout_s=_BUSY_SECONDS, anew=True)
        except PageNotResponding:
            await _give_up_loading(tab)
            with suppress(PlaywrightError), anyio.move_on_after(_BUSY_SECONDS):
                await tab.cdp.send("Runtime.terminateExecution")
        except DocumentGone:
            return tab
        else:
            return tab
    index = stage.current
    await empty_tab(stage)
    await tab.page.close()
    with anyio.fail_after(5):
        while tab in stage.tabs:
            await stage.settled.wait()
    stage.tabs.insert(index, stage.tabs.pop(stage.current))
    stage.current = index
    stage.note_change()
    return stage.tab


def _slow(tab: Tab, url: str | None, timeout_ms: int) -> PageLoadFailed:
    committed = url is None or tab.url.split("#")[0] == url.split("#")[0]
    if committed:
        return PageLoadFailed(
            f"{clean_line(tab.url, 200)} was reached and had not loaded fully within {timeout_ms} ms.", done="It is open as far as it came.",
            next_call="notte_observe to see what is there",
        )  # fmt: skip
    return PageLoadFailed(
        f"{clean_line(url or '', 200)} did not answer within {timeout_ms} ms.", kept=f"The tab is still on {clean_line(tab.url, 200)}.",
        next_call="the same goto with a larger timeout_ms, or another URL",
    )  # fmt: skip


def _stormed(failed: PageLoadFailed, dialogs: int) -> PageLoadFailed:
    """More time would not help: the page that is to be left gives its thread to one dialog after the other."""
    return PageLoadFailed(
        f"{failed.what} The page that the tab is on opened {dialogs} dialogs meanwhile, and keeps it from leaving.",
        kept=failed.kept,
        next_call="goto_new_tab with the same url, then close the other tab",
    )


def _load_failure(error: PlaywrightError, url: str) -> NotteMCPError:
    text = str(error)
    shown = clean_line(url, 200)
    if "Download is starting" in text:
        return PageLoadFailed(
            f"{shown} is a download, not a page.",
            done="The file is being saved.",
            next_call="notte_read on the session's files",
        )
    if "net::ERR_ABORTED" in text:
        return PageLoadFailed(
            f"{shown} gave no page (it was aborted, or has no content).",
            next_call="notte_observe to see where the tab is",
        )
    for sign, reason, mend in _REASONS:
        if sign in text:
            return PageLoadFailed(
                f"{shown} did not load: {reason}.", done=_ERROR_PAGE, kept="The session is kept.", next_call=mend
            )
    return PageLoadFailed(
        f"{shown} did not load: {text.splitlines()[0][:150]}.",
        done=_ERROR_PAGE,
        kept="The session is kept.",
        next_call="check the URL",
    )


async def empty_tab(stage: Stage) -> None:
    """Open an empty tab and wait until it is attached.

    Raises:
        TimeoutError: it did not come. playwright Error: the browser is gone.
    """
    before = stage.opened
    stage.expected += 1
    try:
        await stage.context.new_page()
    except PlaywrightError:
        stage.expected = max(0, stage.expected - 1)
        raise
    with anyio.fail_after(5):
        while stage.opened == before or stage.opening:
            await stage.settled.wait()


async def _goto_new_tab(stage: Stage, action: a.GotoNewTab, timeout_ms: int) -> Receipt:
    url = normal_url(action.url, stage.options.own_ports)
    if len(stage.tabs) >= stage.options.max_tabs:
        raise ActionFailed(
            f"The session has {len(stage.tabs)} tabs, the most it may have.", next_call="close_tab first"
        )
    await empty_tab(stage)
    status = await _load(stage.tab, "goto", url, "load", timeout_ms)
    unsettled = await settle_load(stage.tab)
    return Receipt(
        action.type, success=True, message=f"Opened {clean_line(stage.tab.url, 300)} in tab {stage.current}", new_tab=stage.current,
        status=status, unsettled=unsettled, navigated=True,
    )  # fmt: skip


async def _close_tab(stage: Stage, action: a.CloseTab) -> Receipt:
    index = stage.current
    if len(stage.tabs) == 1:
        await empty_tab(stage)
    closing = stage.tabs[index]
    await closing.page.close()
    with anyio.fail_after(5):
        while closing in stage.tabs:
            await stage.settled.wait()
    return Receipt(
        action.type, success=True, message=f"Closed tab {index}; tab {stage.current} is current", navigated=True
    )


async def _switch_tab(stage: Stage, action: a.SwitchTab) -> Receipt:
    index = len(stage.tabs) - 1 if action.tab_index == -1 else action.tab_index
    if not 0 <= index < len(stage.tabs):
        raise ActionFailed(
            f"There is no tab {action.tab_index}; tabs are 0 to {len(stage.tabs) - 1}.",
            next_call="notte_observe lists the tabs",
        )
    stage.current = index
    stage.note_change()
    await stage.tab.page.bring_to_front()
    return Receipt(action.type, success=True, message=f"Switched to tab {index}", navigated=True)


async def _history(stage: Stage, action: a.GoBack | a.GoForward, timeout_ms: int) -> Receipt:
    tab, step = await _free(stage), -1 if isinstance(action, a.GoBack) else 1
    history = await tab.cdp.send("Page.getNavigationHistory")
    if not 0 <= history["currentIndex"] + step < len(history["entries"]):
        raise ActionFailed(
            f"There is no page to go {'back' if step < 0 else 'forward'} to.", next_call="goto a URL instead"
        )
    try:
        go = tab.page.go_back if step < 0 else tab.page.go_forward
        response = await go(wait_until="load", timeout=timeout_ms)
    except PlaywrightTimeout:
        await _give_up_loading(tab)
        raise _slow(tab, None, timeout_ms) from None
    status = response.status if response is not None else None
    unsettled = await settle_load(tab)
    return Receipt(
        action.type,
        success=True,
        message=f"Went to {clean_line(tab.url, 300)}",
        navigated=True,
        status=status,
        unsettled=unsettled,
    )
