"""Finding Chromium, starting it so that it cannot outlive us, and ending it for certain.

Chromium talks to the driver over a pipe, never over a debugging port: the pipe's
end is the browser's end, and nobody else can attach. On Linux it is also told to
die with its parent (a stopped process does not notice a closed pipe). Each browser
has a TMPDIR of its own, so that one `rmtree` removes all it left.

Below: errors, observations. Above: `engine`, `driver`. Facts: reference measurements in docs/reliability.md.
"""

import os
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psutil

from notte_mcp import processes
from notte_mcp.errors import BrowserLaunchFailed, BrowserMissing
from notte_mcp.observations import clean_line

LAUNCH_MS: Final = 20_000
"""How long a browser may take to answer."""

_LAST_WORDS: Final = 3
_WORDS: Final = re.compile(r"\[pid=\d+\]\[err\] (.+)")
_EXIT: Final = re.compile(r"<process did exit: exitCode=(\d+)")

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge")
_MACOS: Final = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)

# Chromium takes the last list of features it is given, so Playwright's own (1.65) is said again; a test compares.
_PLAYWRIGHT_OFF: Final = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints", "NetworkTimeServiceQuerying",
    "AimEnabled", "PreconnectToSearch", "msForceBrowserSignIn", "msEdgeUpdateLaunchServicesPreferredVersion",
)  # fmt: skip

# The address bar's own pages, which nobody sees: a process for every tab, two thirds of what a tab costs in processor
# time and two fifths of its memory (Chromium 156, headless).
_OUR_OFF: Final = ("AutofillServerCommunication", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup")

CHROMIUM_ARGS: Final = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-service-autorun",
    "--password-store=basic",
    f"--disable-features={','.join((*_PLAYWRIGHT_OFF, *_OUR_OFF))}",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
"""Arguments beyond Playwright's own: nothing is fetched that the page did not ask for."""


PLAYWRIGHT_ARGS_OFF: Final = ("--disable-ipc-flooding-protection", "--disable-popup-blocking")
"""Arguments of Playwright's that are left out, so that Chromium bounds pages as it does for a person. A page that
changes its URL without end would take the browser's main thread from all sessions, where Chromium by itself lets 200
changes pass in ten seconds; and one that opens window after window, each with a process of its own, where Chromium by
itself opens one for each gesture of a person."""


def refused_ports(ports: Sequence[int]) -> list[str]:
    """Arguments that keep a browser from some ports, under whatever name or address a page gives: what is asked for
    there does not resolve. They hold for connections of its own; what goes by a proxy is `proxy_settings`' matter."""
    rules = ",".join(f"MAP *:{port} ~NOTFOUND" for port in sorted(ports))
    return [f"--host-resolver-rules={rules}"] if rules else []


def find_chromium(named: Path | None, bundled: Path | None) -> Path:
    """The executable to run: the one named in the settings, Playwright's own, or one on the PATH.

    Raises:
        BrowserMissing: none of these exists, or the named one is no executable file.
    """
    if named is not None:
        if named.is_file() and os.access(named, os.X_OK):
            return named
        raise BrowserMissing(
            f"NOTTE_MCP_BROWSER names {named}, which is no executable file.",
            next_call="correct or unset NOTTE_MCP_BROWSER and restart the server",
        )
    if bundled is not None and bundled.is_file():
        return bundled
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    for path in _MACOS:
        if path.is_file():
            return path
    raise BrowserMissing(
        "No Chromium was found: neither Playwright's own nor one on the PATH.",
        next_call="install one (`playwright install chromium`, or the system's chromium package), "
        "or set NOTTE_MCP_BROWSER to its path, then call notte_start again",
    )


def bound_to_parent(executable: Path, folder: Path) -> Path:
    """A script that runs `executable` so that it dies with its parent, where the system can; else itself.

    The parent is the driver's main thread, so the signal's per-thread rule does no harm.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return executable
    script = folder / "chromium"
    script.write_text(f"#!/bin/sh\nexec {setpriv} --pdeathsig KILL -- '{executable}' \"$@\"\n", encoding="utf-8")
    script.chmod(stat.S_IRWXU)
    return script


def running_as_root() -> bool:
    """Whether Chromium would refuse its sandbox because of who we are."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def children_of(pid: int, known: Sequence[int] = ()) -> list[psutil.Process]:
    """Direct children of a process that are not in `known`, zombies left out."""
    try:
        found = psutil.Process(pid).children()
    except psutil.Error:
        return []
    return [p for p in found if p.pid not in known and processes.lives(p)]


def end_tree(process: psutil.Process | None) -> None:
    """Kill a process and everything below it, and take note that it is gone. Never raises."""
    if process is not None:
        processes.end(processes.tree(process))


def first_line(error: Exception) -> str:
    """What an error says first, at most 300 characters, without a full stop."""
    text = str(error).strip()
    return text.splitlines()[0][:300].rstrip(".") if text else type(error).__name__


def launch_failure(error: Exception, executable: Path, *, headless: bool) -> BrowserLaunchFailed:
    """Why a browser did not start, by what Playwright tells of its last words, and what mends it."""
    text = str(error).lower()
    for signs, failure in _HINDRANCES:
        if any(sign in text for sign in signs):
            return failure(executable)
    if not headless and ("display" in text or "x server" in text):
        return BrowserLaunchFailed(
            "A visible browser needs a display, and there is none here.",
            next_call="notte_start with session.headless=true",
        )
    ended = _EXIT.search(str(error))
    late = f"it gave no sign within {LAUNCH_MS // 1000} s" if "Timeout" in str(error) else first_line(error)
    why = f"it ended with exit code {ended[1]}" if ended else late
    words = list(dict.fromkeys(clean_line(line, 150) for line in _WORDS.findall(str(error))))[-_LAST_WORDS:]
    said = f"; it said: {' | '.join(words)}" if words else ""
    return BrowserLaunchFailed(
        f"{executable} did not start: {why}{said}.",
        next_call="notte_start again; if it repeats, `notte-mcp doctor`, or start the executable by hand to see why",
    )


def gone_at_once() -> BrowserLaunchFailed:
    """A browser that ended before its session had a page."""
    return BrowserLaunchFailed(
        "The browser ended while its session was being opened.",
        next_call="notte_start again; if it repeats, `notte-mcp doctor`",
    )


def no_page(error: Exception, *, was_gone: bool) -> BrowserLaunchFailed:
    """A browser that gives no page; of one that is gone Playwright tells in words about its own objects."""
    why = first_line(error)
    if was_gone or any(sign in why for sign in _GONE):
        return gone_at_once()
    return BrowserLaunchFailed(f"The browser started but gave no page: {why}.", next_call="notte_start again")


_GONE: Final = ("with guid", "has been closed", "Connection closed", "Browser closed", "Target closed")

_HINDRANCES: Final[tuple[tuple[tuple[str, ...], Callable[[Path], BrowserLaunchFailed]], ...]] = (
    (
        ("no usable sandbox", "sandbox helper", "running as root without"),
        lambda executable: BrowserLaunchFailed(
            f"{executable} did not start because its sandbox is not available here.",
            next_call="allow unprivileged user namespaces, or set NOTTE_MCP_NO_SANDBOX=1 if running without a sandbox is acceptable",
        ),
    ),
    (
        ("too many open files", "emfile"),
        lambda executable: BrowserLaunchFailed(
            f"{executable} did not start: this server may open too few files.",
            next_call="raise the limit (`ulimit -n 4096`) for the server and start it again",
        ),
    ),
)
