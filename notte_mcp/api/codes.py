"""Workflow code: what was done as a script of the contract's SDK, and as plain actions.

Scripts are those of `workflows`, target `notte`; of the statements alone, what stands within its session.

Below: resources.script, statements, calls. Above: agents, routes.
"""

import json
from typing import Any, Final, cast

from starlette.responses import Response

from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.statements import statements
from notte_mcp.resources.script import code_of as code_of_target
from notte_mcp.resources.script import made_of


async def code_of(call: ApiCall, of: str, *, as_workflow: bool) -> dict[str, Any]:
    """The answer for a session or an agent: a whole script, or its statements alone.

    Raises:
        UnknownSession, UnknownAgent; InvalidArgument: nothing of it is worth repeating.
    """
    made = await made_of(call.app, of, keep_failed=True)
    script = code_of_target(made, "notte", sdk=call.contract).code
    actions = json.loads(code_of_target(made, "json").code)
    return {
        "python_script": script if as_workflow else statements(script),
        "json_actions": [_spelt(action) for action in actions],
    }


def _spelt(value: Any) -> Any:
    """A secret's place as a text, which is what the contract's fields hold."""
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        if fields.keys() == {"secret"}:
            return f"[secret {fields['secret']}]"
        return {name: _spelt(one) for name, one in fields.items()}
    return [_spelt(one) for one in cast(list[Any], value)] if isinstance(value, list) else value


async def _of_session(call: ApiCall) -> Response:
    as_workflow = call.flag("as_workflow")
    # A form is inferred for every scrape that was given none, asked for or not.
    call.flag("infer_response_format", default=False)
    record = await call.app.registry.record(call.path("session_id"))
    return answer(await code_of(call, record.id, as_workflow=as_workflow))


ROUTES: Final = (ApiRoute("GET", "/sessions/{session_id}/workflow/code", _of_session),)
