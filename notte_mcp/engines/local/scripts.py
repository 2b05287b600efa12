"""A script of the caller's in the page: how its source is run, and what its value is.

It is an expression; or statements, whose value is that of the last one, as a browser's console has it; or, where they have
a `return` or an `await` of their own, the body of an async function. A promise is awaited, a function called.

Below: stage. Above: pages.
"""

from typing import Any, Final

from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.stage import Stage

_LEFT: Final = ("Cannot find context", "navigated or closed", "context was destroyed", "Cannot find object")

_READ: Final = """async function (most) {
  let value = await this.value;
  if (typeof value === "function") value = await value();
  let text;
  try {
    text = value === undefined ? "null" : JSON.stringify(value);
  } catch (error) { // a circle, a window: it ran all the same
    let kind = typeof value;
    try { kind = Object.prototype.toString.call(value).slice(8, -1); } catch {}
    return { unjson: kind.slice(0, 80) };
  }
  return text === undefined ? JSON.stringify(String(value).slice(0, 1000)) : text.slice(0, most);
}"""

# A value is told by what holds it: awaiting it happens where it is read.
_HOLD: Final = "function (value) { this.value = value; }"


async def run(stage: Stage, code: str, *, most_chars: int) -> dict[str, Any]:
    """What CDP answers: `result.value` is JSON text of that many characters at most, or `{"unjson": kind}`; or
    `exceptionDetails`. It runs once."""
    try:
        answer = await _ran(stage, code)
        if answer.get("exceptionDetails"):
            return answer
        asked = {"arguments": [{"value": most_chars}], "returnByValue": True, "awaitPromise": True}
        return await _called(stage, answer, _READ, **asked)
    except PlaywrightError as error:
        if not any(sign in str(error) for sign in _LEFT):
            raise
        return {"result": {}}  # the script led to another page


async def _ran(stage: Stage, code: str) -> dict[str, Any]:
    """What holds the value, after the script ran as what it is."""
    # Only what does not compile throws here: the rest is the promise's.
    bare = code.rstrip("; \t\r\n")
    answer = await _evaluated(stage, f"({{ value: (async () => {{ return (\n{bare}\n); }})() }})")
    if not answer.get("exceptionDetails"):
        return answer
    # A static block takes neither `return` nor `await`; nothing calls what it is in.
    checked = await _evaluated(stage, f"() => {{ class Checked {{ static {{\n{code}\n}} }} }}")
    if checked.get("exceptionDetails"):
        return await _evaluated(stage, f"({{ value: (async () => {{\n{code}\n}})() }})")
    last = await _evaluated(stage, f"{{\n{code}\n}}")
    if last.get("exceptionDetails"):
        return last
    holding = await _evaluated(stage, "({})")
    await _called(stage, holding, _HOLD, arguments=[_argument(last["result"])])
    return holding


def _argument(result: dict[str, Any]) -> dict[str, Any]:
    """A result, as what a call is given; `undefined` is nothing of these."""
    return {name: result[name] for name in ("objectId", "unserializableValue", "value") if name in result}


async def _evaluated(stage: Stage, expression: str) -> dict[str, Any]:
    return await stage.tab.cdp.send("Runtime.evaluate", {"expression": expression, "userGesture": True})


async def _called(stage: Stage, on: dict[str, Any], function: str, **more: Any) -> dict[str, Any]:
    asked = {"objectId": on["result"]["objectId"], "functionDeclaration": function, **more}
    return await stage.tab.cdp.send("Runtime.callFunctionOn", asked)
