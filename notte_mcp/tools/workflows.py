"""notte_workflow_code: what was done as a script to keep, verified and saved on request.

Below: verifying, resources.script, paging. Above: listing.
"""

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from mcp.types import CallToolResult
from pydantic import BaseModel, ConfigDict, Field

from notte_mcp.errors import InvalidArgument
from notte_mcp.observations import HARD_MAX_TOKENS, clean_line, estimate_tokens
from notte_mcp.resources.script import Target, code_of, made_of, names_steps, versioned
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.cloud import engine_code
from notte_mcp.tools.pages import Cursor
from notte_mcp.tools.paging import Page
from notte_mcp.tools.run_accounts import report_lines, report_of
from notte_mcp.tools.schema import object_schema
from notte_mcp.tools.surface import Call, surface
from notte_mcp.tools.verifying import Proof, Verify, proof_next, prove
from notte_mcp.tools.waiting import WaitSeconds

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.workflows import Parameter, Workflow

MIN_CODE_TOKENS: Final = 200
"""What the code gets of an answer's budget, however much there is to say of its verification."""

MAX_TOLD_CHARS: Final = 200


class CodeOptions(BaseModel):
    """How a script is written, and verified; None leaves the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: Literal["sync", "async"] | None = None
    sdk: Literal["1.9", "1.10"] | None = Field(default=None, description="of notte-sdk")
    keep_failed: bool | None = Field(default=None, description="as comments")
    profile: str | None = Field(default=None, max_length=100, description="login state to verify with")


CODE_OUTPUT: Final = object_schema("code", optional=("run_id", "saved_as"))


async def notte_workflow_code(
    ctx: Call,
    *,
    id: Annotated[  # noqa: A002 - the contract's name
        str | None, Field(description="session, agent, run or saved name")
    ] = None,
    target: Target = "notte",
    verify: Verify = "none",
    options: CodeOptions | None = None,
    save_as: Annotated[str | None, Field(description="keep it by this name, as its next version")] = None,
    wait_seconds: WaitSeconds = 40,
    max_tokens: Annotated[int, Field(ge=100, le=HARD_MAX_TOKENS)] = 8_000,
    cursor: Cursor = None,
) -> CallToolResult:
    """The script of what was done: recorded selectors, typed values as parameters, secrets from the environment. Edit
    it; write no selectors from memory. verify=run proves it in a fresh session: its effects (orders, mails) happen
    again, twice, by the steps and by the script. verify=safe stops before the first effect."""
    here = surface(ctx)
    if cursor is not None:
        return _rest(here.pages.at(cursor, max_tokens, again="notte_workflow_code without a cursor"))
    begun, how = time.monotonic(), options or CodeOptions()
    if how.profile is not None and verify == "none":
        raise InvalidArgument("options.profile is what verifying begins with.", next_call='the same call, verify="run"')
    app = await here.app()
    of = await _meant(app, id)
    made = await made_of(app, of, keep_failed=bool(how.keep_failed))
    write = partial(code_of, target=target, style=how.style, sdk=how.sdk)
    code = write(made)  # before anything is done: it may be refused
    proof = Proof(made)
    if save_as is not None or verify != "none":
        proof = await prove(
            ctx, made, verify=verify, script=(target, code.code), save_as=save_as, profile=how.profile,
            wait_seconds=wait_seconds, since=begun,
        )  # fmt: skip
    if proof.made is not made:
        code = write(proof.made)
    about = {"id": of, "target": target, "verified": proof.verified}
    if target == "json" and (untold := left_out(proof.made.workflow)):
        proof = replace(proof, note="; ".join(filter(None, (proof.note, untold))))
    theirs = await engine_code(app, of) if target == "notte" and names_steps(of) else None
    told = {**_told(proof), "parameters": [_parameter(one) for one in code.parameters]}
    told |= {"engine_code": theirs} if theirs else {}
    room = max(MIN_CODE_TOKENS, max_tokens - estimate_tokens(str(told)))
    page = here.pages.first(code.code, min(room, max_tokens), **about)
    return _first(page, told, proof)


TOOLS: Final = (
    declare(
        notte_workflow_code,
        title="Export, verify and save as a script",
        hints=hints(destroys=True),
        output=CODE_OUTPUT,
    ),
)


async def _meant(app: "App", of: str | None) -> str:
    """What an absent id means: the only live session."""
    return await app.registry.resolve(None) if of is None else of


def left_out(workflow: "Workflow") -> str:
    """What its comments would say of steps that may have happened, for a form that has none."""
    return "; ".join(
        clean_line(step.comment, MAX_TOLD_CHARS) for step in workflow.steps if "(outcome unknown)" in step.comment
    )


def _parameter(parameter: "Parameter") -> dict[str, Any]:
    told: dict[str, Any] = {"name": parameter.name, "type": parameter.type, "secret": parameter.secret}
    if parameter.default is not None and not parameter.secret:
        told["default"] = parameter.default
    if parameter.env:
        told["env"] = parameter.env
    return told


def _told(proof: Proof) -> dict[str, Any]:
    """What came of verifying and saving, without what is not there."""
    run = proof.run
    told = {
        "report": None if run is None else report_of(run),
        "run_id": None if run is None else run.id,
        "saved_as": None if proof.saved is None else versioned(proof.saved),
        "note": proof.note or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _first(page: Page, told: dict[str, Any], proof: Proof) -> CallToolResult:
    """The answer, with what was found before the code, since a cut takes the end."""
    follow = _follow(page) or proof_next(proof, of=page.about["id"], target=page.about["target"])
    values = {**page.about, **told, "code": page.text, "cursor": page.cursor, "next": follow}
    lines = [f"verified: {_VERDICTS[proof.verdict]}"]
    if proof.run is not None:
        lines += [f"run: {proof.run.id}", *report_lines(proof.run)]
    lines += [f"saved as: {told['saved_as']}"] if "saved_as" in told else []
    lines += [f"note: {proof.note}"] if proof.note else []
    lines += [f"the cloud's own script: {told['engine_code']}"] if "engine_code" in told else []
    lines += [f"parameter: {_said(one)}" for one in told["parameters"]]
    return facts(values, "\n".join([*lines, page.text.rstrip("\n"), f"next: {follow}"]), verified=proof.verified)


def _rest(page: Page) -> CallToolResult:
    """A further piece of the code."""
    follow = _follow(page) or _SAVE_IT
    values = {**page.about, "code": page.text, "cursor": page.cursor, "next": follow}
    return facts(values, f"{page.text}\nnext: {follow}", verified=page.about["verified"])


_SAVE_IT: Final = "put the pieces together into a file"

_VERDICTS: Final = {
    "passed": "true, by running it",
    "failed": "false",
    "part": "null, not all of it was run",
    "running": "null, it is being verified",
    "earlier": "true, by an earlier run",
    "never": "null, it was not run",
}


def _follow(page: Page) -> str:
    return f'notte_workflow_code(cursor="{page.cursor}") for the rest of the code' if page.cursor else ""


def _said(parameter: dict[str, Any]) -> str:
    if parameter["secret"]:
        return f"{parameter['name']} (secret, from ${parameter.get('env', '')})"
    return f"{parameter['name']}: {parameter['type']} = {parameter.get('default')!r}"
