"""A small shop on loopback: what the demo drives.

It remembers orders for as long as it is open and nothing else, and takes a free
port. It has no part in the server; a person may open it in a browser as well:
`python -m notte_mcp.demo.shop`.

Below: pages, orders, stock. Above: drive.
"""

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self, cast
from urllib.parse import parse_qsl, urlsplit

from notte_mcp.demo import pages, stock
from notte_mcp.demo.orders import Order, faults

_FIRST_NUMBER: Final = 10_001
_MAX_BODY: Final = 64_000
"""Bytes of the largest form that is read."""


class Shop:
    """The open shop. `orders` are those placed so far, in order."""

    def __init__(self, port: int = 0) -> None:
        self.orders: list[Order] = []
        self._till = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Visit)
        self._server.shop = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def place(self, product: stock.Product, quantity: int, fields: dict[str, str]) -> Order:
        """Take an order that has no faults."""
        kept = {name: value for name, value in fields.items() if name != "code"}
        with self._till:
            order = Order(f"KK-{_FIRST_NUMBER + len(self.orders)}", product, quantity, kept)
            self.orders.append(order)
        return order

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    shop: Shop

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hung up is no news."""


class _Visit(BaseHTTPRequestHandler):
    @property
    def shop(self) -> Shop:
        return cast(_Server, self.server).shop

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        match parts.path.strip("/").split("/"):
            case [""]:
                words = query.get("q", "").strip()
                self._page(pages.shelf(stock.find(words), words))
            case ["product", slug] if item := stock.product(slug):
                self._page(pages.one(item))
            case ["order"] if item := stock.product(query.get("product", "")):
                self._page(pages.form(item, _quantity(query), {}, {}))
            case ["orders", number] if order := next((o for o in self.shop.orders if o.number == number), None):
                self._page(pages.thanks(order))
            case _:
                self._page(pages.missing(), 404)

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length", "0")), _MAX_BODY)
        fields = dict(parse_qsl(self.rfile.read(length).decode(errors="replace")))
        item = stock.product(fields.get("product", ""))
        if item is None or urlsplit(self.path).path != "/order":
            self._page(pages.missing(), 404)
        elif found := faults(fields):
            self._page(pages.form(item, _quantity(fields), fields, found), 422)
        else:
            order = self.shop.place(item, _quantity(fields), fields)
            # Another page by GET, so that a reload orders nothing twice.
            self.send_response(303)
            self.send_header("Location", f"/orders/{order.number}")
            self.end_headers()

    def _page(self, text: str, status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The demo's output is the demo's."""


def _quantity(fields: dict[str, str]) -> int:
    text = fields.get("quantity", "1")
    return min(max(int(text), 1), 9) if text.isdecimal() else 1


if __name__ == "__main__":
    with Shop(port=8000) as shop:
        print(f"{pages.SHOP} is open at {shop.url}; Ctrl+C closes it.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
