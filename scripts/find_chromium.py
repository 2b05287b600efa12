"""Find a Chromium that starts, or install one, and print its path.

The path goes to stdout and everything else to stderr, so that a Makefile may
write `NOTTE_MCP_BROWSER=$(python scripts/find_chromium.py)`. A browser counts as
found when it answers `--version`: one that lacks its system libraries (Playwright's
download on a bare Debian) does not, and the search goes on.

`NOTTE_MCP_BROWSER` is taken at its word: that one or none. Without it: the names in
`NAMES` on the PATH, then Playwright's own. Installed otherwise, unless `--no-install`:
Playwright's own, else (as root, where there is apt-get) Debian's package. Exit code 1
when there is none, with the commands that help.
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

HELP: Final = """\
No Chromium was found. Install one and run this again:
  sudo apt-get install chromium
  .venv/bin/playwright install chromium && sudo .venv/bin/playwright install-deps chromium
or name one: NOTTE_MCP_BROWSER=/path/to/chrome make ..."""


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


def starts(path: str) -> bool:
    """Whether this executable answers `--version`."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=START_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def playwrights_own() -> str | None:
    """Where Playwright keeps its Chromium, whether or not it has been downloaded; None without Playwright."""
    ask = "from playwright.sync_api import sync_playwright as p\nwith p() as d: print(d.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or None


def candidates() -> Iterator[str]:
    """Every place where a Chromium may be, first choice first; Playwright is asked only when it comes to that."""
    yield from filter(None, map(shutil.which, NAMES))
    if (own := playwrights_own()) and os.access(own, os.X_OK):
        yield own


def find() -> str | None:
    """The Chromium that `NOTTE_MCP_BROWSER` names, else the first that starts, or None. Says which did not."""
    named = os.environ.get("NOTTE_MCP_BROWSER")
    for path in [named] if named else candidates():
        if starts(path):
            return path
        say(f"{path} does not start.")
    return None


def run(command: Sequence[str]) -> bool:
    """Run an installer with its output on stderr; whether it succeeded."""
    say(f"$ {' '.join(command)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, stdout=sys.stderr, env=env, timeout=INSTALL_TIMEOUT_S, check=False)
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
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Trying Debian's package.")
        installer = ["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]
        if run(["apt-get", "update"]) and run(installer):
            return find()
    return None


def main(arguments: Sequence[str]) -> int:
    """Print the path of a Chromium; gives the exit code."""
    path = find()
    if path is None and (named := os.environ.get("NOTTE_MCP_BROWSER")):
        say(f"NOTTE_MCP_BROWSER names {named}: mend it, or unset it to have a Chromium found or installed.")
        return 1
    if path is None and "--no-install" not in arguments:
        path = install()
    if path is None:
        say(HELP)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
