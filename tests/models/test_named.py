"""Names of models: which are known, what is missing, and that looking costs nothing."""

import subprocess
import sys

import pytest

from notte_mcp.errors import ModelMissing, ModelUnknown
from notte_mcp.models import named
from notte_mcp.models.access import Access, Endpoint
from notte_mcp.models.base import ChatRequest, Message
from notte_mcp.models.named import PROVIDERS, Provider, check_name, model_named
from notte_mcp.models.providers import INSTALL

EVERYTHING = Access(*(Endpoint("sk-key") for _ in range(4)))

ASK = """
import sys
from notte_mcp.models.access import Access, Endpoint
from notte_mcp.models.named import check_name, model_named
check_name("anthropic:claude-opus-5")
model = model_named("anthropic:claude-opus-5", Access(anthropic=Endpoint("key")))
print(model.name, sorted({"pydantic_ai", "anthropic", "openai", "httpx2"} & set(sys.modules)))
"""


@pytest.mark.parametrize("prefix", PROVIDERS)
def test_every_provider_has_a_model_by_name(prefix: str) -> None:
    """The name stays as it was asked for; a model's own name may hold colons."""
    check_name(f"{prefix}:some-model:7b")
    assert model_named(f"{prefix}:some-model:7b", EVERYTHING).name == f"{prefix}:some-model:7b"


@pytest.mark.parametrize(
    "name", ["", "gpt-5", "mistral:large", "anthropic:", "anthropic: ", ":x", "scripted:", "a b:c"]
)
def test_a_name_of_another_form_is_refused_with_what_is_known(name: str) -> None:
    """The error is the documentation."""
    with pytest.raises(ModelUnknown):
        check_name(name)
    with pytest.raises(ModelUnknown) as caught:
        model_named(name, EVERYTHING)
    assert all(f"{prefix}:MODEL" in caught.value.next_call for prefix in PROVIDERS)
    assert "scripted:/path" in caught.value.next_call


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("anthropic:x", "ANTHROPIC_API_KEY"),
        ("openai:x", "OPENAI_API_KEY"),
        ("openai-chat:x", "OPENAI_API_KEY"),
        ("google:x", "GOOGLE_API_KEY"),
    ],
)
def test_a_key_that_is_not_there_or_is_none_is_named(name: str, setting: str) -> None:
    """Before anything is sent, with the way without a key; what is in its place is not repeated."""
    odd = "sk-\N{BULLET}\N{BULLET}"
    for access in (Access(), Access(*(Endpoint(" \n") for _ in range(4))), Access(*(Endpoint(odd) for _ in range(4)))):
        with pytest.raises(ModelMissing, match=setting) as caught:
            model_named(name, access)
        assert 'driver="assistant"' in caught.value.next_call
        assert odd not in str(caught.value)


def test_a_server_of_ones_own_needs_no_key() -> None:
    """Ollama, and whatever speaks OpenAI's words at another address."""
    model_named("ollama:qwen3", Access())
    model_named("openai:local", Access(openai=Endpoint(None, "http://127.0.0.1:8000/v1")))


@pytest.mark.parametrize(
    "url", ["localhost:11434", "http:///v1", "http://[::1", "http://user:hush@host:port/", "ftp://h/"]
)
def test_an_address_that_is_none_is_told_without_it(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(ModelMissing, match="base URL") as caught:
        model_named("ollama:qwen3", Access(ollama=Endpoint(None, url)))
    assert url not in str(caught.value)
    assert url in Endpoint(None, url).secrets


def test_an_extra_that_is_not_installed_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is what a plain install leaves out."""
    monkeypatch.setitem(named.PROVIDERS, "google", Provider("google", "GOOGLE_API_KEY", "not_a_package.genai"))
    with pytest.raises(ModelMissing, match="not_a_package") as caught:
        model_named("google:x", EVERYTHING)
    assert INSTALL in caught.value.next_call


def test_a_model_that_is_only_named_imports_no_vendor() -> None:
    """A start and a check of settings cost nothing; the second's import comes with the first question."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "anthropic:claude-opus-5 []", done.stderr


def test_keys_are_not_in_what_is_printed() -> None:
    """Values end up in logs."""
    shown = repr(Access(anthropic=Endpoint("sk-key", "http://user:word@host/")))
    assert "sk-key" not in shown
    assert "word" not in shown


@pytest.mark.anyio
async def test_a_package_that_does_not_fit_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, and cannot be imported: an old version, or half an install."""
    monkeypatch.setitem(sys.modules, "pydantic_ai.models.anthropic", None)
    model = model_named("anthropic:claude-opus-5", EVERYTHING)
    with pytest.raises(ModelMissing, match=r"pydantic_ai\.models\.anthropic") as caught:
        await model.ask(ChatRequest("s", (Message("user", "u"),)), timeout_s=5)
    assert INSTALL in caught.value.next_call
