"""The site that tests drive a browser on: two loopback servers, started and stopped by the test run.

`Site` is what tests hold: addresses to open, and what arrived. Pages are files
under `pages/`, in which `{{here}}`, `{{near}}` and `{{other}}` stand for the
three origins below; what must be computed, slow, broken or huge is in
`routes.py`, `downloads.py` and `generated.py`.

here   http://127.0.0.1:A   where a test starts
near   http://127.0.0.1:B   another origin of the same site: its frames share the page's process
other  http://localhost:B   another site: its frames get a process of their own
"""

import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

from tests.loopback import LoopbackServer
from tests.site import downloads, generated, journeys, routes
from tests.site.uploads import Submission
from tests.site.visit import Route, Visit

PAGES = Path(__file__).parent / "pages"
ROUTES = routes.ROUTES | downloads.ROUTES | generated.ROUTES | journeys.ROUTES
_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
# A client that hung up in the middle of an answer is what several pages are made for.
_HUNG_UP = (ConnectionError, TimeoutError)


class Site:
    """Both servers and everything they saw."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        """Requests by path (without the query), both servers together."""
        self.submissions: list[Submission] = []
        """Every form that arrived, in order."""
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """(method, path with query, headers by lower-case name) of every request."""
        self.errors: list[BaseException] = []
        """What went wrong inside the server itself; a test run expects none."""
        self.rewrite: Callable[[str], str] | None = None
        """What changes a whole page of HTML before it is sent."""
        self.stopping = threading.Event()
        self._came = threading.Condition()
        self._servers = (_Server(self), _Server(self))
        self._threads = [threading.Thread(target=s.serve_forever, args=(0.05,), daemon=True) for s in self._servers]
        for thread in self._threads:
            thread.start()

    @property
    def here(self) -> str:
        """The origin where a test starts."""
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    def url(self, path: str = "/") -> str:
        """`path` on the first origin."""
        return self.here + path

    def near(self, path: str = "") -> str:
        """`path` on another origin of the same site."""
        return f"http://127.0.0.1:{self._servers[1].server_port}{path}"

    def other(self, path: str = "") -> str:
        """`path` on another site."""
        return f"http://localhost:{self._servers[1].server_port}{path}"

    @property
    def pages(self) -> list[str]:
        """The path of every page file."""
        return sorted(f"/{file.name}" for file in PAGES.glob("*.html"))

    def reset(self) -> None:
        """Forget what arrived so far."""
        self.hits.clear()
        self.submissions.clear()
        self.requests.clear()
        self.errors.clear()

    def wait_for(self, path: str, *, count: int = 1, timeout_s: float = 5) -> bool:
        """Whether `path` was asked for `count` times within `timeout_s`. Blocks its thread."""
        with self._came:
            return self._came.wait_for(lambda: self.hits[path] >= count, timeout_s)

    def note(self, method: str, target: str, headers: dict[str, str]) -> None:
        """Enter a request that came."""
        with self._came:
            self.hits[urlsplit(target).path] += 1
            self.requests.append((method, target, headers))
            self._came.notify_all()

    def page(self, path: str) -> tuple[bytes, str] | None:
        """A page file and its type, its origins filled in; None where there is none."""
        file = PAGES / path.lstrip("/")
        if file.parent != PAGES or file.suffix not in _TYPES or not file.is_file():
            return None
        text = file.read_text(encoding="utf-8")
        for name, origin in (("here", self.here), ("near", self.near()), ("other", self.other())):
            text = text.replace("{{" + name + "}}", origin)
        return text.encode(), _TYPES[file.suffix]

    def close(self) -> None:
        """Stop both servers, end every open connection, free the ports."""
        self.stopping.set()
        for server in self._servers:
            server.shutdown()
            server.hang_up()
            server.server_close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _answer_for(path: str) -> Route:
    """The function for a path, for its folder, or the one that says there is none."""
    folder = path[: path.rfind("/") + 1]
    return ROUTES.get(path) or (ROUTES.get(folder) if folder != "/" else None) or routes.missing


class _Server(LoopbackServer):
    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(_Exchange)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        site = cast(_Server, self.server).site
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urlsplit(self.path).path
        site.note(self.command, self.path, headers)
        try:
            body = self.rfile.read(int(headers.get("content-length", "0")))
            found = site.page(path) if self.command == "GET" else None
            visit = Visit(site, self, self.command, self.path, headers, body)
            if found is not None:
                visit.send(found[0], content_type=found[1])
            else:
                _answer_for(path)(visit)
            self.wfile.flush()
        except _HUNG_UP:
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - whatever it is, a test wants to see it
            site.errors.append(error)
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Nothing: the test run's output is for tests."""
