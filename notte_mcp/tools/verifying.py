"""Verifying and saving a workflow: what notte_workflow_code does besides writing it.

It is saved first and verified as what was saved, so that the version carries what
the verification shows even where that ends after the call.

Below: runs, waiting, run_accounts. Above: workflows.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from notte_mcp.errors import NotteMCPError
from notte_mcp.resources.script import Made, Target, versioned
from notte_mcp.tools.run_accounts import run_next
from notte_mcp.tools.surface import Call, surface
from notte_mcp.tools.waiting import wait
from notte_mcp.workflow_records import RunRecord, WorkflowRecord

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.runs import RunRequest

Verify = Literal["none", "safe", "run"]
Verdict = Literal["passed", "failed", "part", "running", "earlier", "never"]


@dataclass(frozen=True, slots=True)
class Proof:
    """A workflow (`made`, seen to work where that was shown), the run that verified it, and what it was saved as."""

    made: Made
    run: RunRecord | None = None
    saved: WorkflowRecord | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.run is None:
            return "never" if self.made.verified_at is None else "earlier"
        if not self.run.has_ended:
            return "running"
        if self.run.verified is None:
            return "part"
        return "passed" if self.run.verified else "failed"

    @property
    def verified(self) -> bool | None:
        return {"passed": True, "earlier": True, "failed": False}.get(self.verdict)


async def prove(
    ctx: Call,
    made: Made,
    *,
    verify: Verify,
    script: tuple[Target, str],
    save_as: str | None,
    profile: str | None,
    wait_seconds: float,
    since: float,
) -> Proof:
    """Save it, verify it, or both. Waits for the verification as long as was asked.

    Raises: what `Runs.save` and `Runs.start` do; where it was saved before, the error says so.
    """
    here = surface(ctx)
    app = await here.app()
    proof = Proof(made)
    if save_as is not None:
        proof = await _saved(app, made, save_as)
        await here.changed(workflows=_addresses(proof.saved))
    if verify == "none":
        return proof
    from notte_mcp.runs import RunRequest, Script

    request = RunRequest(
        made.workflow, made.source, kind="verify", mode=verify, saved=proof.saved or made.saved,
        script=Script(*script), profile=profile,
    )  # fmt: skip
    run = await _begun(app, request, proof.saved)
    once = partial(app.runs.wait, run.id, until="done")
    if wait_seconds:
        run = await wait(ctx, run, seconds=wait_seconds, once=lambda slice_s: once(seconds=slice_s), since=since)
    await here.changed(runs=(run.id,), workflows=_addresses(request.saved))
    return replace(proof, run=run, made=_as_seen(made, run))


def proof_next(proof: Proof, *, of: str, target: Target) -> str:
    """The call that is most likely wanted after the code."""
    saved = proof.saved or proof.made.saved
    again = f'notte_workflow_code(id="{of}", target="{target}"'
    runs = f'notte_run_workflow(name="{saved.name}", parameters={{...}})' if saved is not None else ""
    keep = f'{again}, save_as="...") keeps it to be run again by notte_run_workflow'
    match proof.verdict:
        case "running" | "failed" if proof.run is not None:
            return run_next(proof.run, is_open=False)
        case "part":
            return f'{again}, verify="run") runs all of it, its effects and its script too'
        case "passed" | "earlier":
            return f"{runs} runs it; or save it to a file" if runs else f"{keep}; or save it to a file"
        case _ if runs:
            return f"{runs} runs it"
        case _:
            file = "save it to a file" if target == "json" else "save it to a file and run it"
            return f'{again}, verify="safe") tries it up to its first outside effect; or {file}; notte_stop when done'


async def _begun(app: "App", request: "RunRequest", saved: WorkflowRecord | None) -> RunRecord:
    try:
        return await app.runs.start(request)
    except NotteMCPError as error:
        if saved is None:
            raise
        # It must not pass for a call that did nothing.
        done = f"It was saved as {versioned(saved)}, and not verified."
        raise type(error)(error.what, done=done, kept=error.kept, next_call=error.next_call) from error


async def _saved(app: "App", made: Made, name: str) -> Proof:
    record = await app.runs.save(name, made.workflow, source=made.source)
    if record.version == 1:
        return Proof(made, saved=record)
    note = (
        f"{name} was there: this is its version {record.version}, which runs from now on; "
        f"{name}@{record.version - 1} stays as it was."
    )
    return Proof(made, saved=record, note=note)


def _as_seen(made: Made, run: RunRecord) -> Made:
    """The workflow with what the verification showed: the header of the code that is handed back says so."""
    if not run.has_ended or run.verified is None:
        return made
    return replace(made, verified_at=run.ended_at if run.verified else None)


def _addresses(record: WorkflowRecord | None) -> tuple[str, ...]:
    return () if record is None else (record.name, versioned(record))
