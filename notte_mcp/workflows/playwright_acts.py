"""One action as Playwright calls: its own form, and nothing of what it may bring about.

Each action is a case here, so that a new one is missed by the type checker.

Below: workflow, locators, source. Above: playwright_steps.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, assert_never

from notte_mcp import actions
from notte_mcp.receipts import Locators
from notte_mcp.workflows.form_fields import FORM_WORDS
from notte_mcp.workflows.lifting import Value
from notte_mcp.workflows.locators import is_native_select, locator, scope
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.source import Arg, Chain, Expression, Joined, Text, call, flat, quote
from notte_mcp.workflows.workflow import WorkflowStep

_JS_COMMENT: Final = re.compile(r"\A(\s|//[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_JS_STATEMENT: Final = re.compile(r"(return|const|let|var|if|for|while|do|switch|try|throw|await)\b|;")
_JS_END: Final = "; \t\r\n"
_JS_OF_A_BODY: Final = re.compile(r"\b(return|await)\b")

_LONG_TIMEOUT_MS: Final = 30_000
"""Playwright's own timeout: a longer one is written out."""

_POINTING: Final = {"click": "click", "download_file": "click", "double_click": "dblclick", "hover": "hover"}

_TOGGLES: Final = frozenset({"button", "tab"})

_SCROLL: Final = 0.7
"""The share of the viewport's height that a scroll without an amount goes."""


@dataclass(frozen=True, slots=True)
class Act:
    """One statement: `before` and an expression."""

    expression: Expression
    before: str = ""


@dataclass(frozen=True, slots=True)
class Acts:
    """Writes actions; `is_async` puts `await` where it belongs, `redacts` calls `redacted` on what is printed.

    `height` is the viewport's, in px. `head` is what elements are looked for in.
    """

    is_async: bool
    height: int
    redacts: bool = False
    head: str = "page"

    def of(self, step: WorkflowStep, action: actions.Action) -> list[Act]:
        """The statements of a step's action."""
        if isinstance(action, actions.ElementAction):
            return self._on_element(step, action)
        if isinstance(action, actions.NavigationAction):
            return self._navigation(step, action)
        return self._on_page(step, action)

    def element(self, step: WorkflowStep) -> Chain:
        """The step's element as a locator."""
        called = source_of(step.called) if step.called is not None else None
        return locator(step.locators or Locators(), self.head, called)

    def _awaited(self, chain: Chain) -> Chain:
        return replace(chain, awaited=self.is_async)

    # --- one element ---

    def _on_element(self, step: WorkflowStep, action: actions.ElementAction) -> list[Act]:
        found = step.locators or Locators()
        element, value, late = self.element(step), source_of(step.value), _timeout(action.timeout_ms)
        match action:
            case actions.Click() | actions.DoubleClick() | actions.Hover() | actions.DownloadFile():
                acts = [element.then(_POINTING[action.type], *late)]
            case actions.Fill() | actions.FallbackFill() | actions.MultiFactorFill():
                acts = _filling(element, action, value, late)
            case actions.Check():
                # Playwright checks what can be checked; a toggle button or a tab is clicked.
                checks = "check" if action.value else "uncheck"
                acts = [element.then("click" if step.role in _TOGGLES else checks, *late)]
            case actions.SelectDropdownOption():
                if is_native_select(found):
                    acts = [element.then("select_option", value, *late)]
                else:
                    acts = [call("choose", scope(found, self.head), element, value)]
            case actions.UploadFile():
                acts = (
                    [element.then("click", *late)] if opens_chooser(step) else [element.then("set_input_files", value)]
                )
            case actions.Drag():
                acts = [element.then("drag_to", locator(step.destination or Locators()), *late)]
            case _:
                assert_never(action)
        if isinstance(action, actions.ClickAction | actions.FillAction) and action.press_enter:
            acts.append(element.then("press", Text("Enter")))
        return [Act(self._awaited(act)) for act in acts]

    # --- tabs and addresses ---

    def _navigation(self, step: WorkflowStep, action: actions.NavigationAction) -> list[Act]:
        page, wait = Chain("page"), "await " if self.is_async else ""
        match action:
            case actions.Goto():
                until: list[Arg] = [("wait_until", Text(action.wait_until))] if action.wait_until != "load" else []
                goto = page.then("goto", source_of(step.value), *until, *_timeout(action.timeout_ms))
                return [Act(self._awaited(goto))]
            case actions.GotoNewTab():
                opened = Act(f"{wait}context.new_page()", before="page = ")
                goto = page.then("goto", source_of(step.value), *_timeout(action.timeout_ms))
                return [opened, Act(self._awaited(goto))]
            case actions.CloseTab():
                return [Act(self._awaited(call("close_tab", "page")), before="page = ")]
            case actions.SwitchTab():
                return [Act(f"context.pages[{action.tab_index}]", before="page = ")]
            case actions.GoBack() | actions.GoForward() | actions.Reload():
                return [Act(self._awaited(page.then(action.type)))]
            case _:
                assert_never(action)

    # --- the page ---

    def _on_page(self, step: WorkflowStep, action: actions.PageAction) -> list[Act]:
        page = Chain("page")
        match action:
            case actions.WaitFor():
                acts = [self._awaited(self._waiting(step, action))]
            case actions.PressKey():
                on = self.element(step) if step.locators else Chain("page.keyboard")
                key = source_of(step.value) if step.value else Text(action.key)
                acts = [self._awaited(on.then("press", key))]
            case actions.ScrollUp() | actions.ScrollDown():
                acts = [self._awaited(self._scrolling(step, action))]
            case actions.HandleDialog():
                acts = [_dialog(step, action)]
            case actions.EvaluateJs():
                run = self._awaited(page.then("evaluate", Text(_expression(action.code), lines=True)))
                acts = [self._print(_as_json(run)) if prints_json(step) else run]
            case actions.FormFill():
                acts = [
                    self._awaited(call("fill_form_field", "page", *map(Text, FORM_WORDS[name]), source_of(value)))
                    for name, value in step.form
                ]
            case actions.Scrape():
                text = self._awaited(page.then("locator", Text(action.selector or "body")).then("inner_text"))
                acts = [self._print(text)]
            case actions.CaptchaSolve() | actions.EmailRead() | actions.SmsRead():
                # Loud on purpose: without it the steps that follow would act on another page.
                reason = f"step {step.number}: {action.type} is done by the Notte cloud only; do it here your way"
                return [Act(f"Error({quote(reason)})", before="raise ")]
            case actions.Wait() | actions.Help() | actions.Completion():
                acts = []  # never a step of a workflow
            case _:
                assert_never(action)
        return [Act(act) for act in acts]

    def _waiting(self, step: WorkflowStep, action: actions.WaitFor) -> Chain:
        late = _timeout(action.timeout_ms)
        if action.url is not None:
            return Chain("page").then("wait_for_url", Text(action.url), *late)
        if step.locators is not None:
            return self.element(step).then("wait_for", *late)
        if action.gone is not None:
            gone = call("expect", call("shown", "page", source_of(step.value)))
            return gone.then("to_be_hidden", ("timeout", f"{action.timeout_ms:_}"))
        return call("shown", "page", source_of(step.value)).then("wait_for", *late)

    def _print(self, shown: Chain) -> Chain:
        return call("print", call("redacted", shown) if self.redacts else shown)

    def _scrolling(self, step: WorkflowStep, action: actions.ScrollUp | actions.ScrollDown) -> Chain:
        amount = action.amount or round(self.height * _SCROLL)
        signed = str(-amount if isinstance(action, actions.ScrollUp) else amount)
        if step.locators is None:
            return Chain("page.mouse").then("wheel", "0", signed)
        return self.element(step).then("evaluate", Text("(element, y) => element.scrollBy(0, y)"), signed)


def source_of(value: Value | None) -> Expression:
    """A lifted value as source: a literal, a parameter's name, `os.environ[...]`, or these joined."""
    if isinstance(value, tuple):
        parts = (source_of(part) for part in value)
        return Joined(tuple(part if isinstance(part, str | Text) else flat(part) for part in parts))
    if isinstance(value, Parameter):
        return f"os.environ[{quote(value.env)}]" if value.env else value.name
    return Text(value or "")


def prints_json(step: WorkflowStep) -> bool:
    """Whether the step's data is printed, as JSON."""
    return isinstance(step.action, actions.EvaluateJs) and step.answers


def _as_json(shown: Chain) -> Chain:
    return call("json.dumps", shown, ("ensure_ascii", "False"))


def opens_chooser(step: WorkflowStep) -> bool:
    """Whether an upload went through the file chooser that its element opens."""
    return isinstance(step.action, actions.UploadFile) and step.role not in ("", "file")


def _expression(code: str) -> str:
    """What was run, as an expression: statements with a `return` become the body of a function, as they did in the
    session; of others the value is that of the last one, here as there."""
    first = _JS_COMMENT.sub("", code).lstrip()
    if first.startswith("{"):
        return f"({code.rstrip(_JS_END)})"
    in_body = _JS_STATEMENT.match(first) and _JS_OF_A_BODY.search(code)
    return f"async () => {{\n{code}\n}}" if in_body else code


def _timeout(timeout_ms: int) -> list[Arg]:
    return [("timeout", f"{timeout_ms:_}")] if timeout_ms > _LONG_TIMEOUT_MS else []


def _filling(element: Chain, action: actions.FillAction, value: Expression, late: list[Arg]) -> list[Chain]:
    if isinstance(action, actions.Fill) and action.clear_before_fill:
        return [element.then("fill", value, *late)]
    typing = element.then("press_sequentially", value)
    if action.clear_before_fill:
        return [element.then("clear", *late), typing]
    return [element.then("press", Text("Control+End"), *late), typing]


def _dialog(step: WorkflowStep, action: actions.HandleDialog) -> Chain:
    answer = "dialog.default_value" if step.value is None else flat(source_of(step.value))
    reply = f"lambda dialog: dialog.accept({answer})" if action.value == "accept" else "lambda dialog: dialog.dismiss()"
    return Chain("page").then("once", Text("dialog"), reply)
