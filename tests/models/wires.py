"""How each provider's API says a text or an object: the four wires that the server of tests speaks.

Facts: the public references of Chat Completions, Responses, Anthropic's Messages and Gemini's generateContent.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 1_200, 1_000, 50
"""What every answer says that it used: input in all, of that from the cache, and output."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One API: whether a path is its, an answer's body, an error's body, and where a request says things."""

    name: str
    answers: Callable[[str], bool]
    body: Callable[[str, dict[str, Any]], dict[str, Any]]
    error: Callable[[int, str], dict[str, Any]]
    system: Callable[[dict[str, Any]], str]
    """The system's text of a request."""
    schema: Callable[[dict[str, Any]], Any]
    """The schema that a request asks for, None where there is none."""


def _ends(path: str) -> Callable[[str], bool]:
    return lambda found: found.split("?")[0].endswith(path)


# --- Chat Completions ---------------------------------------------------------------


def _chat(text: str, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": request["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
            "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        },
    }


def _openai_error(status: int, said: str) -> dict[str, Any]:
    codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
    return {"error": {"message": said, "type": "error", "code": codes.get(status)}}


def _chat_system(request: dict[str, Any]) -> str:
    first = request["messages"][0]
    return _text(first["content"]) if first["role"] in {"system", "developer"} else ""


# --- Responses ------------------------------------------------------------------------


def _responses(text: str, request: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": "completed",
        "model": request["model"],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [said]}],
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": CACHED_TOKENS},
            "output_tokens": OUTPUT_TOKENS,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


# --- Anthropic's Messages ---------------------------------------------------------------


def _messages(text: str, request: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "text", "text": text}
    if tools := request.get("tools"):
        try:
            given = json.loads(text)
        except ValueError:
            given = None
        if isinstance(given, dict):
            content = {"type": "tool_use", "id": "toolu_1", "name": tools[0]["name"], "input": given}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [content],
        "stop_reason": "tool_use" if content["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": INPUT_TOKENS - CACHED_TOKENS,
            "cache_read_input_tokens": CACHED_TOKENS,
            "cache_creation_input_tokens": 0,
            "output_tokens": OUTPUT_TOKENS,
        },
    }


def _anthropic_error(status: int, said: str) -> dict[str, Any]:
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 400: "invalid_request_error"}
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": said}}


def _anthropic_schema(request: dict[str, Any]) -> Any:
    tools = request.get("tools")
    return tools[0]["input_schema"] if tools else request.get("output_config", {}).get("format", {}).get("schema")


# --- Gemini -----------------------------------------------------------------------------


def _gemini(text: str, _request: dict[str, Any]) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}],
        "modelVersion": "gemini-2.5-flash",
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS,
            "cachedContentTokenCount": CACHED_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _gemini_error(status: int, said: str) -> dict[str, Any]:
    names = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
    }
    return {"error": {"code": status, "message": said, "status": names.get(status, "INTERNAL")}}


def _gemini_schema(request: dict[str, Any]) -> Any:
    config = request.get("generationConfig", {})
    return config.get("responseJsonSchema") or config.get("responseSchema")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = cast(list[dict[str, Any]], content or [])
    return "".join(part.get("text", "") for part in parts)


WIRES = (
    Wire(
        "chat",
        _ends("/chat/completions"),
        _chat,
        _openai_error,
        _chat_system,
        lambda request: request.get("response_format", {}).get("json_schema", {}).get("schema"),
    ),
    Wire(
        "responses",
        _ends("/responses"),
        _responses,
        _openai_error,
        lambda request: request.get("instructions") or "",
        lambda request: request.get("text", {}).get("format", {}).get("schema"),
    ),
    Wire(
        "messages",
        _ends("/v1/messages"),
        _messages,
        _anthropic_error,
        lambda request: _text(request.get("system")),
        _anthropic_schema,
    ),
    Wire(
        "gemini",
        _ends(":generateContent"),
        _gemini,
        _gemini_error,
        lambda request: _text(request.get("systemInstruction", {}).get("parts")),
        _gemini_schema,
    ),
)
