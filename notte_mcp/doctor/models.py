"""Models: what is configured, and whether what it needs is there. Keys are never shown, nor tried.

Below: finding, models. Above: examining.
"""

from collections.abc import Iterator
from typing import Final

from notte_mcp.doctor.finding import Finding, failure, ok
from notte_mcp.errors import NotteMCPError
from notte_mcp.models.access import Access
from notte_mcp.models.named import model_named
from notte_mcp.settings import Settings

OLLAMA: Final = "http://127.0.0.1:11434"
ANSWER_S: Final = 2.0


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of models; nothing of it is changed, and no paid API is called."""
    del fix
    yield from _model(settings)


def _model(settings: Settings) -> Iterator[Finding]:
    if (name := settings.model) is None:
        yield ok("model", "None is configured: agents are driven by the assistant (NOTTE_MCP_MODEL names one).")
        return
    try:
        model_named(name, Access.of(settings.endpoints))
    except NotteMCPError as error:
        yield failure("model", error.what, error.next_call)
        return
    key = "" if name.startswith(("ollama:", "scripted:")) else " with its key"
    yield ok("model", f"{name} is configured{key}, and what it needs is installed.")
    if name.startswith("ollama:"):
        yield _ollama(settings.ollama_base_url or OLLAMA)


def _ollama(address: str) -> Finding:
    import httpx

    try:
        httpx.get(address, timeout=ANSWER_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return failure(
            "ollama", f"Nothing answers at the address of Ollama ({type(error).__name__}).",
            "run `ollama serve`, or correct OLLAMA_BASE_URL",
        )  # fmt: skip
    return ok("ollama", "Ollama answers.")
