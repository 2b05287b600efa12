"""An observation narrowed to what was asked for: the configured model picks, the contract's `instructions`.

The model is shown the page's text form, as untrusted as any page, and names ids; what is no id of the observation is left
out. The rest of the observation stays as it is.

Below: faults, scraping; agents.extracting, models (by the App). Above: pages.
"""

import json
from typing import TYPE_CHECKING, Any, Final

from notte_mcp.agents.extracting import extract
from notte_mcp.api.faults import EXECUTION, ApiFault
from notte_mcp.api.scraping import MODEL_S

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.models.base import ChatModel

NO_MODEL: Final = (
    "`instructions` need a model to pick what fits them, and none is configured (NOTTE_MCP_MODEL). Observe without them, "
    "and read `space.description`."
)

_SCHEMA: Final[dict[str, Any]] = {"type": "array", "items": {"type": "string"}}
_ASKED: Final = (
    "Lines that begin with an id and [:] are elements that can be acted on, such as `B2[:]<button>Send</button>`. "
    "Give the ids of those that serve this wish, the likeliest first, as a list of strings: "
)


def picker(app: "App") -> "ChatModel":
    """The model that picks. Raises: ApiFault (422): there is none; ModelMissing, ModelUnknown."""
    if app.models.default is None:
        raise ApiFault(422, NO_MODEL)
    return app.models.named(app.models.default)


async def picked(model: "ChatModel", told: dict[str, Any], instructions: str) -> dict[str, Any]:
    """An observation with those of its interactions that the model picks.

    Raises:
        ApiFault: the model gave none that could be read (500).
    """
    space: dict[str, Any] = told["space"]
    found = await extract(
        model, space["description"], instructions=f"{_ASKED}{instructions}", schema=_SCHEMA, seconds=MODEL_S
    )
    if not found.text:
        raise ApiFault(500, f"Nothing was picked: {found.problem}", error="LLMParsingError", headers=EXECUTION)
    known = {one["id"]: one for one in space["interaction_actions"]}
    wanted = [known[name] for name in dict.fromkeys(json.loads(found.text)) if name in known]
    return told | {
        "space": space | {"interaction_actions": wanted, "actions": [*wanted, *space["browser_actions"]]},
    }
