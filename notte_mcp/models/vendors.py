"""Each provider through pydantic-ai: the client and the wire.

The vendors' clients retry nothing by themselves, and get their keys and addresses
as arguments. Importing this module costs a second: `providers` does so in a thread,
when a model is asked for the first time.

Below: access, pydantic_ai and the vendors' packages. Above: shapes, exchange, providers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2
from pydantic_ai.models import Model, create_async_httpx2_client
from pydantic_ai.settings import ModelSettings

from notte_mcp.models.access import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI

NO_KEY: Final = "none"
"""What is sent where a local server wants no key and the client insists on one."""

OLLAMA_URL: Final = "http://127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A model of one provider, and its connections."""

    model: Model
    http: httpx2.AsyncClient
    settings: ModelSettings
    marks_cache: bool = False
    """Whether the request must say what of it may be cached."""


def vendor(prefix: str, model: str, endpoint: Endpoint) -> Vendor:
    """The model behind `prefix:model`. Nothing is connected yet."""
    return _VENDORS[prefix](model, endpoint, create_async_httpx2_client())


def _anthropic(model: str, endpoint: Endpoint, http: httpx2.AsyncClient) -> Vendor:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(
        api_key=endpoint.key, base_url=endpoint.url or "https://api.anthropic.com", max_retries=0, http_client=http
    )
    found = AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))
    # The tools and the system's text by this setting; the messages' marks are set where they stop being stable.
    settings = ModelSettings(max_retries=0, cache={"messages": False})
    return Vendor(found, http, settings, marks_cache=True)


def _openai(model: str, endpoint: Endpoint, http: httpx2.AsyncClient) -> Vendor:
    if endpoint.url and urlsplit(endpoint.url).hostname != "api.openai.com":
        return _openai_chat(model, endpoint, http)
    return _openai_responses(model, endpoint, http)


def _openai_responses(model: str, endpoint: Endpoint, http: httpx2.AsyncClient) -> Vendor:
    from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
    from pydantic_ai.providers.openai import OpenAIProvider

    url = endpoint.url or "https://api.openai.com/v1"
    found = OpenAIResponsesModel(model, provider=OpenAIProvider(openai_client=_openai_client(url, endpoint, http)))
    # What an agent sees of somebody's pages is not left on the provider's disks.
    return Vendor(found, http, OpenAIResponsesModelSettings(max_retries=0, openai_store=False))


def _openai_chat(model: str, endpoint: Endpoint, http: httpx2.AsyncClient) -> Vendor:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    url = endpoint.url or "https://api.openai.com/v1"
    found = OpenAIChatModel(model, provider=OpenAIProvider(openai_client=_openai_client(url, endpoint, http)))
    return Vendor(found, http, ModelSettings(max_retries=0))


def _ollama(model: str, endpoint: Endpoint, http: httpx2.AsyncClient) -> Vendor:
    from pydantic_ai.models.ollama import OllamaModel
    from pydantic_ai.providers.ollama import OllamaProvider

    url = (endpoint.url or OLLAMA_URL).rstrip("/")
    if not urlsplit(url).path:
        url += "/v1"
    found = OllamaModel(model, provider=OllamaProvider(openai_client=_openai_client(url, endpoint, http)))
    return Vendor(found, http, ModelSettings(max_retries=0))


def _openai_client(url: str, endpoint: Endpoint, http: httpx2.AsyncClient) -> "AsyncOpenAI":
    from openai import AsyncOpenAI

    return AsyncOpenAI(api_key=endpoint.key or NO_KEY, base_url=url, max_retries=0, http_client=http)


def _google(model: str, endpoint: Endpoint, http: httpx2.AsyncClient) -> Vendor:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    url = endpoint.url or "https://generativelanguage.googleapis.com"
    provider = GoogleProvider(api_key=endpoint.key or NO_KEY, base_url=url, http_client=http)
    return Vendor(GoogleModel(model, provider=provider), http, ModelSettings(max_retries=0))


_VENDORS: Final[dict[str, Callable[[str, Endpoint, httpx2.AsyncClient], Vendor]]] = {
    "anthropic": _anthropic,
    "openai": _openai,
    "openai-chat": _openai_chat,
    "openai-responses": _openai_responses,
    "google": _google,
    "ollama": _ollama,
}
