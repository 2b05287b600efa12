"""What a model is told of the turns before: whole for the last ones, a line for older ones, then a number.

The messages are append-only from turn to turn, so that a provider's prompt cache hits:
what is old is folded in chunks, once a bound is crossed and then far below it.
Observations are never kept. What pages said stands in one line each, quoted or cut.

Below: moves, step_text. Above: loop.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from notte_mcp.actions import Action
from notte_mcp.agents.marks import harmless
from notte_mcp.agents.moves import Outcome, Remark
from notte_mcp.models.base import Message
from notte_mcp.observations import clean_line, cut_middle, estimate_tokens
from notte_mcp.step_text import receipt_line

MAX_TURN_TOKENS: Final = 450
"""From here on older turns are folded, down to half of it (the last turn stays, however long)."""

MAX_FOLDED_TOKENS: Final = 320
"""From here on folded lines are dropped and counted, down to two thirds of it."""

MAX_WHOLE_STEPS: Final = 20
"""Steps that are told whole."""

MAX_THOUGHT_CHARS: Final = 140
"""Characters of a thought; the model wrote it and needs a reminder only."""

_MAX_VALUE_CHARS: Final = 60
_MAX_LINE_CHARS: Final = 160
_MAX_FOLDED_CHARS: Final = 70
_MAX_REMARK_CHARS: Final = 4_000
_MAX_FOLDED_REMARK_CHARS: Final = 400
_RESULT_CHARS: Final = 120
_ROOMY_ACTIONS: Final = 7  # a turn of more has less room for each


@dataclass(frozen=True, slots=True)
class _Entry:
    """One turn, or one line that is no turn: its messages, and what is left of it when it is folded."""

    messages: tuple[Message, ...]
    lines: tuple[str, ...]
    steps: int
    tokens: int


class History:
    """The turns of one agent. `secrets` are the names that may be shown as placeholders."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets = frozenset(secrets)
        self._entries: list[_Entry] = []
        self._folded: list[tuple[str, bool]] = []  # a line, and whether it is a step's
        self._dropped = 0

    def remark(self, line: Outcome | Remark) -> None:
        """A line that came about outside of a turn."""
        if isinstance(line, Outcome):
            text = self._line(line)
            self._add((Message("user", text),), (cut_middle(text, _MAX_FOLDED_CHARS),), steps=1)
        else:
            text = cut_middle(harmless(line.text).strip(), _MAX_REMARK_CHARS)
            self._add((Message("user", text),), (clean_line(text, _MAX_FOLDED_REMARK_CHARS),), steps=0)

    def turn(self, thought: str, actions: Sequence[Action], outcomes: Sequence[Outcome], *, stopped: str = "") -> None:
        """A turn: what the model wanted, what was done of it, and why the rest was not (`stopped`)."""
        share = len(actions) / _ROOMY_ACTIONS
        lines = [self._line(outcome, share) for outcome in outcomes]
        folded = tuple(cut_middle(line, _MAX_FOLDED_CHARS) for line in lines)
        if rest := len(actions) - len(outcomes):
            why = f": {clean_line(harmless(stopped), 300)}" if stopped else ""
            lines.append(f"{rest} of {len(actions)} actions not run{why}")
        messages = (
            Message("assistant", self._wanted(thought, actions, outcomes, share)),
            Message("user", "\n".join(lines) or "Nothing was done."),
        )
        self._add(messages, folded, steps=len(outcomes))

    def messages(self) -> list[Message]:
        """All that is told, the oldest first."""
        told: list[Message] = []
        if self._folded or self._dropped:
            counted = [f"({self._dropped} steps before these)"] if self._dropped else []
            told.append(Message("user", "\n".join(["Earlier:", *counted, *(line for line, _ in self._folded)])))
        return told + [message for entry in self._entries for message in entry.messages]

    def last_lines(self, count: int) -> list[str]:
        """The newest lines as they are folded, for a last word of the agent."""
        lines = [line for line, _ in self._folded] + [line for entry in self._entries for line in entry.lines]
        return lines[-count:]

    # --- one line, one turn -------------------------------------------------------

    def _line(self, outcome: Outcome, share: float = 1) -> str:
        text = receipt_line(outcome.number, outcome.written, outcome.receipt, data_chars=_RESULT_CHARS)
        limit = _room(_MAX_LINE_CHARS, share) if outcome.receipt.success else 2 * _MAX_LINE_CHARS
        line = clean_line(harmless(text), limit)
        unknown = outcome.receipt.code == "outcome_unknown"
        return f"{line} (it may have happened: look at the page before you do it again)" if unknown else line

    def _wanted(self, thought: str, actions: Sequence[Action], outcomes: Sequence[Outcome], share: float) -> str:
        """The model's answer as it is remembered: what was done as it is on record, the rest as it was asked."""
        asked = [{"type": action.type, **action.model_dump(mode="json", exclude_defaults=True)} for action in actions]
        written = [dict(outcome.written) for outcome in outcomes] + asked[len(outcomes) :]
        said = {"thought": cut_middle(thought, MAX_THOUGHT_CHARS)} if thought else {}
        limit = _room(_MAX_VALUE_CHARS, share)
        return compact({**said, "actions": [self._shown(fields, limit) for fields in written]})

    def _shown(self, fields: Mapping[str, Any], limit: int) -> dict[str, Any]:
        return {name: self._value(value, limit) for name, value in fields.items()}

    def _value(self, value: Any, limit: int) -> Any:
        """A value shortened; a secret as its placeholder, or where there is none by its name."""
        if isinstance(value, str):
            return cut_middle(value, limit)
        if not isinstance(value, dict):
            return value
        fields = cast(dict[str, Any], value)
        if fields.keys() == {"secret"}:
            name = fields["secret"]
            return f"{{{{{name}}}}}" if name in self._secrets else f"[secret {name}]"
        return self._shown(fields, limit)

    # --- folding ------------------------------------------------------------------

    def _add(self, messages: tuple[Message, ...], lines: tuple[str, ...], *, steps: int) -> None:
        cost = sum(estimate_tokens(message.text) for message in messages)
        self._entries.append(_Entry(messages, lines, steps, cost))
        if self._tokens > MAX_TURN_TOKENS or sum(entry.steps for entry in self._entries) > MAX_WHOLE_STEPS:
            self._fold()

    @property
    def _tokens(self) -> int:
        return sum(entry.tokens for entry in self._entries)

    def _fold(self) -> None:
        while len(self._entries) > 1 and self._tokens > MAX_TURN_TOKENS // 2:
            entry = self._entries.pop(0)
            self._folded += [(line, entry.steps > 0) for line in entry.lines]
        # A last turn that is long by itself leaves less to those before it.
        limit = MAX_FOLDED_TOKENS if self._tokens <= MAX_TURN_TOKENS else MAX_FOLDED_TOKENS // 3
        if sum(estimate_tokens(line) for line, _ in self._folded) > limit:
            self._drop(limit * 2 // 3)

    def _drop(self, limit: int) -> None:
        """Leave the oldest folded steps out, then (there should be few) the oldest of the other lines."""
        cost = sum(estimate_tokens(line) for line, _ in self._folded)
        for step in (True, False):
            for line in [line for line in self._folded if line[1] is step]:
                if cost <= limit:
                    return
                self._folded.remove(line)
                self._dropped += step
                cost -= estimate_tokens(line[0])


def _room(chars: int, share: float) -> int:
    """`chars` for one action of a turn, less where the turn has many."""
    return chars if share <= 1 else max(20, int(chars / share))


def compact(value: object) -> str:
    """A value as JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
