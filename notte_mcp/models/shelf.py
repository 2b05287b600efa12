"""The models of one server: made when first named, kept for their connections, closed at its end.

Below: named, access. Above: app, agents (by `Shelf.named`).
"""

from notte_mcp.models.access import Access
from notte_mcp.models.base import ChatModel
from notte_mcp.models.named import check_name, model_named


class Shelf:
    """See the module. `default` is the configured model's name, if one is configured."""

    def __init__(self, access: Access, default: str | None = None) -> None:
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
