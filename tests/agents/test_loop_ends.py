"""Whatever a model answers and whatever pages do, the loop comes to an end."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from notte_mcp.agents.loop import MAX_FAILURES, MAX_REFUSALS, MAX_REPAIRS, Loop, Task
from notte_mcp.agents.moves import Act, AskModel, Finish, NeedInput, Outcome
from tests.agents.turns import CLICK, DONE, done, failed, page, reply

MAX_STEPS = 6
WAIT: dict[str, Any] = {"type": "wait", "time_ms": 1}
HELP: dict[str, Any] = {"type": "help", "value": "Which one?"}

ANSWERS: st.SearchStrategy[Sequence[dict[str, Any]] | None] = st.sampled_from(
    [None, [CLICK], [CLICK, WAIT], [WAIT], [DONE], [CLICK, DONE], [HELP], [CLICK] * 20]
)
# How many of a turn's actions are begun, whether the last of them succeeds, and whether the page changes.
FATES = st.tuples(st.integers(0, 20), st.booleans(), st.booleans())


def fate(turn: Act, begun: int, *, well: bool, number: int, left: int) -> list[Outcome]:
    """What became of a turn, cut where no step is left."""
    wanted = [{"type": a.type, **a.model_dump(exclude_defaults=True)} for a in turn.actions][:begun]
    while sum(fields["type"] not in ("completion", "help") for fields in wanted) > left:
        wanted.pop()
    outcomes = [done(number + offset, fields) for offset, fields in enumerate(wanted, 1)]
    if outcomes and not well:
        outcomes[-1] = failed(outcomes[-1].number, wanted[-1])
    return outcomes


@given(st.lists(st.tuples(ANSWERS, FATES), min_size=1, max_size=400))
def test_every_run_ends_within_a_bound_of_model_calls(script: list[tuple[Any, tuple[int, bool, bool]]]) -> None:
    """Ours: each rule bounds what the others leave open (a person's help aside, who is asked each time)."""
    loop = Loop(Task("t", MAX_STEPS))
    move: Any = loop.begin(page("0"))
    number = calls = changes = 0
    while not isinstance(move, Finish):
        answer, (begun, well, is_changed) = script[calls % len(script)]
        calls += 1
        assert isinstance(move, AskModel)
        assert 0 <= loop.steps_left <= MAX_STEPS
        assert calls <= (MAX_STEPS + 1) * MAX_FAILURES * MAX_REFUSALS * (MAX_REPAIRS + 1)
        move = loop.replied("hm" if answer is None else reply(*answer))
        if isinstance(move, Act):
            outcomes = fate(move, begun, well=well, number=number, left=loop.steps_left)
            number += len(outcomes)
            changes += is_changed
            move = loop.acted(outcomes, page(str(changes)), not_run=len(move.actions) - len(outcomes), stopped="why")
        if isinstance(move, NeedInput):
            return
    assert move.state in ("completed", "failed", "stopped")
    assert move.success is (move.state == "completed")
    assert move.answer
