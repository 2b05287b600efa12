"""An agent's steps as Notte's API tells them, in whichever of its three shapes, as ours: one step per action done.

Typed elements (`{"type", "value"}`: a completion says what is to be done, the next result how it went), what the model
said alone (then only the next one says how it went), or flat ones. Fed one by one, so that a log and a list are read by
the same rules. What is no step, or of a shape that nobody knows, is passed over. Nothing here waits or sends.

Below: remote, receipts, observations. Above: frames, hosted.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, cast

from notte_mcp.engines.remote import HostedStatus, HostedStep
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Locators, Target

Translate = Callable[[dict[str, Any]], dict[str, Any]]
"""An action as the API spells it, as we do."""

_VERDICTS: Final = {"success": True, "failure": False}
_ROLES: Final = {"L": "link", "B": "button", "I": "textbox"}
_PASSWORD: Final = 'type="password"'  # noqa: S105 - an attribute
_MAX_KNOWN: Final = 2_000

# Playwright's selector for a role and a whole name: `role=link[name="Cart"]`.
_BY_ROLE: Final = re.compile(r"""role=(?P<role>[\w-]+)\[name="(?P<name>(?:[^"\\]|\\.)*)"(?: ?s)?\]""")


@dataclass(frozen=True, slots=True)
class Told:
    """A step whose outcome is told, and what it is known again by wherever else it is told of: its times and its
    kind. Empty where it has no times."""

    step: HostedStep
    marks: frozenset[str] = frozenset()


class Reader:
    """Reads one agent's elements in order. `translate` spells an action as we do."""

    def __init__(self, translate: Translate) -> None:
        self._translate = translate
        self._asked: dict[str, Any] | None = None
        self._said: dict[str, Any] | None = None
        self._url = ""
        self._known: dict[str, dict[str, Any]] = {}

    def feed(self, element: Any) -> list[Told]:
        """What is settled by this element: steps whose outcome is known from now on."""
        match element:
            case {"type": str(kind), "value": dict()}:
                return self._typed(kind, _inner(cast(dict[str, Any], element), "value"))
            case {
                "action": dict() | str(),
                "success": bool(),
            }:  # flat, and what a newer server says of legacy ones besides
                said = cast(dict[str, Any], element)
                return [*self.end(), self._told({**said, "action": said.get("own") or said["action"]}, said)]
            case {"action": dict() | str(), "state": dict()}:
                return self._legacy(cast(dict[str, Any], element))
            case {"action": dict() | str()}:
                return [*self.end(), self._told(cast(dict[str, Any], element))]
            case _:
                return []

    def end(self) -> list[Told]:
        """What is left when there is nothing more to come: of these nobody says how they went."""
        left = [one for one in (self._asked, self._said) if one is not None]
        self._asked = self._said = None
        return [self._told({}, one) for one in left]

    def _typed(self, kind: str, value: dict[str, Any]) -> list[Told]:
        match kind:
            case "observation":
                self._look(value)
            case "agent_completion" if "action" in value:
                left, self._asked = self.end(), value
                return left
            case "execution_result" if "action" in value or self._asked is not None:
                asked, self._asked = self._asked, None
                return [self._told(value, asked)]
            case _:
                pass
        return []

    def _legacy(self, said: dict[str, Any]) -> list[Told]:
        before, self._said = self._said, said
        state = said["state"]
        verdict = {
            "success": _VERDICTS.get(str(state.get("previous_goal_status"))),
            "message": state.get("previous_goal_eval"),
        }
        told = [] if before is None else [self._told(verdict, before)]
        if _fields(said["action"]).get("type") == "completion":  # it says so itself
            self._said = None
            told.append(self._told({"success": _fields(said["action"]).get("success") is True}, said))
        return told

    def _look(self, seen: dict[str, Any]) -> None:
        self._url = str(_inner(seen, "metadata").get("url") or "")
        each = _list(_inner(seen, "space").get("interaction_actions"))[:_MAX_KNOWN]
        self._known = {str(one.get("id")): one for one in map(_fields, each) if one.get("id")}

    def _told(self, result: dict[str, Any], asked: dict[str, Any] | None = None) -> Told:
        """One step: of what was asked for, what came of it, or both."""
        asked = asked or {}
        raw = _fields(result.get("action") or asked.get("action"))
        state = _inner(asked, "state")
        action, target = self._spelled(raw)
        marks = {_mark("done", result, raw), _mark("asked", asked, raw)} - {""}
        success = result.get("success")
        step = HostedStep(
            index=0,
            action=action,
            success=success if isinstance(success, bool) else None,
            message=str(result.get("message") or result.get("exception") or ""),
            url=str(result.get("url") or (action.get("url") if action["type"] == "goto" else "") or self._url),
            started_at=_seconds(result.get("started_at") or asked.get("started_at")),
            ended_at=_seconds(result.get("ended_at") or asked.get("ended_at")),
            thought=str(state.get("next_goal") or state.get("memory") or ""),
            target=target,
        )
        return Told(step, frozenset(marks))

    def _spelled(self, raw: dict[str, Any]) -> tuple[dict[str, Any], Target | None]:
        """The action by our names, and the element that it names by Notte's id, which is none of ours."""
        known = self._known.get(str(raw.get("id") or ""), {})
        selector: Any = raw.get("selector") or known.get("selector")
        try:
            action = self._translate(raw)
        except (ValueError, TypeError, KeyError):  # a kind or a field that we do not have
            action = {name: value for name, value in raw.items() if value not in (None, "")}
        action = {"type": str(raw.get("type") or "unknown"), **action}
        if not raw.get("id") and not raw.get("selector"):
            return action, None
        locators = locators_of(selector)
        if "selector" not in action and (way := locators.css or (locators.xpath and f"xpath={locators.xpath}")):
            action["selector"] = way
        role, name = locators.role or (_role(raw, known), "")
        named = (one.get(field) for one in (raw, known) for field in ("accessible_name", "text_label"))
        return action, Target(None, role, clean_line(name or next((str(one) for one in named if one), "")), locators)


def _role(raw: dict[str, Any], known: dict[str, Any]) -> str:
    """What the element is, by how it is spelled there and the letter of its id."""
    secret = any(_PASSWORD in str(one.get("description") or "") for one in (raw, known))
    return "password" if secret else _ROLES.get(str(raw.get("id") or "")[:1], "")


def locators_of(selector: Any) -> Locators:
    """Notte's ways to an element (its NodeSelectors, or one selector) as ours."""
    if isinstance(selector, str) and selector:
        named = _BY_ROLE.fullmatch(selector)
        role = (named["role"], re.sub(r"\\(.)", r"\1", named["name"])) if named else None
        return Locators(role=role, given=selector)
    ways = _fields(selector)
    frames = _list(ways.get("iframe_parent_css_selectors"))
    xpath = str(ways.get("xpath_selector") or "")
    return Locators(
        css=str(ways.get("css_selector") or "") or None,
        xpath=(xpath if xpath.startswith("/") else f"/{xpath}") if xpath else None,
        frame=tuple(str(one) for one in frames) if ways.get("in_iframe") else (),
        shadow=ways.get("in_shadow_root") is True,
    )


def steps_of(elements: Any, translate: Translate, *, over: bool) -> list[Told]:
    """The steps of a whole list; `over`: nothing more is to come."""
    reader = Reader(translate)
    told = [one for element in _list(elements) for one in reader.feed(element)]
    return numbered([*told, *(reader.end() if over else [])])


def numbered(told: Iterable[Told], first: int = 0) -> list[Told]:
    """Steps that follow each other, counted from `first`."""
    return [replace(one, step=replace(one.step, index=index)) for index, one in enumerate(told, first)]


def is_live(value: dict[str, Any]) -> bool:
    """Whether an agent of this status goes on: of all the words there are, one says so."""
    return value.get("status") == "active"


def status_of(value: dict[str, Any], told: Iterable[Told]) -> HostedStatus:
    """How an agent stands, by the API's answer and the steps read from it."""
    success, answer = value.get("success"), value.get("answer")
    return HostedStatus(
        agent_id=str(value.get("agent_id") or ""),
        is_live=is_live(value),
        success=success if isinstance(success, bool) else None,
        answer=answer if isinstance(answer, str) else None,
        steps=tuple(one.step for one in told),
    )


def _mark(which: str, value: dict[str, Any], action: dict[str, Any]) -> str:
    began, ended = _seconds(value.get("started_at")), _seconds(value.get("ended_at"))
    return "" if began is None or ended is None else f"{which} {action.get('type')} {began:.6f} {ended:.6f}"


def _fields(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"type": value}
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _inner(value: dict[str, Any], name: str) -> dict[str, Any]:
    inner = value.get(name)
    return cast(dict[str, Any], inner) if isinstance(inner, dict) else {}


def _seconds(text: Any) -> float | None:
    """A time of the API as Unix seconds; one without a zone is UTC's."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
