"""The keeper: whether one runs, of which version; and what one that died left in its folder.

Below: finding, keeper. Above: examining.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from notte_mcp import __version__
from notte_mcp.doctor.finding import Finding, failure, ok, warning
from notte_mcp.keeper import locks, places
from notte_mcp.keeper.link import Gone, Refused, Wrong, reach
from notte_mcp.settings import Settings

ANSWER_S: Final = 2.0


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of the keeper; `fix` removes what a dead one left."""
    if not (settings.state_dir / "keeper").is_dir():
        yield ok("keeper", "None runs; a host's first start brings one up.")
        return
    here = Path.cwd()
    try:
        # Its folder is gone into: a socket's path may be too long for its whole name.
        places.enter(str(settings.state_dir), closing=fix)
        yield from _found(fix=fix)
    except places.FolderUnusable as error:
        yield failure("keeper", f"{error}.", f"chmod 700 {settings.state_dir / 'keeper'}")
    finally:
        os.chdir(here)


def _found(*, fix: bool) -> Iterator[Finding]:
    # First the turn of those who start keepers: none is begun while its lock is looked at.
    if (turn := locks.take(places.START, wait_s=ANSWER_S)) is None:
        yield ok("keeper", "One is just being started.")
        return
    try:
        life = locks.take(places.LIFE, wait_s=0)
        if life is None:
            yield _living()
            return
        try:
            yield _dead(fix=fix)
        finally:
            locks.free(life)
    finally:
        locks.free(turn)


def _living() -> Finding:
    try:
        link = reach({"kind": "status"}, ANSWER_S)
    except (Gone, Refused, Wrong) as error:
        return failure(
            "keeper", f"One lives and does not answer ({error or type(error).__name__}).", "notte-mcp keeper stop"
        )
    link.close()
    version = str(json.loads(link.said).get("version", "unknown"))
    if version != __version__:
        return warning("keeper", f"One of version {version} runs; this is {__version__}.", "notte-mcp keeper stop")
    return ok("keeper", f"One runs (process {link.pid}, version {version}).")


def _dead(*, fix: bool) -> Finding:
    left = [name for name in (places.SOCKET, places.PORT) if os.path.lexists(name)]
    if not left:
        return ok("keeper", "None runs; a host's first start brings one up.")
    if not fix:
        return warning("keeper", f"One died and left its {left[0]}.", "notte-mcp doctor --fix, or the next start")
    for name in left:
        Path(name).unlink(missing_ok=True)
    return ok("keeper", "None runs; a host's first start brings one up.", done=f"removed its {' and '.join(left)}")
