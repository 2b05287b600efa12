"""Finding a Chromium that starts, and installing one.

A browser counts as found when it answers `--version`: one that lacks its system libraries
(Playwright's download on a bare Debian) does not, and the search goes on. Installed is
Playwright's own, else (as root, where there is apt-get) Debian's package.

Below: nothing. Above: browser, commands, scripts/find_chromium.py.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""What a Chromium is called on the PATH, first choice first."""

START_TIMEOUT_S: Final = 30.0
"""How long `--version` may take: the first start on a cold disk is slow."""

INSTALL_TIMEOUT_S: Final = 900.0
"""How long one way of installing may take."""

# Without what else Debian recommends, which is most of the download; but with the set-uid sandbox,
# for kernels that give unprivileged users no namespaces, and a font, for pages that name one.
DEBIAN_PACKAGES: Final = ("chromium", "chromium-sandbox", "fonts-liberation")


def say(text: str) -> None:
    """Tell the person who waits, on stderr: stdout is for what was asked for."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def version(path: str) -> str | None:
    """What this executable answers to `--version`; None where it does not start."""
    try:
        done = subprocess.run(  # noqa: S603 - a browser that was found, and no shell
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=START_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout.strip() or "no version told") if done.returncode == 0 else None


def playwrights_own() -> str | None:
    """Where Playwright keeps its Chromium, whether or not it has been downloaded; None without Playwright."""
    ask = "from playwright.sync_api import sync_playwright as p\nwith p() as d: print(d.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own Python
    return done.stdout.strip() or None


def candidates() -> Iterator[str]:
    """Every place where a Chromium may be, first choice first; Playwright is asked only when it comes to that."""
    yield from filter(None, map(shutil.which, NAMES))
    if (own := playwrights_own()) and os.access(own, os.X_OK):
        yield own


def find(named: str | None = None) -> str | None:
    """The Chromium that is named, else the first that starts, or None. Says which did not."""
    for path in [named] if named else candidates():
        if version(path) is not None:
            return path
        say(f"{path} does not start.")
    return None


def run(command: Sequence[str]) -> bool:
    """Run an installer with its output on stderr; whether it succeeded."""
    say(f"$ {' '.join(command)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, stdout=sys.stderr, env=env, timeout=INSTALL_TIMEOUT_S, check=False)  # noqa: S603 - lists of our own
    except (OSError, subprocess.TimeoutExpired) as error:
        say(str(error))
        return False
    return done.returncode == 0


def install() -> str | None:
    """Install a Chromium and give its path, or None where no way worked."""
    say("No Chromium that starts was found; installing one.")
    if run([sys.executable, "-m", "playwright", "install", "chromium"]) and (path := find()):
        return path
    say("Playwright's Chromium could not be had here.")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        say("Trying Debian's package.")
        installer = ["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]
        if run(["apt-get", "update"]) and run(installer):
            return find()
    return None
