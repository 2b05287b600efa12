"""How a run comes to be: it has a fresh session of its own then, and is on disk. Nothing is left where that fails.

Below: run, live, healing, values, registry, agents, store.base. Above: runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import anyio

from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.ids import new_run_id
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Clock, Redactor, Registry
from notte_mcp.runs.healing import Healer
from notte_mcp.runs.live import LiveRun
from notte_mcp.runs.run import Plan
from notte_mcp.runs.scripts import Script
from notte_mcp.runs.values import Values
from notte_mcp.store.base import Store
from notte_mcp.workflow_records import RunKind, RunRecord, VerifyMode, WorkflowRecord
from notte_mcp.workflows import Workflow, dump


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is to be run.

    `source` is the session, agent, run or workflow that it was made from. `parameters` take the place of recorded
    defaults, by name; a secret may be among them and is never written down. `script` is run too, after the steps,
    when verifying. `heal` gives a failed step to an agent. `profile` is the login state to begin with (None: the
    recording's).
    """

    workflow: Workflow
    source: str
    kind: RunKind = "run"
    mode: VerifyMode = "run"
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    heal: bool = False
    saved: WorkflowRecord | None = None
    script: Script | None = None
    profile: str | None = None


class Beginning:
    """See the module."""

    def __init__(
        self,
        *,
        registry: Registry,
        agents: Supervisor,
        store: Store,
        clock: Clock,
        owner: str,
        listener: Callable[[RunRecord], None],
    ) -> None:
        self._registry = registry
        self._agents = agents
        self._store = store
        self._clock = clock
        self._owner = owner
        self._listener = listener

    async def new(self, request: RunRequest, values: Values) -> tuple[LiveRun, Plan]:
        """A new one, on disk and in its session. Raises: what `Registry.open` raises, StoreUnusable."""
        spec = fresh(request.workflow.spec, request.profile)
        session, _ = await self._registry.open(spec, aside=True, secrets=values.secrets)
        redact = Redactor()
        for name, value in values.secrets.items():
            redact.add(name, value)
        run = LiveRun(
            redact(self._record(request, values, session.id)),
            store=self._store, clock=self._clock, redact=redact, listener=self._listener,
        )  # fmt: skip
        try:
            for name, content in values.files.items():
                await self._registry.put_file(session.id, values.texts[name], content)
            with anyio.CancelScope(shield=True):
                await self._store.put_run(run.record)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._registry.stop(session.id, mode="now", reason="no_run")
            raise
        return run, self._plan(request, values, session.id, run)

    def _record(self, request: RunRequest, values: Values, session_id: str) -> RunRecord:
        now = self._clock.unix()
        saved = request.saved
        return RunRecord(
            new_run_id(), self._owner, request.kind, "running", request.source, now, now,
            workflow=saved.name if saved is not None else None,
            version=saved.version if saved is not None else None,
            content=dump(request.workflow),
            target=request.script.target if request.script is not None else None,
            mode=request.mode,
            parameters=values.given,
            session_id=session_id,
        )  # fmt: skip

    def _plan(self, request: RunRequest, values: Values, session_id: str, run: LiveRun) -> Plan:
        healer, profile = None, fresh(request.workflow.spec, request.profile).profile
        if request.heal:
            healer = Healer(
                self._agents, session_id, request.workflow, values, begun=lambda agent_id: run.update(agent_id=agent_id)
            )
        return Plan(request.workflow, request.kind, request.mode, values, request.script, session_id, profile, healer)


def fresh(spec: SessionSpec, profile: str | None) -> SessionSpec:
    """The recording's session with nothing of its past but the login state it began with, which is not saved again."""
    return replace(spec, profile=profile or spec.profile, save_profile=False, cdp_url=None)
