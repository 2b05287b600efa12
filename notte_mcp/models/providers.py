"""The model contract over a provider's API: one request, one answer, no retry.

Through pydantic-ai's model layer called directly, without its agents. Its errors and
the vendors' end here (`mishaps`). What imports them is loaded in a thread when the
first question comes, since it takes a second.

Below: exchange, vendors, mishaps, base. Above: named.
"""

from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from notte_mcp.errors import ModelMissing, ModelUnavailable
from notte_mcp.models.access import Endpoint
from notte_mcp.models.base import ChatReply, ChatRequest

if TYPE_CHECKING:
    from notte_mcp.models.exchange import Line


INSTALL: Final = (
    'pip install "PATH[agents]", PATH being this notte-mcp\'s folder (PyPI has another project of that name)'
)
"""What installs the vendors' packages."""


class ProviderModel:
    """`prefix:model` at an endpoint. `key_name` is what the key is called where a person sets it."""

    def __init__(self, name: str, prefix: str, model: str, endpoint: Endpoint, *, key_name: str) -> None:
        self._name = name
        self._prefix = prefix
        self._model = model
        self._endpoint = endpoint
        self._key_name = key_name
        self._line: Line | None = None
        self._opening = anyio.Lock()

    @property
    def name(self) -> str:
        return self._name

    async def ask(self, request: ChatRequest, *, timeout_s: float) -> ChatReply:
        try:
            line = await self._open()
            with anyio.fail_after(timeout_s):
                return await line.ask(request)
        except TimeoutError:
            raise ModelUnavailable(f"{self._name} gave no answer within {timeout_s:g} s.", done="") from None
        except ImportError as error:
            raise ModelMissing(
                f"What {self._name} needs is installed in a version that does not fit: {error}.",
                next_call=f"run {INSTALL}",
            ) from error
        except Exception as error:  # noqa: BLE001 - whatever a vendor raises ends here, and its text may hold the key
            from notte_mcp.models.mishaps import mishap

            refused = mishap(error, name=self._name, endpoint=self._endpoint, key_name=self._key_name)
        raise refused

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def _open(self) -> "Line":
        async with self._opening:
            if self._line is None:
                self._line = await anyio.to_thread.run_sync(self._connect)
            return self._line

    def _connect(self) -> "Line":
        from notte_mcp.models.exchange import Line
        from notte_mcp.models.vendors import vendor

        return Line(vendor(self._prefix, self._model, self._endpoint))
