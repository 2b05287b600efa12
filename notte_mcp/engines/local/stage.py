"""What the actions of a session act on: its tabs, ids, dialogs, downloads and files.

State without behaviour of its own, shared by the session and the action functions.
Below: `tab`, `elements`, `dialogs`, `downloads`. Above: `performer`, `pointer`, `fields`, `session`.
"""

import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio
from playwright.async_api import BrowserContext

from notte_mcp.engines.base import Hand
from notte_mcp.engines.file_bounds import Bounds
from notte_mcp.engines.local.dialogs import Dialogs
from notte_mcp.engines.local.downloads import Downloads
from notte_mcp.engines.local.elements import ElementBook
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import World
from notte_mcp.errors import PageCrashed


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Limits and folders that all sessions of an engine share. Sizes in bytes, memory in megabytes.

    `own_ports` are those that this server listens on, which no page may reach under any name. `shortage` tells why nothing more is to be kept on the disk ("" where there is room).
    """

    max_tabs: int = 10
    max_download_bytes: int = 200_000_000
    max_session_bytes: int = 1_000_000_000
    max_session_files: int = 1_000
    max_upload_bytes: int = 200_000_000
    max_page_mb: int = 2_000
    max_browser_mb: int = 6_000
    upload_dirs: tuple[Path, ...] = ()
    own_ports: tuple[int, ...] = ()
    shortage: Callable[[], Awaitable[str]] | None = None

    @property
    def of_files(self) -> Bounds:
        """What bounds a session's files."""
        return Bounds(self.max_download_bytes, self.max_session_bytes, self.max_session_files, self.shortage)


class Screen(Protocol):
    """The film of a stage, as the actions know it."""

    @property
    def is_behind(self) -> bool:
        """Whether what stands on the page has not been filmed yet."""
        ...

    def stirs(self) -> None:
        """An action begins: what is painted in the next moment need not be told."""
        ...

    async def catch_up(self, *, patient: bool) -> None:
        """Come back when what stands on the page has been filmed, at once where it has; without patience, when its
        picture is being taken. Never raises; not for long."""
        ...


@dataclass(eq=False)
class Stage:
    """See the module.

    `tainted` is set once a secret was typed; scripts run after that only where they are the typist's `own_scripts`. `opening` counts tabs that are being attached,
    `expected` those that this session itself asked for, `awaited` those that a page is opening. `patient` says that the action in hand
    named its own time, `acting` is the world that its input went to,
    `choosing` that it expects a file chooser. `acted_at` is when it touched the page (Unix s). `hand` is how a person does the action in hand, where one does. `lost` is why the browser
    is gone, once it is. `screen` films it, where anybody looks, and `changed_at` is when something was last done to the page (Unix s). `followers` are called when the current tab may be another one. `because` tells why a page of it, or it, has just been ended by us ("" where it was not).
    """

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
    expected: int = 0
    awaited: int = 0
    tainted: bool = False
    own_scripts: bool = False
    patient: bool = False
    acting: World | None = None
    choosing: bool = False
    hand: Hand | None = None
    acted_at: float | None = None
    lost: str = ""
    because: Callable[[], str] = lambda: ""
    settled: anyio.Event = field(default_factory=anyio.Event)
    followers: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    covered: int = 0
    screen: Screen | None = None
    changed_at: float = 0.0

    def note_change(self) -> None:
        """Wake whoever waits for tabs."""
        self.settled.set()
        self.settled = anyio.Event()
        for follower in self.followers:
            follower()

    def touched(self) -> None:
        """The page is touched, now or in the next moment."""
        self.acted_at = time.time()

    def changed(self) -> None:
        """Something was done to the page, which no earlier frame shows."""
        self.changed_at = time.time()

    async def filmed(self, *, patient: bool = True) -> None:
        """Before what stands on the page goes: let the film have it. `patient`: it goes at once."""
        if self.screen is not None:
            await self.screen.catch_up(patient=patient)

    @contextmanager
    def drawn_on(self) -> Generator[None]:
        """While something of ours is drawn over the page, which no film is to show."""
        self.covered += 1
        try:
            yield
        finally:
            self.covered -= 1
            self.note_change()

    @property
    def tab(self) -> Tab:
        """The current tab. Raises: PageCrashed: the last one has just gone, and the next is not there yet."""
        if not self.tabs:
            raise PageCrashed("The page crashed, and no other is there yet.", next_call="the same call again")
        return self.tabs[self.current]
