"""How a provider is asked for one object of a schema: natively, by a tool that it must call, or in words.

Below: vendors, base, pydantic_ai. Above: exchange.
"""

import json
import re
from typing import Final

from pydantic_ai import ToolDefinition
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import InstructionPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition

from notte_mcp.models.base import ChatRequest
from notte_mcp.models.vendors import Vendor

_IN_WORDS: Final = "Answer with one JSON object and nothing else. It must fit this JSON Schema:\n"

# How servers that take no schema say so.
_NO_SCHEMAS: Final = re.compile(
    r"response_format|json_schema|output_config|structured output|support tools|tool_choice"
)
_REFUSALS: Final = frozenset({400, 404, 422, 501})


def parameters(vendor: Vendor, request: ChatRequest, *, in_words: bool) -> ModelRequestParameters:
    """The request's system text and its schema, in the form that the provider takes.

    Natively where the wire takes any schema. Anthropic's native form takes small ones only, and forbids fields that
    a schema does not name; pydantic-ai picks between it and a tool there.
    """
    profile = vendor.model.profile
    takes_tools, takes_native = profile.get("supports_tools", True), profile.get("supports_json_schema_output", False)
    system = _parts(request.system)
    if request.schema is None:
        return ModelRequestParameters(instruction_parts=system)
    if in_words or not (takes_tools or takes_native):
        words = _IN_WORDS + json.dumps(request.schema, ensure_ascii=False)
        # In one text: not every template of a local model has a place for a second system message.
        return ModelRequestParameters(instruction_parts=_parts(f"{request.system}\n\n{words}".strip()))
    shape = OutputObjectDefinition(json_schema=request.schema, name=request.name)
    if takes_native and vendor.model.system != "anthropic":
        shape.strict = False
        return ModelRequestParameters(output_mode="native", output_object=shape, instruction_parts=system)
    tool = ToolDefinition(
        name=request.name, parameters_json_schema=request.schema, description="The answer.", kind="output", strict=False
    )
    return ModelRequestParameters(
        output_mode="auto", output_object=shape, output_tools=[tool], instruction_parts=system
    )


def _parts(system: str) -> list[InstructionPart]:
    return [InstructionPart(content=system)] if system else []


def takes_no_schemas(error: ModelHTTPError) -> bool:
    """Whether a server refuses the schema and not the request (many that speak OpenAI's words know no schemas)."""
    return error.status_code in _REFUSALS and _NO_SCHEMAS.search(str(error.body)) is not None
