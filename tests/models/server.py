"""A loopback server that speaks four providers' APIs, well or badly, as a test wants it.

    with ModelServer(answers=[{"actions": [...]}, "text"]) as server:
        server.then("429", "normal")          # the next two requests; after them `server.mode`
        Access(openai=Endpoint("key", server.openai_url))
        ...
        server.requests[0].system, .schema, .headers, .body

Answers are given in order, the last one for ever; a function of the `Asked` gives its own. Modes:

normal        the next answer
slow          the same, once `gate` is set (a `threading.Event`; the server's end sets it)
429           a rate limit, with `Retry-After: 7`
500, 503      the server fails
cut           the connection ends in the middle of the body
empty         a body of no bytes, with status 200
silent        an answer of the protocol, with no text in it
not_json      a page of HTML, with status 200
wrong_shape   JSON that is not the protocol's
wrong_schema  an answer of the protocol that is not what its schema says
huge          an answer of 10 MB
same          the same action for ever
no_schema     400 where the request has a schema, else the next answer
400, 401, 403, 404  the request, the key, the key, the model is refused; a refusal of a key repeats it
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self, cast

from tests.loopback import LoopbackServer
from tests.models.wires import WIRES, Wire

SAME = {"actions": [{"type": "click", "id": "B1"}]}
HUGE = "x" * 10_000_000
RETRY_AFTER_S = 7
_KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    wire: Wire

    @property
    def system(self) -> str:
        return self.wire.system(self.body)

    @property
    def schema(self) -> Any:
        return self.wire.schema(self.body)

    @property
    def key(self) -> str:
        """The key that it came with."""
        found = next((self.headers[name] for name in _KEY_HEADERS if name in self.headers), "")
        return found.removeprefix("Bearer ")

    @property
    def text(self) -> str:
        """The whole body as text."""
        return json.dumps(self.body, ensure_ascii=False)


class ModelServer:
    """The server, from `with` to its end."""

    def __init__(
        self, answers: Sequence[object] | Callable[[Asked], object] = ("ok",), *, mode: str = "normal"
    ) -> None:
        self.mode = mode
        self.requests: list[Asked] = []
        self.words: dict[str, str] = {}
        """What refusals say instead of their usual words, by mode."""
        self.errors: list[BaseException] = []
        self.gate = threading.Event()
        self._answers: Sequence[object] | Callable[[Asked], object] = answers
        self._given = 0
        self._modes: deque[str] = deque()
        self._came = threading.Condition()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """What Anthropic's and Gemini's clients are given."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def openai_url(self) -> str:
        """What OpenAI's and Ollama's are given."""
        return f"{self.base_url}/v1"

    def answer(self, *answers: object) -> None:
        """What is answered from now on, in order; the last one for ever."""
        self._answers, self._given = answers, 0

    def then(self, *modes: str) -> None:
        """The modes of the next requests."""
        self._modes.extend(modes)

    def wait_for(self, count: int, *, timeout_s: float = 5) -> bool:
        """Whether `count` requests came within `timeout_s`. Blocks its thread."""
        with self._came:
            return self._came.wait_for(lambda: len(self.requests) >= count, timeout_s)

    def take(self, asked: Asked) -> tuple[str, object]:
        """Enter a request; the mode and the answer for it."""
        with self._came:
            self.requests.append(asked)
            mode = self._modes.popleft() if self._modes else self.mode
            self._came.notify_all()
            if mode == "no_schema" and asked.schema is not None:
                return "400", "response_format is not supported"
            if mode in {"normal", "slow", "no_schema"}:
                return mode, self._next(asked)
            return mode, {
                "same": SAME,
                "wrong_schema": {"unexpected": [1]},
                "huge": HUGE,
                "silent": "",
                **self.words,
            }.get(mode, "")

    def _next(self, asked: Asked) -> object:
        if callable(self._answers):
            return self._answers(asked)
        self._given += 1
        return self._answers[min(self._given, len(self._answers)) - 1]

    def close(self) -> None:
        """Stop, and end every open connection."""
        self.gate.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(LoopbackServer):
    def __init__(self, models: ModelServer) -> None:
        self.models = models
        super().__init__(_Exchange)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def do_POST(self) -> None:
        models = cast(_Server, self.server).models
        try:
            self._answer(models)
            self.wfile.flush()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - whatever it is, a test wants to see it
            models.errors.append(error)
            self.close_connection = True

    def _answer(self, models: ModelServer) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(self.rfile.read(int(headers.get("content-length", "0"))))
        wire = next(wire for wire in WIRES if wire.answers(self.path))
        asked = Asked(self.path, headers, body, wire)
        mode, answer = models.take(asked)
        if mode.isdigit():
            return self._refuse(int(mode), asked, str(answer))
        if mode == "slow":
            models.gate.wait()
        text = answer if isinstance(answer, str) else json.dumps(answer)
        whole = json.dumps(wire.body(text, body)).encode()
        match mode:
            case "empty":
                self._send(200, b"")
            case "not_json":
                self._send(200, b"<html>Bad gateway</html>", kind="text/html")
            case "wrong_shape":
                self._send(200, b'{"hello": ["world"]}')
            case "cut":
                self._send(200, whole[: len(whole) // 2], length=len(whole))
                self.close_connection = True
            case _:
                self._send(200, whole)
        return None

    def _refuse(self, status: int, asked: Asked, said: str) -> None:
        said = said or {
            400: "The request is not one that we take",
            401: f"Incorrect API key provided: {asked.key}",
            403: f"The key {asked.key} may not do this",
            404: "The model does not exist",
            429: "Too many requests",
        }.get(status, "Something went wrong here")
        after = {"Retry-After": str(RETRY_AFTER_S)} if status == 429 else {}
        self._send(status, json.dumps(asked.wire.error(status, said)).encode(), headers=after)

    def _send(
        self,
        status: int,
        body: bytes,
        *,
        kind: str = "application/json",
        length: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Nothing: the test run's output is for tests."""
