"""What the cloud's actions cannot do: hover, double-click, drag; and a person's hand, which knows the point.

A click on a control goes through the cloud after all, which makes a real one in its middle. Everything else is made by
scripts: a page can tell such events from a person's (`isTrusted`), so their receipts say how they were made.

Below: stage, reaching, saying. Above: performing.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from notte_mcp import actions as a
from notte_mcp.cloud_errors import CloudError
from notte_mcp.engines.base import Hand
from notte_mcp.engines.notte import saying
from notte_mcp.engines.notte.answers import NOBODY_KNOWS
from notte_mcp.engines.notte.reaching import Reached, reach, target_of, ways_of
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.errors import ActionFailed, NotActionable, NotteMCPError, StaleElement
from notte_mcp.ids import secret_name
from notte_mcp.observations import clean, clean_line
from notte_mcp.receipts import Receipt, Target

Point = tuple[float, float]

BY_SCRIPT: Final = "by a script's events, as the cloud has no such action"
_OF_HOVER: Final = f"{BY_SCRIPT}: what opens by CSS alone (:hover) stays shut"
_LATE_S: Final = 3.0
_WHEEL_SHARE: Final = 0.7
_STAYING: Final = frozenset({"hover", "wheel", "type"})
"""What hardly ever leads away, so that where it was done is where the page stands."""

_VERBS: Final = {"click": "Clicked", "double_click": "Double-clicked", "hover": "Hovered over"}


async def by_script(stage: Stage, action: a.Hover | a.DoubleClick | a.Drag) -> Receipt:
    """One that only scripts can do, on the elements that it names.

    Raises:
        UnknownElement, StaleElement, ActionFailed, SessionLost.
    """
    reached = await reach(stage, action.id, action.selector)
    if not reached.key:
        return saying.not_found(action, reached)
    if isinstance(action, a.Drag):
        onto = await reach(stage, action.to_id, action.to_selector, scroll=False)
        if not onto.key:
            return saying.not_found(action, onto)
        return await _dragged(stage, action, reached, onto, Hand())
    touched = time.time()
    do: dict[str, Any] = {"do": "hover"} if isinstance(action, a.Hover) else {"do": "press", "times": 2}
    await _did(stage, again=isinstance(action, a.Hover), key=reached.key, **do)
    said = f"{_VERBS[action.type]} {reached.words} ({_OF_HOVER if isinstance(action, a.Hover) else BY_SCRIPT})"
    receipt = Receipt(
        action.type, success=True, message=said, target=reached.target, healed=reached.healed, acted_at=touched
    )
    return await _entered(stage, action, receipt) if action.press_enter else receipt


async def _entered(stage: Stage, action: a.Hover | a.DoubleClick, receipt: Receipt) -> Receipt:
    """The receipt after Enter, which comes second: what was done before it was done whatever becomes of that."""
    try:
        done = await stage.execute({"type": "press_key", "key": "Enter"}, within_s=action.timeout_ms / 1000 + _LATE_S)
    except CloudError as error:
        said, code = error.what, "outcome_unknown" if error.done == NOBODY_KNOWS else error.code
    else:
        if done.success:
            return receipt
        said, code = clean_line(done.message, 300), saying.code_of(done)
    return receipt.but(success=False, code=code, message=f"{receipt.message}. Enter did not go through: {said}")


async def _did(stage: Stage, *, again: bool, **asked: Any) -> dict[str, Any]:
    do = asked.pop("do")
    if (found := await stage.ask(do, again=again, **asked)) is None:
        raise ActionFailed(
            "The page in the cloud did not answer the script.",
            done=NOBODY_KNOWS,
            next_call="notte_observe to see what is there",
        )
    if do in _STAYING:
        stage.here = found
    return found


async def perform(stage: Stage, action: a.Action, hand: Hand, allowed_ms: int) -> Receipt | None:
    """The action as the hand does it; None where the hand says nothing of it.

    Raises:
        UnknownElement, StaleElement, NotActionable, ActionFailed, SessionLost.
    """
    match action:
        case a.Click() | a.DoubleClick() | a.Hover() if hand.point is not None:
            return await _point(stage, action, hand.point, allowed_ms)
        case a.Drag() if hand.point is not None and hand.to is not None:
            source, onto = await _under(stage, hand.point), await _under(stage, hand.to)
            return await _dragged(stage, action, source, onto, hand)
        case a.ScrollUp() | a.ScrollDown() if hand.point is not None:
            return await _wheel(stage, action, hand.point)
        case a.Fill() if hand.text is not None:
            return await _type(stage, action, hand.text)
        case a.PressKey() if action.id is None and action.selector is None:
            return await _press_key(stage, action, allowed_ms)
        case _:
            return None


# --- the pointer ----------------------------------------------------------------


async def _under(stage: Stage, point: Point) -> Reached:
    """What stands at a point, which has an id by this.

    Raises:
        NotActionable: the point is outside the viewport. PageNotResponding.
    """
    found = await stage.must("spot", point=point)
    facts: Mapping[str, Any] | None = found["element"]
    if facts is None:
        what = f"The point {point[0]:.0f}, {point[1]:.0f} is outside the page's viewport."
        raise NotActionable(what, next_call="a point within it")
    known = stage.meet(facts)
    target = target_of(stage, facts, element_id=stage.book.show(known))
    return Reached(target, {**facts, "control": found["control"]}, {"selector": ways_of(facts)}, known)


async def _point(stage: Stage, action: a.Click | a.DoubleClick | a.Hover, point: Point, allowed_ms: int) -> Receipt:
    reached = await _under(stage, point)
    said = f"{_VERBS[action.type]} {reached.words}{_instead(stage, action.id, reached)}"
    done = Receipt(action.type, success=True, message=said, target=reached.target, acted_at=time.time())
    if isinstance(action, a.Click) and reached.facts["control"]:
        sent = {"type": "click", **reached.called, "timeout": allowed_ms}
        executed = await stage.execute(sent, within_s=allowed_ms / 1000 + _LATE_S)
        return done if executed.success else saying.receipt(action, executed, reached).but(target=reached.target)
    asked: dict[str, Any] = {"do": "hover"} if isinstance(action, a.Hover) else {"do": "press", "times": 1}
    if isinstance(action, a.DoubleClick):
        asked["times"] = 2
    await _did(stage, again=isinstance(action, a.Hover), key=reached.key, at=point, **asked)
    return done.but(message=f"{said} ({_OF_HOVER if isinstance(action, a.Hover) else BY_SCRIPT})")


def _instead(stage: Stage, element_id: str | None, reached: Reached) -> str:
    """What the action named, where something else stood at the point when it was done."""
    if element_id is None or (reached.target is not None and element_id == reached.target.id):
        return ""
    try:
        meant = stage.book.named(element_id)
    except NotteMCPError:
        return ""
    return f' at the place of {meant.role} "{clean_line(meant.name, 60)}"'


async def _dragged(stage: Stage, action: a.Drag, source: Reached, onto: Reached, hand: Hand) -> Receipt:
    touched = time.time()
    asked = {"key": source.key, "to_key": onto.key, "at": hand.point, "to": hand.to}
    await _did(stage, again=False, do="drag", **asked)
    said = f"Dragged {source.words}{_instead(stage, action.id, source) if hand.point else ''} to {onto.words} ({BY_SCRIPT})"
    return Receipt(
        action.type, success=True, message=said, target=source.target, destination=onto.target,
        healed=source.healed, acted_at=touched,
    )  # fmt: skip


async def _wheel(stage: Stage, action: a.ScrollUp | a.ScrollDown, point: Point) -> Receipt:
    way = "down" if isinstance(action, a.ScrollDown) else "up"
    amount = action.amount or round((stage.viewport[1] or 800) * _WHEEL_SHARE)
    found = await _did(stage, again=False, do="wheel", at=point, amount=amount if way == "down" else -amount)
    moved = found["moved"]
    if moved is None:
        what = f"The point {point[0]:.0f}, {point[1]:.0f} is outside the page's viewport."
        raise NotActionable(what, next_call="a point within it")
    px = abs(round(float(moved)))
    said = f"Scrolled {way} {px} px" if px else f"Turned the wheel {way}; nothing scrolled by it"
    return Receipt(action.type, success=True, message=said)


# --- the keyboard ---------------------------------------------------------------


async def _type(stage: Stage, action: a.Fill, text: str) -> Receipt | None:
    """Type at the caret; into a field that takes a secret, or is set and not typed, the whole value goes (None)."""
    reached = await reach(stage, action.id, action.selector, scroll=False)
    if not reached.key or reached.secret or reached.facts["editable"] == "set":
        return None
    if not reached.facts["writable"]:
        raise NotActionable(f"{reached.words} takes no text.", next_call="point at a field")
    touched = time.time()
    found = await _did(stage, again=False, do="type", key=reached.key, text=text)
    facts = found["element"]
    if facts is None:
        raise StaleElement(f"{reached.words} is no longer on the page.", next_call="notte_observe")
    late = secret_name(reached.name or "password") if facts["secret"] else None
    said = f"Typed {_quoted(text, late)} into {reached.words}"
    if not found["typed"]:
        return Receipt(
            action.type, success=False, code="action_failed", message=f"{reached.words} did not take the text.",
            target=reached.target,
        )  # fmt: skip
    return Receipt(
        action.type, success=True, message=said, target=reached.target, healed=reached.healed, secret=late,
        value=None if late or facts["value"] is None else clean(str(facts["value"])), acted_at=touched,
    )  # fmt: skip


def _quoted(text: str, secret: str | None) -> str:
    return f'"{clean_line(text, 60)}"' if secret is None else f"(secret {secret})"


async def _press_key(stage: Stage, action: a.PressKey, allowed_ms: int) -> Receipt:
    """Press a key where the focus is; what a field holds then is told where the key changed it."""
    before = (await stage.ask("place", focus=True) or {}).get("element")
    touched, document = time.time(), stage.document
    done = await stage.execute({"type": "press_key", "key": action.key}, within_s=allowed_ms / 1000 + _LATE_S)
    receipt = saying.receipt(action, done).but(acted_at=touched)
    if before is None:
        return receipt
    target: Target = target_of(stage, before, element_id=stage.book.show(stage.meet(before)))
    now = await stage.settled(int(before["key"]))
    facts = now["element"] if now is not None and now["document"] == document else None
    secret = secret_name(target.name or "password") if before["secret"] else None
    changed = facts is not None and facts["value"] != before["value"] and secret is None
    said = f'{receipt.message} on {target.role} "{target.name}"'
    return receipt.but(
        target=target, secret=secret, message=said, value=clean(str(facts["value"])) if changed and facts else None
    )
