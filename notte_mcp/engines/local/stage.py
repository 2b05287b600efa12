"""What the actions of a session act on: its tabs, ids, dialogs, downloads and files.

State without behaviour of its own, shared by the session and the action functions.
Below: `tab`, `elements`, `dialogs`, `downloads`. Above: `performer`, `pointer`, `fields`, `session`.
"""

from dataclasses import dataclass, field
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext

from notte_mcp.engines.local.dialogs import Dialogs
from notte_mcp.engines.local.downloads import Downloads
from notte_mcp.engines.local.elements import ElementBook
from notte_mcp.engines.local.tab import Tab


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Limits and folders that all sessions of an engine share. Sizes in bytes."""

    max_tabs: int
    max_download_bytes: int
    upload_dirs: tuple[Path, ...]


@dataclass(eq=False)
class Stage:
    """See the module. `tainted` is set once a secret was typed. `opening` counts tabs that are being attached."""

    context: BrowserContext
    options: SessionOptions
    files: Path
    book: ElementBook
    dialogs: Dialogs
    downloads: Downloads
    tabs: list[Tab] = field(default_factory=list[Tab])
    current: int = 0
    opening: int = 0
    opened: int = 0
    tainted: bool = False
    settled: anyio.Event = field(default_factory=anyio.Event)

    @property
    def tab(self) -> Tab:
        """The current tab."""
        return self.tabs[self.current]
