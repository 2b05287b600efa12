"""A model by its name: `anthropic:claude-sonnet-5`, `ollama:qwen3`, `scripted:/path/to/plan.json`.

Cheap: nothing of a vendor is imported before a model is asked for the first time.

Below: access, scripted, providers. Above: app.
"""

from importlib.util import find_spec
from typing import Final, NamedTuple

from notte_mcp.caller import caller
from notte_mcp.errors import ModelMissing, ModelUnknown
from notte_mcp.models.access import Access, Endpoint
from notte_mcp.models.base import ChatModel
from notte_mcp.models.plans import read_plan
from notte_mcp.models.providers import INSTALL, ProviderModel
from notte_mcp.models.scripted import ScriptedModel


class Provider(NamedTuple):
    """A prefix of names: whose endpoint it uses, the vendor's own name for its key, and the module it needs."""

    endpoint: str
    key_name: str
    module: str


PROVIDERS: Final = {
    "anthropic": Provider("anthropic", "ANTHROPIC_API_KEY", "anthropic"),
    "openai": Provider("openai", "OPENAI_API_KEY", "openai"),
    "openai-chat": Provider("openai", "OPENAI_API_KEY", "openai"),
    "openai-responses": Provider("openai", "OPENAI_API_KEY", "openai"),
    "google": Provider("google", "GOOGLE_API_KEY", "google.genai"),
    "ollama": Provider("ollama", "", "openai"),
}
"""By prefix. `openai` is the Responses API, or Chat Completions where the address is not OpenAI's own; the two others
say which."""

_KNOWN: Final = ", ".join(f"{prefix}:MODEL" for prefix in PROVIDERS) + " or scripted:/path/to/plan.json"


def check_name(name: str) -> None:
    """Whether `name` has the form of a model's name; whether the provider has it is known when it is asked.

    Raises:
        ModelUnknown: no prefix that is known, or nothing behind it.
    """
    _split(name)


def model_named(name: str, access: Access) -> ChatModel:
    """The model of that name, not connected to anything yet. A scripted one starts its plan anew.

    Raises:
        ModelUnknown: see `check_name`; or the plan cannot be read.
        ModelMissing: the extra is not installed, there is no key, or the base URL is none.
    """
    prefix, model = _split(name)
    if prefix == "scripted":
        return ScriptedModel(read_plan(caller().path(model)), name=name)
    provider = PROVIDERS[prefix]
    _check_installed(name, provider)
    endpoint: Endpoint = getattr(access, provider.endpoint)
    _check_key(name, provider, endpoint)
    if not endpoint.is_web:
        raise ModelMissing(
            f"The base URL that is set for {name} is no address of http or https.",
            next_call="write it whole, as http://127.0.0.1:11434/v1",
        )
    return ProviderModel(name, prefix, model, endpoint, key_name=provider.key_name)


def _split(name: str) -> tuple[str, str]:
    prefix, _, model = (part.strip() for part in name.partition(":"))
    if (prefix in PROVIDERS or prefix == "scripted") and model:
        return prefix, model
    raise ModelUnknown(
        f"{name[:100]!r} is no model's name.",
        next_call=f"name one as {_KNOWN}",
    )


def _check_key(name: str, provider: Provider, endpoint: Endpoint) -> None:
    needed = bool(provider.key_name) and not (provider.endpoint == "openai" and endpoint.url)
    key = endpoint.key
    if (key is None and not needed) or (key and key.isascii() and key.isprintable()):
        return
    what = "is not set" if key is None else "has characters that no key has"
    raise ModelMissing(
        f"There is no key for {name}: {provider.key_name or 'its key'} {what}.",
        next_call=f"set {provider.key_name or 'the key'} in the server's environment, or leave the task to the "
        'assistant: notte_start(driver="assistant", task=...)',
    )


def _check_installed(name: str, provider: Provider) -> None:
    for module in ("pydantic_ai", provider.module):
        try:
            found = find_spec(module) is not None
        except ModuleNotFoundError:  # its parent is absent
            found = False
        if not found:
            raise ModelMissing(
                f"{name} needs the package {module}, which is not installed.", next_call=f"run {INSTALL}"
            )
