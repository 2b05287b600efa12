"""Files on loopback, with a log of what was asked for. Below: nothing. Above: manual, petshop."""

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_MAX_BODY: Final = 64_000
"""Bytes of the largest body that is read."""


class Files:
    """A folder, served on a free port. `asked` is each request as `GET /path`, with its body where it has one;
    `opened` the paths among them that a tab went to, in order."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[tuple[str, str]] = []
        self.opened: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _Visit)
        self._server.site, self._server.folder = self, folder
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def answer(self, method: str, path: str, body: str) -> tuple[int, str, str] | None:  # noqa: ARG002 - what a site may look at
        """Status, MIME type and text of what is no file; None where a file is meant."""
        return None

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
    site: Files
    folder: Path

    def finish_request(self, request: Any, client_address: Any) -> None:
        _Visit(request, client_address, self, directory=str(self.folder))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hung up is no news."""


class _Visit(SimpleHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        if not self._answered():
            super().do_GET()

    def do_POST(self) -> None:
        if not self._answered():
            self.send_error(404)

    def do_DELETE(self) -> None:
        self.do_POST()

    def _answered(self) -> bool:
        length = min(int(self.headers.get("Content-Length", "0")), _MAX_BODY)
        body = self.rfile.read(length).decode(errors="replace")
        self.server.site.asked.append((f"{self.command} {self.path}", body))
        if self.headers.get("Sec-Fetch-Dest") == "document":
            self.server.site.opened.append(self.path)
        answer = self.server.site.answer(self.command, self.path, body)
        if answer is None:
            return False
        status, mime, text = answer
        sent = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", mime)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)
        return True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The output is the table's."""
