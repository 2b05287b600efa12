"""The models of one server: made when first named, kept for their connections, closed at its end.

Below: named, access. Above: app, agents (by `Shelf.named`), keeper (which has a shelf for each kind of connection).
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from notte_mcp.errors import ModelUnknown
from notte_mcp.models.access import Access
from notte_mcp.models.base import ChatModel
from notte_mcp.models.named import check_name, model_named


class Shelf:
    """See the module. `default` is the configured model's name, if one is configured. Without `plans` no other
    scripted model can be named: its plan is a file of this machine."""

    def __init__(self, access: Access, default: str | None = None, *, plans: bool = True) -> None:
        self._plans = plans
        self._access = access
        self._models: list[ChatModel] = []
        self._kept: dict[str, ChatModel] = {}
        self.default = default

    def named(self, name: str) -> ChatModel:
        """The model of that name. A scripted one is made anew for everyone, since its plan is told once.

        Raises:
            ModelUnknown, ModelMissing (see `named`).
        """
        check_name(name)
        if name.startswith("scripted:") and not self._plans and name != self.default:
            raise ModelUnknown("Scripted models are the server's own here.", next_call="another model, or none")
        if name not in self._kept:
            model = model_named(name, self._access)
            self._models.append(model)
            if name.startswith("scripted:"):
                return model
            self._kept[name] = model
        return self._kept[name]

    async def close(self) -> None:
        """Let all connections go. Never raises."""
        for model in self._models:
            await model.close()
        self._models.clear()
        self._kept.clear()


_current: ContextVar[Shelf | None] = ContextVar("shelf", default=None)


class Shelves:
    """The shelves of a server that several callers are connected to, each with keys and a default of its own.

    Whose turn it is goes with the call, and with every task that the call begins: an agent asks its model with the
    keys of who started it, also once that one has left. Connections with equal access share a shelf.
    """

    def __init__(self) -> None:
        self._shelves: dict[tuple[Access, str | None], Shelf] = {}

    @contextmanager
    def of(self, access: Access, default: str | None) -> Generator[None]:
        """What is called within the block, and begun there, has these models."""
        token = _current.set(self._shelves.setdefault((access, default), Shelf(access, default)))
        try:
            yield
        finally:
            _current.reset(token)

    @property
    def default(self) -> str | None:
        """The caller's default, if it has one."""
        return self._here().default

    def named(self, name: str) -> ChatModel:
        """The caller's model of that name. Raises: ModelUnknown, ModelMissing."""
        return self._here().named(name)

    async def close(self) -> None:
        """Let all connections go. Never raises."""
        for shelf in self._shelves.values():
            await shelf.close()

    def _here(self) -> Shelf:
        return _current.get() or self._shelves.setdefault((Access(), None), Shelf(Access()))
