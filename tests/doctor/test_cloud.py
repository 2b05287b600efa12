"""What the doctor finds of the cloud: whether who answers there is it; and that the key goes nowhere."""

import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from notte_mcp.doctor import cloud
from notte_mcp.doctor.finding import Finding
from notte_mcp.settings import Settings

KEY = "key-of-the-doctor-77d1"


@contextmanager
def answering(status: int, body: bytes) -> Generator[tuple[str, list[str]]]:
    """A server that always answers so, and the requests it had."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers}")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            del format, args

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", heard
        finally:
            server.shutdown()


def found(state: Path, **settings: Any) -> Finding:
    findings = {one.name: one for one in cloud.check(Settings(state_dir=state, **settings), fix=False)}
    return findings["cloud"]


@pytest.mark.parametrize(
    ("status", "body", "level", "words"),
    [
        (200, b'{"status": "healthy", "version": "1.10.2"}', "ok", "(version 1.10.2)"),
        (200, b"<html>Please log in</html>", "failure", "is not the Notte API"),
        (404, b'{"detail": "Not Found"}', "failure", "is not the Notte API"),
        (503, b"", "warning", "HTTP 503"),
    ],
)
def test_who_answers_at_the_address_is_told(tmp_path: Path, status: int, body: bytes, level: str, words: str) -> None:
    """One request, to /health, without the key."""
    with answering(status, body) as (url, heard):
        finding = found(tmp_path, notte_api_key=KEY, notte_api_url=url)

    assert (finding.level, words in finding.text) == (level, True), finding
    assert len(heard) == 1
    assert heard[0].startswith("/health ")
    assert KEY not in heard[0] + finding.text


def test_without_a_key_nobody_is_asked_and_who_does_not_answer_is_told(tmp_path: Path) -> None:
    """A cloud that nobody uses is nobody's business."""
    with answering(200, b"{}") as (url, heard):
        assert found(tmp_path, notte_api_url=url).level == "ok"
    assert heard == []

    silent = found(tmp_path, notte_api_key=KEY, notte_api_url=url)
    assert (silent.level, "does not answer" in silent.text) == ("warning", True)
