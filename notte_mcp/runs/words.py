"""Steps in words: short for a list, as a purpose for an agent that is to do one. Pure.

Below: workflows. Above: run, healing.
"""

from collections.abc import Mapping
from typing import Final

from notte_mcp.actions import Check, Drag, EvaluateJs, Goto, GotoNewTab, HandleDialog, PressKey, WaitFor
from notte_mcp.observations import cut_middle
from notte_mcp.runs.values import Values
from notte_mcp.workflows import Parameter, WorkflowStep

MAX_NAME: Final = 80
"""Characters of an element's name or an address."""

_VERBS: Final = {
    "double_click": "double-click",
    "download_file": "download by",
    "fill": "fill",
    "multi_factor_fill": "fill",
    "fallback_fill": "fill",
    "select_dropdown_option": "choose in",
    "upload_file": "give a file to",
    "form_fill": "fill the form",
    "evaluate_js": "run a script",
    "scrape": "read the page",
}


def described(step: WorkflowStep) -> str:  # noqa: PLR0911 - one per kind of action
    """`click button "Send"`; nothing that was typed."""
    action, place = step.action, _place(step)
    match action:
        case None:
            return "comment"
        case Goto() | GotoNewTab():
            return f"open {cut_middle(action.url, MAX_NAME)}{' in a new tab' if isinstance(action, GotoNewTab) else ''}"
        case Check():
            return f"{'check' if action.value else 'uncheck'} {place}"
        case PressKey():
            key = "a secret's key" if isinstance(step.value, Parameter) else action.key
            return f"press {key}{f' on {place}' if place else ''}"
        case HandleDialog():
            return f"{action.value} the next dialog"
        case WaitFor():
            return f"wait for {place or _condition(action)}"
        case Drag():
            return f"drag {place}"
        case _:
            verb = _VERBS.get(action.type, action.type.replace("_", " "))
            return f"{verb} {place}".rstrip()


def purpose(step: WorkflowStep, values: Values) -> str:
    """What the step is for, as a task: what it does with what, and where that leads."""
    parts = [described(step)]
    texts = {"value": step.value, **dict(step.form)} if step.value is not None or step.form else {}
    if not isinstance(step.action, Goto | GotoNewTab | EvaluateJs):
        parts += [_with(name, _shown(value, values.texts)) for name, value in texts.items()]
    if step.leads_to:
        parts.append(f"after it the page should be at {step.leads_to}")
    if step.opens_tab:
        parts.append("it opens a new tab")
    return "; ".join(parts)


def types_secret(step: WorkflowStep) -> bool:
    """Whether a secret is among what the step types."""
    values = [step.value, *(value for _, value in step.form)]
    parts = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
    return any(isinstance(part, Parameter) and part.secret for part in parts)


def _with(name: str, text: str) -> str:
    return f'with "{text}"' if name == "value" else f'{name}: "{text}"'


def _shown(value: object, texts: Mapping[str, str]) -> str:
    if isinstance(value, Parameter):
        return texts.get(value.name, "")
    return "".join(_shown(part, texts) for part in value) if isinstance(value, tuple) else str(value or "")  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _place(step: WorkflowStep) -> str:
    if step.locators is None:
        return ""
    named = f' "{cut_middle(step.name, MAX_NAME)}"' if step.name else ""
    return f"{step.role or 'element'}{named}"


def _condition(action: WaitFor) -> str:
    text = action.value or action.url
    return f'"{cut_middle(text, MAX_NAME)}"' if text else f'"{cut_middle(action.gone or "", MAX_NAME)}" to go'
