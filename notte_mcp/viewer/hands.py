"""A person's hand in a live session: a deed of the page becomes an action at the exact point, recorded as a human's step.

What is typed goes to the field that has the focus. A field that takes a secret is given its whole value at once, by a
box of the viewer's own, so that no part of it is ever a text among others.

Below: deeds, addresses, registry (LiveSession), actions. Above: acts.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from notte_mcp import actions as a
from notte_mcp.engines.base import Hand, Spot
from notte_mcp.errors import InvalidAction, NotActionable, PageNotResponding
from notte_mcp.observations import cut_middle
from notte_mcp.page_text import quoted
from notte_mcp.receipts import Receipt
from notte_mcp.step_text import effects
from notte_mcp.viewer import addresses
from notte_mcp.viewer import deeds as d

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.registry.live import LiveSession

ACT_S: Final = 20.0
"""How long one act may take."""

MAX_KEYS: Final = 20
"""Characters that are pressed one by one, where no field takes them."""

ELSEWHERE: Final = "The focus is in another field now, so what was typed for this one was not sent."

_PICKED: Final = frozenset({"date", "time", "color", "datetime-local", "month", "week", "slider"})
"""Roles of fields that a browser shows a picker for, which no picture of the page holds."""

Aim = tuple[a.Action, Hand | None]


async def handle(app: "App", session_id: str, deed: d.Handling) -> dict[str, Any]:
    """Do it; what came of it, and what has the focus then.

    `choices` asks for one of a list's options instead, `ask` for a value, and `boxed` for what was to be typed in the
    box, as the field takes a secret: nothing was done then. `brought` is what it brought about besides, in words;
    `dismissed` a question of the page that was answered no, and `answered` whether any dialog was.
    """
    async with _held(app, session_id) as live:
        if isinstance(deed, d.Click) and (asked := await _asks(live, deed)) is not None:
            return asked
        if isinstance(deed, d.Type) and deed.id is None and (boxed := await _boxed(live)) is not None:
            return boxed
        done = Done(ok=True)
        for action, hand in await _aims(live, deed):
            done = await _once(live, action, hand)
            if isinstance(deed, d.Goto) and _is_unanswered(done):
                done = await _otherwise(live, deed, done)
            if not done.ok:
                break
        return {"ok": done.ok, "message": done.said, **_brought(done), **await _focus(live)}


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action; `note` is to be told though it went well."""

    ok: bool
    said: str = ""
    receipt: Receipt | None = None
    note: str = ""


async def _once(live: "LiveSession", action: a.Action, hand: Hand | None) -> Done:
    batch = await live.execute([action], actor="human", hand=hand, deadline_s=ACT_S)
    if not batch.receipts:
        return Done(ok=False, said=batch.stopped or action.type)
    receipt = batch.receipts[0]
    return Done(receipt.success, receipt.message or action.type, receipt)


def _is_unanswered(done: Done) -> bool:
    """Whether nobody at that host speaks TLS; a wrong name or certificate is no better without it."""
    return not done.ok and not any(word in done.said for word in ("certificate", "does not resolve"))


async def _otherwise(live: "LiveSession", deed: d.Goto, failed: Done) -> Done:
    """The same address over http://, where the person named no scheme; that it is so is told."""
    for url in addresses.meant(deed.url)[1:]:
        done = await _once(live, a.Goto(url=url), None)
        if done.ok:
            return replace(done, note="It was opened over http://: nothing answers over https:// there.")
        return replace(done, said=f"{failed.said} Nor did it over http://: {done.said}")
    return failed


def _brought(done: Done) -> dict[str, Any]:
    if done.receipt is None:
        return {}
    dialogs = done.receipt.dialogs
    said = [f"{one.kind} {quoted(cut_middle(one.message, 120))} was {one.answer}" for one in dialogs]
    words = [done.note, *said, *effects(done.receipt.but(dialogs=()))]
    found: dict[str, Any] = {"brought": "; ".join(word for word in words if word), "answered": bool(dialogs)}
    asked = [one for one in dialogs if one.kind in ("confirm", "prompt") and one.answer == "dismissed"]
    if len(asked) == 1:  # of several, an answer would be the first one's
        found["dismissed"] = {"kind": asked[0].kind, "message": asked[0].message}
    return found


@asynccontextmanager
async def _held(app: "App", session_id: str) -> "AsyncGenerator[LiveSession]":
    if not app.registry.is_taken(session_id):
        raise InvalidAction("Nobody has taken over here.", next_call="Take over, then try again")
    async with app.registry.use(session_id) as live:
        yield live


async def _focus(live: "LiveSession") -> dict[str, Any]:
    """What has the focus, as far as the page can say now."""
    try:
        spot = await live.spot(None)
    except PageNotResponding:
        return {"focus": None}
    return {"focus": None if spot is None else _spot(spot)}


def _spot(spot: Spot) -> dict[str, Any]:
    return {
        "id": spot.id,
        "role": spot.role,
        "name": spot.name,
        "box": spot.box,
        "editable": spot.editable,
        "secret": spot.secret is not None,
    }


# --- what a click has to ask before ------------------------------------------------


async def _asks(live: "LiveSession", deed: d.Click) -> dict[str, Any] | None:
    """What a browser would open a list or a picker for, of which no picture tells."""
    spot = await live.spot((deed.x, deed.y))
    if spot is None or spot.role not in {*_PICKED, "combobox", "listbox"}:
        return None
    if spot.role in _PICKED:
        return None if spot.editable else {"ok": True, "message": "", "ask": _spot(spot)}
    seen = await live.observe(find=spot.name or None, own=True)
    options = next((node.options for node in seen.nodes if node.id == spot.id), ())
    if not options or spot.editable:
        return None
    return {"ok": True, "message": "", "choices": {**_spot(spot), "options": list(options)}}


async def _boxed(live: "LiveSession") -> dict[str, Any] | None:
    """What was typed on the picture before it was known that a secret goes there."""
    spot = await live.spot(None)
    if spot is None or spot.secret is None:
        return None
    return {"ok": True, "message": "", "boxed": True, "focus": _spot(spot)}


# --- deeds as actions ---------------------------------------------------------------


async def _aims(live: "LiveSession", deed: d.Handling) -> list[Aim]:
    """What a deed comes to, one after the other."""
    if isinstance(deed, d.Type):
        return await _typed(live, deed)
    return [await _aim(live, deed)]


async def _aim(live: "LiveSession", deed: d.Simple) -> Aim:
    aim: Aim
    match deed:
        case d.Click() | d.Drag():
            aim = await _pointed(live, deed)
        case d.Wheel():
            amount = max(1, round(abs(deed.by)))
            turn = a.ScrollDown(amount=amount) if deed.by > 0 else a.ScrollUp(amount=amount)
            aim = turn, Hand(point=(deed.x, deed.y))
        case d.Secret():
            aim = a.Fill(id=(await _secret_field(live, deed.id)).id, value=deed.text), None
        case d.Key():
            aim = a.PressKey(key=await _writes_no_secret(live, deed.key)), Hand()
        case d.Fill(do="choose"):
            aim = a.SelectDropdownOption(id=deed.id, value=deed.value), None
        case d.Fill():
            aim = a.Fill(id=deed.id, value=deed.value), None
        case d.Goto():
            url = addresses.meant(deed.url)[0]
            aim = a.GotoNewTab(url=url) if deed.do == "new_tab" else a.Goto(url=url), None
        case d.Go() | d.Tab() | d.Dialog():
            aim = _moved(deed), None
    return aim


def _moved(deed: d.Go | d.Tab | d.Dialog) -> a.Action:
    match deed:
        case d.Tab():
            return a.SwitchTab(tab_index=deed.index)
        case d.Dialog():
            return a.HandleDialog(value="accept" if deed.accept else "dismiss", answer=deed.text)
        case d.Go():
            kinds = {"back": a.GoBack, "forward": a.GoForward, "reload": a.Reload, "close_tab": a.CloseTab}
            return kinds[deed.do]()


async def _pointed(live: "LiveSession", deed: d.Click | d.Drag) -> Aim:
    point = (deed.x, deed.y)
    spot = await _at(live, point)
    if isinstance(deed, d.Click):
        return (a.DoubleClick if deed.count > 1 else a.Click)(id=spot.id), Hand(point=point)
    to = (deed.to_x, deed.to_y)
    return a.Drag(id=spot.id, to_id=(await _at(live, to)).id), Hand(point=point, to=to)


async def _at(live: "LiveSession", point: tuple[float, float]) -> Spot:
    if (spot := await live.spot(point)) is None:
        raise NotActionable("Nothing is there: the page has changed, or the point is outside of it.")
    return spot


async def _typed(live: "LiveSession", deed: d.Type) -> list[Aim]:
    """Into the field that has the focus, as its whole new value; else key by key, as a page with keys of its own has it."""
    spot, text = await live.spot(None), deed.text
    if deed.id is not None and (spot is None or spot.id != deed.id or spot.secret is not None):
        raise NotActionable(ELSEWHERE, next_call="Click into the field again")
    if spot is None or not spot.editable:
        if len(text) > MAX_KEYS:
            raise NotActionable("No field has the focus.", next_call="Click into one, then type")
        return [(a.PressKey(key="Space" if sign == " " else sign), Hand()) for sign in text if sign != "\n"]
    if spot.value is None:
        raise NotActionable("This field holds too much to type into it here.")
    start, end = spot.caret or (len(spot.value), len(spot.value))
    value = spot.value[:start] + text + spot.value[end:]
    return [(a.Fill(id=spot.id, value=value), Hand(text=text))]


async def _secret_field(live: "LiveSession", meant: str) -> Spot:
    spot = await live.spot(None)
    if spot is None or spot.secret is None or spot.id != meant:
        raise NotActionable(ELSEWHERE, next_call="Click into the field again")
    return spot


async def _writes_no_secret(live: "LiveSession", key: str) -> str:
    """A key that writes a character into a secret field would stand in the log as it is."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    if len(last) == 1 and not {"Control", "Alt", "Meta", "ControlOrMeta"} & set(modifiers):
        spot = await live.spot(None)
        if spot is not None and spot.secret is not None:
            raise InvalidAction("This field takes a secret.", next_call="Type it into the box beside the picture")
    return key
