"""Run by an SDK's own Python: bodies on stdin, what its models say of each on stdout. Knows both versions.

A model of the SDK that takes unknown fields would take our mistakes: a field that none of its own is, is named.
"""

import json
import sys
from importlib import import_module
from typing import Any, Final

_OF_1_10: Final = "notte_sdk._generated.models"
_MODELS: Final = {
    "start": ((_OF_1_10, "ApiSessionStartRequest"), ("notte_sdk.types", "SessionStartRequest")),
    "execute": ((_OF_1_10, "PageExecuteRequest"), ("notte_core.actions", "ActionUnion")),
    "observe": ((_OF_1_10, "ObserveRequest"), ("notte_sdk.types", "ObserveRequest")),
    "scrape": ((_OF_1_10, "ScrapeRequest"), ("notte_sdk.types", "ScrapeRequest")),
    "agent": ((_OF_1_10, "ApiAgentStartRequest"), ("notte_sdk.types", "AgentStartRequest")),
    "cookies": (
        (_OF_1_10, "BodySessionCookiesSetSessionsSessionIdCookiesPost"),
        ("notte_sdk.types", "SetCookiesRequest"),
    ),
}


def _model(kind: str) -> Any:
    from pydantic import TypeAdapter

    newer, older = _MODELS[kind]
    try:
        module, name = import_module(newer[0]), newer[1]
    except ImportError:
        module, name = import_module(older[0]), older[1]
    return TypeAdapter(getattr(module, name))


def _fault(model: Any, body: dict[str, Any]) -> str | None:
    try:
        read = model.validate_python(body)
    except Exception as error:  # noqa: BLE001 - whatever its models raise is the finding
        return str(error)[:500]
    whole: Any = getattr(read, "root", read)
    kind: Any = whole.__class__
    known = {*kind.model_fields, *(field.alias for field in kind.model_fields.values())}
    unknown = sorted(name for name in body if name not in known)
    return f"no such field: {unknown}" if unknown else None


def main() -> None:
    """One line of JSON for each body: what is wrong with it, or null."""
    models = {kind: _model(kind) for kind in _MODELS}
    for kind, body in json.load(sys.stdin):
        print(json.dumps(_fault(models[kind], body)))  # noqa: T201


if __name__ == "__main__":
    main()
