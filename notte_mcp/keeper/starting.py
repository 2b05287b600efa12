"""Starting the keeper when none answers: one process does it, however many want it, and it is nobody's child.

Imported only when there is none: it brings `subprocess` along.

Below: link, locks, places, wanted. Above: relay.
"""

import os
import select
import subprocess
import sys
import time
from typing import Final

from notte_mcp.keeper import locks, wanted
from notte_mcp.keeper.link import Gone, Link, Refused, Wrong, named, reach
from notte_mcp.keeper.places import LOG, START, is_secret

START_S: Final = 25.0
"""How long it may take until the keeper answers, or until another process has started it. What a host waits for is
answered within 50 s, so who waited for another has only what is left of this, and at least `LEAST_S`."""

LEAST_S: Final = 8.0

# Elsewhere it leaves by itself (keeper.__main__), and is then the child of nobody who is still there.
_APART: Final = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0

READY: Final = "ready"
WRONG: Final = "wrong "
"""What a keeper says on its stdout, once: that it listens, or which of its settings is wrong."""


def join(values: dict[str, str]) -> Link:
    """The keeper of this folder, started if there is none.

    Raises:
        Refused: it does not take the connection, or could not be started. Wrong: its settings are.
    """
    begun = time.monotonic()
    lock = locks.take(START, wait_s=START_S)
    if lock is None:
        raise Refused(f"Another process has been starting the keeper for {START_S:.0f} s. Try again, or --in-process.")
    try:
        try:
            return reach(values)  # another may have started it meanwhile
        except Gone:
            _start(values, within_s=max(LEAST_S, START_S - (time.monotonic() - begun)))
        return reach(values)
    except Gone as error:
        raise Refused(f"The keeper ended as soon as it was started. {_last_words()}") from error
    finally:
        locks.free(lock)


def _start(values: dict[str, str], within_s: float) -> None:
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # -P: the working folder is not to be looked for modules. Secrets come with connections, and stay out of its
    # environment.
    command = [sys.executable, "-P", "-m", "notte_mcp.keeper", *wanted.words(named(values, "flag."))]
    env = {name: value for name, value in os.environ.items() if not is_secret(name)}
    folder = values["folder"] if os.path.isdir(values["folder"]) else None
    try:
        with subprocess.Popen(  # noqa: S603 - this Python, with our own module
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=env,
            creationflags=_APART,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            said = _heard(process.stdout.fileno(), within_s)
    finally:
        os.close(log)
    if said.startswith(WRONG):
        raise Wrong(said.removeprefix(WRONG))
    if said != READY:
        raise Refused(f"The keeper could not be started. {said or _last_words()}")


def _heard(pipe: int, within_s: float) -> str:
    """What the keeper says; what it has not said in time is empty."""
    said = b""
    deadline = time.monotonic() + within_s
    while b"\n" not in said:
        if sys.platform != "win32" and not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            break
        if not (more := os.read(pipe, 4_096)):
            break
        said += more
    return said.decode(errors="replace").strip()


def _last_words() -> str:
    try:
        with open(LOG, encoding="utf-8", errors="replace") as file:
            lines = file.read()[-4_000:].splitlines()
    except OSError:
        lines = []
    return f"Its log ({os.path.abspath(LOG)}) ends: {lines[-1]}" if lines else "It said nothing."
