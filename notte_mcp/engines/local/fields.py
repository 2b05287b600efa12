"""Putting values into fields: real key input for text, the element's own setters where keys cannot reach.

Every value is read back; what a field does not hold afterwards is a failure, never a
quiet success. A field that takes a secret is compared inside the page and never read.

Below: `boxes`, `pointer`, `elements`. Above: `performer`.
"""

from pathlib import Path
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from notte_mcp.actions import (
    Check,
    FallbackFill,
    Fill,
    FillAction,
    MultiFactorFill,
    SelectDropdownOption,
    UploadFile,
)
from notte_mcp.engines.local.boxes import check
from notte_mcp.engines.local.elements import Element, ask, page_of, stale
from notte_mcp.engines.local.pointer import Reached, click, reach
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import ActionFailed, NotActionable, NotteMCPError, UploadRefused
from notte_mcp.ids import secret_name
from notte_mcp.observations import clean, clean_line
from notte_mcp.receipts import Receipt

_KEY_DELAY_S: Final = 0.02
_WIDGET_OPTION_MS: Final = 2_000
_OPTION_MS: Final = 1_000
_FieldAction = FillAction | Check | SelectDropdownOption | UploadFile


async def perform(stage: Stage, element: Element, action: _FieldAction, *, timeout_ms: int) -> Receipt:
    """One action on one field.

    Raises:
        StaleElement, NotActionable, ActionFailed, UploadRefused.
    """
    match action:
        case Fill() | MultiFactorFill() | FallbackFill():
            return await fill(stage, element, action, timeout_ms=timeout_ms)
        case Check():
            return await check(stage, element, action, timeout_ms=timeout_ms)
        case SelectDropdownOption():
            return await select(stage, element, action, timeout_ms=timeout_ms)
        case UploadFile():
            return await upload(stage, element, action, timeout_ms=timeout_ms)


async def fill(stage: Stage, element: Element, action: FillAction, *, timeout_ms: int, veiled: bool = False) -> Receipt:
    """Fill a field and read back what it holds. `veiled`: nobody is to read it on the screen, whatever field it is.

    Raises:
        StaleElement, NotActionable, ActionFailed (the field holds something else).
    """
    codes = isinstance(action, MultiFactorFill)
    reached = await reach(
        stage, element, kind="edit", timeout_ms=timeout_ms, clear=action.clear_before_fill, veil=veiled or codes
    )
    if not (how := reached.facts["editable"]):
        raise NotActionable(
            f'{reached.target.role} "{reached.target.name}" takes no text.',
            next_call="click it, or select_dropdown_option for a list",
        )
    secret = secret_name(reached.target.name or "password") if reached.facts["secret"] else None
    stage.tainted = stage.tainted or secret is not None  # before the first key: a call may end in the middle
    if how == "set":
        held = await _set(reached.element, action.value)
    else:
        keys = codes or isinstance(action, FallbackFill)
        held = await _type(stage, reached, action.value, clear=action.clear_before_fill, keys=keys)
    if secret is None and held.get("secret"):
        secret, stage.tainted = secret_name(reached.target.name or "password"), True
    # Boxes that take a digit each: the first holds the beginning, and the focus has gone on.
    if not held["same"] and not (codes and held.get("begins") and not held.get("focused")):
        raise _not_held(reached, held, secret)
    shown = None if secret else clean(held["value"] or "")
    said = f'"{clean_line(action.value, 60)}"' if secret is None else f"(secret {secret})"
    return Receipt(
        action.type, success=True, message=f"Filled {reached.called} with {said}", target=reached.target,
        healed=reached.element.healed, value=shown, secret=secret,
    )  # fmt: skip


async def _set(element: Element, value: str) -> dict[str, Any]:
    try:
        asked = {"key": element.key, "value": value}
        held: dict[str, Any] = await element.world.call("setField", asked, timeout_s=5, gesture=True)
    except DocumentGone:
        raise stale(element, []) from None
    return held


async def _type(stage: Stage, reached: Reached, value: str, *, clear: bool, keys: bool) -> dict[str, Any]:
    world, tab = reached.element.world, stage.tab
    try:
        focus = reached.facts.get("focus")
        if focus is None:
            focus = await world.call("focusField", {"key": reached.element.key, "clear": clear}, timeout_s=5)
        if not focus.get("focused"):
            raise NotActionable(f"{reached.called} does not take the focus.", next_call="click it first, then fill")
        if clear and not focus["empty"] and (keys or not value):
            await tab.page.keyboard.press("Delete")
        if keys:
            for character in value:
                await tab.page.keyboard.press("Enter") if character == "\n" else await tab.page.keyboard.type(character)
                # Fields that jump from digit to digit move the focus in a task of their own.
                await anyio.sleep(_KEY_DELAY_S)
        elif reached.facts["editable"] == "content":
            await insert_lines(tab, value)
        elif value:
            await tab.cdp.send("Input.insertText", {"text": value})
        asked = {"key": focus["key"], "value": value, "append": not clear}
        return await world.call("readField", asked, timeout_s=5)
    except DocumentGone:
        return {"same": True, "value": value, "secret": reached.facts["secret"]}  # typing led to another page


async def insert_lines(tab: Tab, text: str) -> None:
    """Text into an editable box, where a line break is a key of its own (and Enter alone may send)."""
    for number, line in enumerate(text.split("\n")):
        if number:
            await tab.page.keyboard.press("Shift+Enter")
        if line:
            await tab.cdp.send("Input.insertText", {"text": line})


def _not_held(reached: Reached, held: dict[str, Any], secret: str | None) -> NotteMCPError:
    if held.get("error"):
        return ActionFailed(
            f"{reached.called} went away while it was filled.",
            done="Text was typed.",
            next_call="notte_observe to see what took it",
        )
    holds = f"{held['length']} other characters" if secret else f'"{clean_line(held["value"] or "", 80)}"'
    return ActionFailed(
        f"{reached.called} holds {holds} after the fill.", done="The field was changed.",
        next_call="fallback_fill types key by key; or fill a value in the form the field wants",
    )  # fmt: skip


async def select(stage: Stage, element: Element, action: SelectDropdownOption, *, timeout_ms: int) -> Receipt:
    """Choose an option, in a native select or in a widget that opens a list.

    Raises:
        StaleElement, NotActionable, ActionFailed (no such option; those that exist are named).
    """
    reached = await reach(stage, element, kind="focus", timeout_ms=timeout_ms)
    asked = {"key": element.key, "value": action.value, "timeout": min(timeout_ms, _OPTION_MS)}
    answer = await ask(element, "selectOption", asked, gesture=True)
    if answer.get("error") == "not native":
        return await _select_in_widget(stage, element, action, timeout_ms=timeout_ms)
    if answer.get("error"):
        raise _no_option(reached, action.value, answer)
    chosen = clean_line(answer["value"], 120)
    return Receipt(
        action.type, success=True, message=f'Selected "{chosen}" in {reached.called}', target=reached.target,
        healed=element.healed, value=chosen,
    )  # fmt: skip


async def _select_in_widget(
    stage: Stage, element: Element, action: SelectDropdownOption, *, timeout_ms: int
) -> Receipt:
    asked = {"key": element.key, "value": action.value, "timeout": 0}
    answer = await ask(element, "findOption", asked | {"inside": True})
    if answer.get("error"):  # its list is not open
        reached = await click(stage, element, timeout_ms=timeout_ms)
        wait = min(timeout_ms, _WIDGET_OPTION_MS)
        if reached.facts["editable"]:  # one that suggests what begins as the typed text does
            await _type(stage, reached, action.value, clear=True, keys=False)
        answer = await ask(
            element, "findOption", asked | {"timeout": wait}, timeout_s=timeout_ms / 1000 + 1, done="It was clicked."
        )
    else:
        reached = await reach(stage, element, kind="focus", timeout_ms=timeout_ms)
    if answer.get("error"):
        raise _no_option(reached, action.value, answer)
    name = clean_line(answer["name"], 120)
    if answer["key"] is not None:
        await click(stage, _option(element, answer["key"], name), timeout_ms=timeout_ms)
    return Receipt(
        action.type,
        success=True,
        message=f'Selected "{name}" in {reached.called}',
        target=reached.target,
        healed=element.healed,
        value=name,
    )


def _option(owner: Element, key: int, name: str) -> Element:
    document = owner.world.document
    uid = document.uid if document else 0
    return Element("", owner.tab, owner.world, uid, key, "option", name, "", page_of(owner.tab.url))


def _no_option(reached: Reached, value: str, answer: dict[str, Any]) -> NotteMCPError:
    if answer["error"] == "option disabled":
        return NotActionable(
            f'The option "{clean_line(answer["option"], 60)}" is disabled.', next_call="choose another option"
        )
    if answer["error"] == "not kept":
        return ActionFailed(
            f'{reached.called} is "{clean_line(answer["option"], 60)}" after the choice.',
            done="The option was chosen and did not stay.",
            next_call="notte_observe to see why",
        )
    options = " | ".join(clean_line(o, 40) for o in answer["options"])
    rest = answer["total"] - len(answer["options"])
    more = f" and {rest} more" if rest > 0 else ""
    return ActionFailed(
        f'{reached.called} has no option "{clean_line(value, 60)}". Options: {options or "none"}{more}.', done="Nothing was selected.",
        next_call="the same action with one of these",
    )  # fmt: skip


async def upload(stage: Stage, element: Element, action: UploadFile, *, timeout_ms: int) -> Receipt:
    """Give an allowed file to a file input, or to the file chooser that an element opens.

    Raises:
        UploadRefused: the file is not in an allowed folder. StaleElement, NotActionable, ActionFailed.
    """
    path = await anyio.to_thread.run_sync(allowed_file, action.path, stage)
    is_input = element.role == "file"
    reached = await reach(stage, element, kind="file" if is_input else "click", timeout_ms=timeout_ms)
    try:
        if is_input:
            object_id = await element.world.object_id(element.key)
            await element.world.cdp.send("DOM.setFileInputFiles", {"files": [str(path)], "objectId": object_id})
        else:
            await _choose(stage, element, path, timeout_ms)
    except DocumentGone:
        raise stale(element, []) from None
    except PlaywrightTimeout:
        raise ActionFailed(
            f"{reached.called} opened no file chooser within {timeout_ms} ms.",
            done="It was clicked.",
            next_call="notte_observe, then name the file input itself",
        ) from None
    except PlaywrightError as error:
        text = str(error).splitlines()[0][:150]
        raise ActionFailed(f"{reached.called} took no file: {text}.", next_call="notte_observe") from error
    return Receipt(
        action.type,
        success=True,
        message=f"Gave {path.name} to {reached.called}",
        target=reached.target,
        healed=element.healed,
        value=path.name,
    )


async def _choose(stage: Stage, element: Element, path: Path, timeout_ms: int) -> None:
    """Click what opens a file chooser, and answer it."""
    stage.choosing = True
    try:
        async with stage.tab.page.expect_file_chooser(timeout=timeout_ms) as chooser:
            await click(stage, element, timeout_ms=timeout_ms)
        await (await chooser.value).set_files(path)
    finally:
        stage.choosing = False


def allowed_file(asked: str, stage: Stage) -> Path:
    """The file meant by `asked`: a name under the session's files, or a path in an allowed folder.

    Symbolic links are followed first, so that none leads out of a folder.

    Raises:
        UploadRefused: outside, absent, no regular file, or too large.
    """
    files, options = stage.files, stage.options
    try:
        path = (Path(asked) if Path(asked).is_absolute() else files / asked).resolve(strict=True)
    except (OSError, ValueError):
        raise UploadRefused(
            f"There is no file {clean_line(asked, 150)}.",
            next_call="notte_read on the session's files lists what there is",
        ) from None
    roots = [folder.resolve() for folder in (files, *options.upload_dirs)]
    if not any(path.is_relative_to(root) for root in roots) or not path.is_file():
        raise UploadRefused(
            f"{clean_line(asked, 150)} is not in a folder that a page may be given files from ({', '.join(map(str, roots))}).",
            next_call="put the file there, or add its folder to NOTTE_MCP_UPLOAD_DIRS and restart the server",
        )
    if (size := path.stat().st_size) > options.max_upload_bytes:
        raise UploadRefused(
            f"{path.name} has {size} bytes, and a page is given files of at most {options.max_upload_bytes} "
            "(max_upload_bytes).",
            next_call="the same with a smaller file",
        )
    return path
