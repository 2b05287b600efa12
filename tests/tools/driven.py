"""What the tests of agents share: a task, a model that does it, and a caller's completion."""

from typing import Any

from notte_mcp.models.scripted import ScriptedModel
from tests.tools.conftest import Host

TASK = "Ask for a permit for Ada"

FILL = {"actions": [{"type": "fill", "id": "{{textbox 'Applicant'}}", "value": "Ada"}]}
SEND = {
    "thought": "fill and send",
    "actions": [
        *FILL["actions"],
        {"type": "fill", "id": "{{password 'Access code'}}", "value": "geheim-4711"},
        {"type": "click", "id": "{{button 'Send request'}}"},
    ],
}
NUMBER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}


def completion(answer: str, *, success: bool = True) -> dict[str, Any]:
    """The action that ends an agent."""
    return {"type": "completion", "success": success, "answer": answer}


def says(*actions: dict[str, Any]) -> dict[str, Any]:
    """A model's answer."""
    return {"actions": list(actions)}


ANSWER = says(completion("The number is 4711."))


def drives(host: Host, *answers: object, **options: Any) -> ScriptedModel:
    """A configured model that gives these answers."""
    model = ScriptedModel(answers, name="ours", **options)
    host.models["ours"], host.model = model, "ours"
    return model
