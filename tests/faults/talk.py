"""A client that has several calls under way, takes some back, and may lose its server at any moment.

Below: tests.stdio.wire, notte_mcp.ids. Above: the files of faults.
"""

import json
import threading
from dataclasses import dataclass, field
from typing import Any, Final, cast

import anyio
import anyio.to_thread

from notte_mcp.ids import is_agent_id
from tests.stdio.wire import ENVELOPE, Wire

ANSWER_S: Final = 60.0
"""Every call has its answer by then; hosts would not wait as long."""

_CANCELLED: Final = "notifications/cancelled"
_MORE: Final = "; more: cursor "


class NoAnswer(Exception):
    """The server ended before it answered, or said that its keeper did."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to a call of a tool."""

    result: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_error(self) -> bool:
        return bool(self.result.get("isError"))

    @property
    def text(self) -> str:
        return "\n".join(block["text"] for block in self.result["content"] if block["type"] == "text")

    @property
    def facts(self) -> dict[str, Any]:
        """What is structured; an error is none, and fails the trial with its text."""
        assert not self.is_error, self.text
        return cast(dict[str, Any], self.result["structuredContent"])


class Talk:
    """See the module. `legacy` is the era with a handshake."""

    def __init__(self, wire: Wire, *, legacy: bool = False) -> None:
        self.wire = wire
        self._legacy = legacy
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._came = threading.Condition()
        self._closed = False
        if legacy:
            wire.handshake()
            self._number = 1_000
        threading.Thread(target=self._read, daemon=True).start()

    def begin(self, tool: str, /, **arguments: Any) -> int:
        """Call a tool; gives the number by which it is answered."""
        self._number += 1
        params: dict[str, Any] = {"name": tool, "arguments": arguments}
        self._send("tools/call", params if self._legacy else {**params, "_meta": ENVELOPE}, id=self._number)
        return self._number

    def cancel(self, number: int) -> None:
        """Take a call back."""
        self._send(_CANCELLED, {"requestId": number, "reason": "no more wanted"})

    async def answer(self, number: int, *, within_s: float = ANSWER_S) -> Said:
        """The answer to a call. Raises: NoAnswer; TimeoutError."""
        message = await anyio.to_thread.run_sync(self._wait, number, within_s, abandon_on_cancel=True)
        if "error" in message:
            raise NoAnswer(message["error"]["message"])
        return Said(message["result"])

    async def call(self, tool: str, /, **arguments: Any) -> Said:
        """Call a tool and wait for its answer. Raises: as `answer` does."""
        return await self.answer(self.begin(tool, **arguments))

    async def steps(self, of: str, *, after: int = 0) -> list[dict[str, Any]]:
        """The log of a session or an agent above a number, read page by page; its events are left out."""
        uri = f"notte://{'agents' if is_agent_id(of) else 'sessions'}/{of}/steps?after={after}"
        lines: list[str] = []
        more: dict[str, str] = {}
        while True:
            said = await self.call("notte_read", uri=uri, max_tokens=20_000, **more)
            assert not said.is_error, said.text
            lines += said.text.splitlines()
            if not lines or _MORE not in lines[-1]:
                break
            more = {"cursor": lines.pop().rpartition(_MORE)[2]}
        return [line for line in map(json.loads, lines) if "number" in line]

    def _send(self, method: str, params: dict[str, Any], **rest: Any) -> None:
        try:
            self.wire.send({"jsonrpc": "2.0", "method": method, "params": params, **rest})
        except (OSError, ValueError) as error:
            raise NoAnswer(f"nobody reads: {error}") from error

    def _read(self) -> None:
        stdout = self.wire.process.stdout
        assert stdout is not None
        try:
            for line in stdout:
                message = json.loads(line)
                with self._came:
                    self._answers[message.get("id", 0)] = message
                    self._came.notify_all()
        except (OSError, ValueError):  # half a line of a server that was killed, or a pipe closed by the test
            pass
        finally:
            with self._came:
                self._closed = True
                self._came.notify_all()

    def _wait(self, number: int, within_s: float) -> dict[str, Any]:
        with self._came:
            if not self._came.wait_for(lambda: number in self._answers or self._closed, within_s):
                raise TimeoutError(f"no answer within {within_s:.0f} s")
            if number not in self._answers:
                raise NoAnswer("the server closed its stdout")
            return self._answers.pop(number)
