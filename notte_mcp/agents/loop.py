"""The decision loop: told what just happened, it says what comes next. No IO, no clock, no chance.

It knows the rules of an agent's life (how often an answer is repaired, when failures or
circles end it, what its steps count), not how a model is called, a page looked at or an
action done: that is the runner's. It can be built anew from what is on record.

Below: prompts, parsing, history, repeating, answers. Above: runner.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from notte_mcp.actions import Completion, Help
from notte_mcp.agent_records import UNCOUNTED
from notte_mcp.agents import answers
from notte_mcp.agents.history import History
from notte_mcp.agents.moves import Act, AskModel, Finish, Move, NeedInput, Outcome, Page, Remark
from notte_mcp.agents.parsing import MalformedAnswer, parse_turn
from notte_mcp.agents.prompts import answer_schema, first_message, long_results, page_message, system_prompt
from notte_mcp.agents.repeating import Repeats
from notte_mcp.agents.task import Task
from notte_mcp.models.base import ChatRequest, Message

__all__ = ["Loop", "Task"]

MAX_REPAIRS: Final = 2
"""How often an answer that cannot be read is sent back."""

MAX_FAILURES: Final = 3
"""As many failed actions in a row end the agent."""

INTERRUPTED: Final = (
    "The browser was started anew here; what a page held and had not saved may be gone. "
    "Look at the page before you go on: an action without an outcome may have happened."
)
MAX_REFUSALS: Final = 5
"""As many completions in a row that were refused end it as a loop: they are no failures and cost no step."""

_LAST_LINES: Final = 3


class Loop:
    """One attempt of an agent, as decisions.

    `past` is what happened before (in this attempt, after a restart): its steps count, its failures do not,
    since the page is another one. `interrupted` says that the browser was lost in between.
    """

    def __init__(self, task: Task, *, past: Sequence[Outcome | Remark] = (), interrupted: bool = False) -> None:
        self._task = task
        self._first = Message("user", first_message(task))
        self._history = History(task.secrets)
        self._repeats = Repeats()
        self._taken = 0
        self._failures = 0
        self._refusals = 0
        self._repairs = 0
        self._page: Page | None = None
        self._turn: Act | None = None
        self._results: list[str] = []
        for line in past:
            self.note(line)
        self._failures = 0
        if interrupted:
            self._history.remark(Remark(INTERRUPTED))

    @property
    def steps_left(self) -> int:
        """Steps that may still be taken. 0 leaves completion and help."""
        return max(0, self._task.max_steps - self._taken)

    def begin(self, page: Page) -> Move:
        """The first look (what the first goto came to is noted before)."""
        if self._failures >= MAX_FAILURES:
            return self._three_failures()
        return self.again(page)

    def again(self, page: Page) -> AskModel:
        """Ask (anew) with the page as it is: after a pause, an answer, a resume."""
        self._page = page
        self._repeats.look(page.signature)
        self._repairs = 0
        self._turn = None
        return self._ask()

    def note(self, line: Outcome | Remark) -> None:
        """History that came about otherwise: the first goto, a message, an answer, what the caller did.

        An Outcome counts as a step. A Remark is news: failures and repetitions are counted anew after it.
        """
        self._history.remark(line)
        if isinstance(line, Outcome):
            self._count([line])
        else:
            self._failures = 0
            self._repeats.clear()

    def replied(self, text: str) -> Move:
        """The model's answer: what to do, or the same question with what was wrong, at most twice."""
        try:
            turn = parse_turn(text)
        except MalformedAnswer as error:
            return self._mend(error.complaint)
        self._repairs = 0
        # With no step left it was asked once more, since what was done may be all that is needed: completing is free.
        if not self.steps_left and turn.actions[0].type not in UNCOUNTED:
            steps = self._task.max_steps
            return self._end("stopped", "max_steps", f"The limit of {steps} steps came before the task was completed.")
        self._turn = Act(turn.actions, turn.thought)
        return self._turn

    def acted(self, outcomes: Sequence[Outcome], page: Page, *, not_run: int = 0, stopped: str = "") -> Move:
        """What the turn came to.

        `outcomes` are of the first actions, in order; `not_run` of the turn's actions were not begun because of
        `stopped`. A turn of which nothing was begun (an id that is not on the page refuses it whole) counts as
        one failure, so that it cannot be repeated for ever. One that was held back is not told here at all.
        """
        turn, self._turn = self._turn, None
        wanted = turn.actions if turn else tuple(outcome.action for outcome in outcomes)
        self._history.turn(turn.thought if turn else "", wanted, outcomes, stopped=stopped)
        self._results = long_results(outcomes)
        self._count(outcomes)
        if not outcomes and not_run and self.steps_left:
            self._failures += 1
        self._page = page
        self._repeats.count(outcomes, page.signature)
        return self._next(outcomes)

    # --- what comes next ----------------------------------------------------------

    def _next(self, outcomes: Sequence[Outcome]) -> Move:
        last = outcomes[-1] if outcomes else None
        match last.action if last else None:
            case Completion() as action if last and last.receipt.success:
                return self._complete(action)
            case Help() as action if last and last.receipt.success:
                return self._help(action)
            case Completion():
                self._refusals += 1
            case _:
                self._refusals = 0
        return self._over() or self._ask()

    def _over(self) -> Finish | None:
        """The end that the rules bring, if any."""
        if self._failures >= MAX_FAILURES:
            return self._three_failures()
        if self._refusals >= MAX_REFUSALS:
            return self._end("failed", "loop", f"The completion was refused {MAX_REFUSALS} times in a row.")
        if deed := self._repeats.loop:
            return self._end("failed", "loop", f"Went in circles: did `{deed}` again and again on an unchanged page.")
        return None

    def _complete(self, action: Completion) -> Finish:
        if not action.success:
            return Finish("failed", "gave_up", action.answer, result=self._result(action.answer))
        return Finish("completed", "", action.answer, success=True, result=self._result(action.answer))

    def _help(self, action: Help) -> Move:
        if self._task.unattended:
            return Finish("failed", "needs_help", f"It asked for help, and nobody is there to give it: {action.value}")
        return NeedInput(action.value)

    def _result(self, answer: str) -> Any:
        schema = self._task.response_schema
        return None if schema is None or answers.check(answer, schema) else answers.parse(answer)

    def _three_failures(self) -> Finish:
        return self._end("failed", "three_failures", f"{MAX_FAILURES} actions in a row failed.")

    def _end(self, state: Literal["failed", "stopped"], reason: str, what: str) -> Finish:
        """An end without a completion: why, and what was reached."""
        lines = self._history.last_lines(_LAST_LINES)
        reached = f" Last steps: {' | '.join(lines)}." if lines else " No step was taken."
        where = f" The page is at {self._page.url}." if self._page and self._page.url else ""
        return Finish(state, reason, what + reached + where)

    def _mend(self, complaint: str) -> Move:
        if self._repairs >= MAX_REPAIRS:
            return self._end(
                "failed",
                "malformed_answer",
                f"The model's answer could not be read {MAX_REPAIRS + 1} times in a row; the last time: {complaint}",
            )
        self._repairs += 1
        return self._ask(complaint)

    def _ask(self, complaint: str = "") -> AskModel:
        if self._page is None:
            raise RuntimeError("the loop was asked before it was shown a page")
        remarks = [self._repeats.warning, f"Your last answer was refused: {complaint}" if complaint else ""]
        text = page_message(
            self._page,
            steps_left=self.steps_left,
            results=self._results,
            remarks=[remark for remark in remarks if remark],
        )
        now = Message("user", text, self._page.image)
        request = ChatRequest(
            system=system_prompt(cloud=self._task.cloud),
            messages=(self._first, *self._history.messages(), now),
            schema=answer_schema(cloud=self._task.cloud),
            name="turn",
        )
        return AskModel(request, self._repairs, complaint)

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        """Steps taken, and failures in a row; a refused completion is neither."""
        for outcome in outcomes:
            self._taken += outcome.action.type not in UNCOUNTED
            if outcome.receipt.success:
                self._failures = 0
            elif not isinstance(outcome.action, Completion) and outcome.receipt.code != "cancelled":
                self._failures += 1
