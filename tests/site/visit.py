"""One request to the test site, the ways to answer it, and how functions are entered for a path.

A path that ends in `/` takes what follows it as its argument.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.site.server import Site

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, and the ways to answer it."""

    site: "Site"
    exchange: BaseHTTPRequestHandler
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def query(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True).get(name, [default])[0]

    def number(self, name: str, default: int) -> int:
        """A parameter of the query, as a number."""
        return int(self.query(name, str(default)))

    def wait(self, ms: int) -> None:
        """Let `ms` pass, or the site end."""
        self.site.stopping.wait(ms / 1000)

    def head(self, status: int = 200, content_type: str = HTML, **headers: str) -> None:
        """Status line and headers; `Set_Cookie=` writes `Set-Cookie:`."""
        self.exchange.send_response(status)
        self.exchange.send_header("Content-Type", content_type)
        self.exchange.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            # send_header writes latin-1; the bytes that go out are the value's UTF-8.
            self.exchange.send_header(name.replace("_", "-"), value.encode().decode("latin-1"))
        self.exchange.end_headers()

    def send(self, body: bytes | str, status: int = 200, content_type: str = HTML, **headers: str) -> None:
        """A whole answer."""
        content = body.encode() if isinstance(body, str) else body
        if self.site.rewrite is not None and content_type == HTML:
            content = self.site.rewrite(content.decode()).encode()
        self.head(status, content_type, Content_Length=str(len(content)), **headers)
        self.exchange.wfile.write(content)

    def page(self, title: str, body: str, status: int = 200, **headers: str) -> None:
        """A small HTML page."""
        self.send(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>\n'
            f"<main><h1>{escape(title)}</h1>\n{body}\n</main></html>",
            status,
            **headers,
        )

    def redirect(self, to: str, status: int = 303, **headers: str) -> None:
        """Send the browser elsewhere."""
        self.send(b"", status, Location=to, **headers)


Route = Callable[[Visit], None]


def router(table: dict[str, Route]) -> Callable[[str], Callable[[Route], Route]]:
    """A decorator that enters a function into `table` under a path."""

    def at(path: str) -> Callable[[Route], Route]:
        def enter(function: Route) -> Route:
            table[path] = function
            return function

        return enter

    return at
