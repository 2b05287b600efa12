"""Names of files that pages send: safe ones, and free ones.

Pure, but for the look at what is there. Below: observations. Above: the engines.
"""

import re
import unicodedata
from pathlib import Path
from typing import Final

from notte_mcp.observations import clean_line

_UNSAFE: Final = re.compile(r'[\x00-\x1f/\\:*?"<>|]+')
_MAX_NAME_BYTES: Final = 150


def safe_name(suggested: str) -> str:
    """A file name without path, control or reserved characters, at most 150 bytes, never hidden, never empty."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", clean_line(suggested, 300))).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 12:  # noqa: PLR2004  (longer endings are no file types)
        stem, suffix = name, ""
    room = _MAX_NAME_BYTES - len(suffix.encode()) - 1
    stem = stem.encode()[:room].decode(errors="ignore")
    return f"{stem}.{suffix}" if suffix and stem else stem or "download"


def free_path(folder: Path, name: str) -> Path:
    """A path in `folder` that does not exist yet: `name`, else `name (2)` and so on."""
    path, number = folder / name, 2
    while path.exists():
        path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        number += 1
    return path
