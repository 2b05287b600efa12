"""From an action of the contract to ours: ids of the last observation, selectors of any form, times.

A selector is taken as it is given, but for one that an observation told beside its id: there the id is surer. An id
holds for the last observation alone.

Below: asked, kept, faults; actions. Above: pages.
"""

from typing import Any, Final

from notte_mcp.action_fields import DEFAULT_TIMEOUT_MS
from notte_mcp.actions import Action
from notte_mcp.api import asked as w
from notte_mcp.api.faults import EXECUTION, ApiFault
from notte_mcp.api.kept import KeptSession
from notte_mcp.batches import parse_action
from notte_mcp.ids import element_id

PLACES: Final = "places"
"""What of an observation is kept besides its ids (`KeptSession.facts`): the `notte_selector` of each."""

MAX_TIMEOUT_MS: Final = 60_000
_INTO_FRAME: Final = " >> internal:control=enter-frame >> "
_ENTERING: Final = frozenset({"click", "download_file", "fill", "multi_factor_fill", "fallback_fill"})
"""Interactions of ours that press Enter themselves."""


class Unactable(Exception):
    """An action that fails before anything is done. `kind` is the contract's word for why (`error_type`)."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(said)
        self.kind = kind


def actions_of(asked: w.AnyAsked, kept: KeptSession) -> list[Action]:
    """What is to be done, one action or two (Enter after it).

    Raises:
        Unactable: it cannot be.
        ApiFault: an id is used, and nothing was observed (500).
        InvalidAction: its values are none that an action of ours takes.
    """
    match asked:
        case w.Interaction():
            aim = _aim(asked.id, asked.selector, kept)
            done = {"type": asked.type, "timeout_ms": _timeout(asked.timeout), **aim, **_of_element(asked)}
            if not asked.press_enter or asked.type in _ENTERING:
                return [parse_action(done)]
            return [parse_action(done), parse_action({"type": "press_key", "key": "Enter", **aim})]
        case w.Scroll():
            aim = _aim("", asked.selector, kept) if asked.selector else {}
            return [parse_action({"type": asked.type, **({"amount": asked.amount} if asked.amount else {}), **aim})]
        case w.Inbox() | w.Verification():
            raise Unactable("InboxActionNotSupportedLocallyError", f"{asked.type} needs a persona in the Notte cloud.")
        case w.CaptchaSolve():
            raise Unactable("CaptchaSolverNotAvailableError", "Captchas are solved in the Notte cloud only.")
        case w.Scrape():
            raise Unactable("ScrapeIsNotAnActionError", "A scrape is no action.")
        case _:
            return [parse_action({"type": asked.type, **_of_page(asked)})]


def _of_element(asked: w.Click | w.Fill | w.Check | w.Select | w.Upload) -> dict[str, Any]:
    enter = {"press_enter": True} if asked.press_enter and asked.type in _ENTERING else {}
    match asked:
        case w.Click():
            return enter
        case w.Fill():
            return {"value": asked.value, "clear_before_fill": asked.clear_before_fill, **enter}
        case w.Check() | w.Select():
            return {"value": asked.value}
        case w.Upload():
            return {"path": asked.file_path}


def _of_page(
    asked: w.Goto | w.GotoNewTab | w.Plain | w.SwitchTab | w.Wait | w.PressKey | w.EvaluateJs | w.FormFill | w.Help | w.Completion,
) -> dict[str, Any]:  # fmt: skip
    match asked:
        case w.Goto():
            # An idle network is nobody's promise; what comes later is waited for where it is needed.
            until = "load" if asked.wait_until == "networkidle" else asked.wait_until
            return {"url": asked.url, "wait_until": until}
        case w.GotoNewTab():
            return {"url": asked.url}
        case w.Plain():
            return {}
        case w.Help():
            return {"value": asked.reason}
        case w.SwitchTab() | w.Wait() | w.PressKey() | w.EvaluateJs() | w.FormFill() | w.Completion():
            return asked.model_dump(exclude={"type", "category", "description"})


def _timeout(asked_ms: int) -> int:
    return min(asked_ms or DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS)


def _aim(named: str, selector: str | w.Selectors | None, kept: KeptSession) -> dict[str, str]:
    if selector and not _told_with(named, selector, kept):
        return {"selector": selector_text(selector)}
    known = element_id(named) or named
    if (ours := kept.ids.get(known)) is not None:
        return {"id": ours}
    if PLACES not in kept.facts:
        raise ApiFault(
            500, "No snapshot is available: observe the page first.", error="NoSnapshotObservedError", headers=EXECUTION
        )
    raise Unactable(
        "InvalidActionError", f"Action with id '{named}' is invalid: action '{named}' not found in page context.."
    )


def _told_with(named: str, selector: str | w.Selectors, kept: KeptSession) -> bool:
    """Whether the last observation told the selector beside this id."""
    if isinstance(selector, str) or not selector.notte_selector or selector.playwright_selector:
        return False
    return kept.facts.get(PLACES, {}).get(named) == selector.notte_selector


def selector_text(given: str | w.Selectors) -> str:
    """A selector of the contract as one of Playwright's, through its frames."""
    if isinstance(given, str):
        return given
    into = "".join(f"{css}{_INTO_FRAME}" for css in given.iframe_parent_css_selectors)
    if given.playwright_selector:
        return (
            given.playwright_selector if _INTO_FRAME in given.playwright_selector else into + given.playwright_selector
        )
    if given.css_selector:
        return f"{into}{given.css_selector}"
    if given.xpath_selector:
        path = given.xpath_selector.removeprefix("xpath=")
        # An observation's begins without the root's slash.
        return f"{into}xpath={path if path.startswith(('/', '(')) else f'/{path}'}"
    raise Unactable("FailedNodeResolutionError", "The selector names nothing: all of its forms are empty.")
