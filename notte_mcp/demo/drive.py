"""The demo: the main job from end to end, through the real server and a real browser.

A host would do the same: start the server, open a page, read it, act on it. Each call
is told with its time and its tokens. In the second act (`watch`) an agent places an
order; in the third (`prove`) the first act's script is proved, kept and run again.

Both are left as replays to look at (`keepsake`).

Below: shop, talk, watch, prove, keepsake. Above: cli.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anyio

from notte_mcp.demo.keepsake import replay
from notte_mcp.demo.prove import prove
from notte_mcp.demo.shop import Shop
from notte_mcp.demo.talk import Answer, DemoFailed, Talk, server, temporary
from notte_mcp.demo.watch import PLAN, watch

WHOLE_S: Final = 180.0
"""How long the demo may take in all."""

PRODUCT: Final = "Copper kettle"
ACCESS_CODE: Final = "tea-at-four"
"""Typed into a password field, so it must never be seen again."""


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 when every step went as it should, else 1 with the reason on stderr."""
    options = _options(argv)
    try:
        _refuse_root_without_word()
        anyio.run(_in_time, options)
    except (DemoFailed, OSError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo was interrupted; nothing is left running.", file=sys.stderr)
        return 1
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="notte-mcp demo", description="Show the main job on a small shop.")
    parser.add_argument("--url", help="open this page instead of the shop, and show what an assistant sees")
    parser.add_argument("--out", type=Path, help="where the script goes (default: a new temporary folder)")
    parser.add_argument("--show", action="store_true", help="print what each call sends and is answered")
    return parser.parse_args(argv)


def _refuse_root_without_word() -> None:
    if hasattr(os, "geteuid") and os.geteuid() == 0 and not os.environ.get("NOTTE_MCP_NO_SANDBOX"):
        raise DemoFailed(
            "Chromium does not run as root in its sandbox. Run the demo as another user, or set "
            "NOTTE_MCP_NO_SANDBOX=1 to run it without one."
        )


# --- the two shows --------------------------------------------------------------


async def _in_time(options: argparse.Namespace) -> None:
    with anyio.move_on_after(WHOLE_S) as limit:
        await (_page(options.url, show=options.show) if options.url else _shop(options.out, show=options.show))
    if limit.cancelled_caught:
        raise DemoFailed(f"it was not done within {WHOLE_S:.0f} s")


async def _shop(out: Path | None, *, show: bool) -> None:
    """Order in the shop by hand, so to speak; let an agent order; let the first order's script do it again."""
    with Shop() as shop, temporary() as folder:
        print(f"A shop is open at {shop.url}\n\nFirst act: an assistant places an order, call by call.")
        script = out or Path(tempfile.mkdtemp(prefix="notte-mcp-demo-")) / "notte-demo-order.py"
        async with server(folder, show=show, model=f"scripted:{PLAN}") as talk:
            shelf = await talk.call("open the shop", "notte_start", url=shop.url)
            number = await _order(talk, shop, shelf)
            print(f"\nOrder {number} was placed in {talk.calls} calls, {talk.tokens} tokens.")
            agent = await watch(talk.anew(), shop, ACCESS_CODE)
            session: str = shelf.facts["session_id"]
            async with replay(folder, agent) as keepsake:
                code = await prove(talk, shop, session, ACCESS_CODE)
                of_agent = await keepsake.put(script.with_name(f"{script.stem}-by-agent"))
            await talk.call("end the session", "notte_stop", id=session)
        script.write_text(code, encoding="utf-8")
        print(f"\nThe script is {script.absolute()} ({len(code.splitlines())} lines). It runs by itself: see --help.")
        async with replay(folder, session) as keepsake:
            _look_back([await keepsake.put(script.with_suffix("")), of_agent])


def _look_back(replays: Sequence[tuple[Sequence[Path], str]]) -> None:
    """Say where to see again what happened: of the session, and of the agent."""
    print("What happened can be seen again, step by step:")
    for path in (path for paths, _ in replays for path in paths):
        print(f"  {path}")
    for said in dict.fromkeys(said for _, said in replays if said):
        print(said)  # that videos need PyAV, where it is not there


async def _page(url: str, *, show: bool) -> None:
    """What an assistant sees of a page."""
    with temporary() as folder:
        async with server(folder, show=show) as talk:
            opened = await talk.call("open the page", "notte_start", url=url)
            if opened.facts.get("note"):
                raise DemoFailed(opened.facts["note"])
            seen = await talk.call("look at it", "notte_observe", mode="page")
            await talk.call("end the session", "notte_stop", id=opened.facts["session_id"])
            print(f"\n{seen.text}")


# --- the steps of the order -------------------------------------------------------


async def _order(talk: Talk, shop: Shop, shelf: Answer) -> str:
    """Find the product, fill in the form, send it; the order's number as the page says it."""
    search = {"type": "fill", "id": shelf.id("Search products"), "value": "kettle", "press_enter": True}
    found = await talk.call("search for kettles", "notte_execute", actions=[search])
    product = await talk.call("open one", "notte_execute", actions=[_click(found, PRODUCT)])
    form = await talk.call("go to the order form", "notte_execute", actions=[_click(product, "Order now")])
    actions = _fill_in(form)
    placed = await talk.call(f"fill it in and send it: {len(actions)} actions", "notte_execute", actions=actions)
    if not shop.orders:
        raise DemoFailed(f"the form was sent and no order came:\n{placed.text}")
    number = shop.orders[0].number
    if number not in placed.text:
        placed = await talk.call("read the order's number", "notte_observe", mode="page")
    if number not in placed.text:
        raise DemoFailed(f"order {number} was placed and the page does not say so:\n{placed.text}")
    return number


def _fill_in(form: Answer) -> list[dict[str, Any]]:
    """The whole order as one batch, its last action the submit."""
    texts = {
        "Name": "Ada Brew",
        "E-mail": "ada@example.org",
        "Street and number": "Kettle Lane 4",
        "Postal code": "3011",
        "City": "Bern",
        "Access code": ACCESS_CODE,
    }
    return [
        *({"type": "fill", "id": form.id(name), "value": text} for name, text in texts.items()),
        {"type": "select_dropdown_option", "id": form.id("Country"), "value": "Switzerland"},
        {"type": "check", "id": form.id("Express (11.90 €)")},
        {"type": "check", "id": form.id("Wrap it as a gift")},
        {"type": "check", "id": form.id("I accept the terms of sale")},
        _click(form, "Place order"),
    ]


def _click(page: Answer, name: str) -> dict[str, Any]:
    return {"type": "click", "id": page.id(name)}
