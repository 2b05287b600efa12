"""Login state on disk: cookies and local storage, as they are after each navigation.

One file per session, mode 0600, replaced whole. An engine reads the local
storage of open pages only, so what was saved for other origins earlier is kept.

Below: errors. Above: registry.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

FILE_NAME: Final = "state.json"

State = dict[str, Any]


def read_state(folder: Path) -> State | None:
    """The state saved in a session's folder; None where there is none, or none that can be read."""
    try:
        found = json.loads((folder / FILE_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return cast(State, found) if isinstance(found, dict) else None


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the state in a session's folder.

    Raises:
        OSError: the disk is full, or the folder is gone.
    """
    part = folder / f"{FILE_NAME}.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / FILE_NAME)


def merge(earlier: Mapping[str, Any] | None, now: Mapping[str, Any]) -> State:
    """`now`, and the local storage of those `earlier` origins of which it tells nothing: they are not open any more, or
    their pages do not answer."""
    seen = {origin["origin"] for origin in now.get("origins", ())}
    kept = [origin for origin in (earlier or {}).get("origins", ()) if origin["origin"] not in seen]
    return {**now, "origins": [*kept, *now.get("origins", ())]}
