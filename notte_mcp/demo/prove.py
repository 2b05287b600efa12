"""The demo's third act: the first act's session as a script that is proved by running it, kept, and run for somebody else.

Proving it does the order twice more, step by step in a fresh session and by the script
itself in a process of its own; the kept workflow then orders with other parameters, and
no model has part in any of it. The access code is in no script and no record: it is
taken from the session that it was typed in, for as long as that is live.

Below: shop, talk. Above: drive.
"""

from typing import Any, Final

from notte_mcp.demo.shop import Shop
from notte_mcp.demo.talk import Answer, DemoFailed, Talk

WAIT_S: Final = 45
"""Seconds that one call waits for the proof or the run."""

ASKS: Final = 4
"""How often either is waited for."""

NAME: Final = "order"
"""What the workflow is kept as."""

OTHERS: Final = {"Ada Brew": "Grace Kettle", "ada@example.org": "grace@example.org", "Kettle Lane 4": "Spout Street 7"}
"""What somebody else types where the first act typed this."""


async def prove(talk: Talk, shop: Shop, session: str, access_code: str) -> str:
    """Export, verify, keep, and run with other parameters; gives the script.

    Raises:
        DemoFailed: the script does not hold, orders something else, or has the access code in it.
    """
    print("\nThird act: the first order as a script, proved by running it, and run for somebody else.")
    made, code = await _proved_code(talk, shop, session)
    if access_code in code:
        raise DemoFailed("the access code stands in the script")
    await _order_for_somebody_else(talk, shop, made.facts["parameters"])
    return code


async def _proved_code(talk: Talk, shop: Shop, session: str) -> tuple[Answer, str]:
    """The answer to the export once the proof has ended, and the whole script."""
    before = len(shop.orders)
    wanted: dict[str, Any] = {"id": session, "target": "playwright", "verify": "run", "save_as": NAME}
    made = await talk.call("the script, proved, and kept", "notte_workflow_code", **wanted, wait_seconds=WAIT_S)
    verified = made.facts.get("verified")
    if verified is None and "run_id" in made.facts:
        verified = (await _ended(talk, made.facts["run_id"])).facts.get("verified")
    if verified is not True:
        raise DemoFailed(f"the script does not hold: {made.facts.get('report')}")
    orders = shop.orders[:1] + shop.orders[before:]
    if len(orders) != 3 or len({(o.product, o.quantity, tuple(o.fields.items())) for o in orders}) != 1:  # noqa: PLR2004
        raise DemoFailed(f"the steps and the script were to order the same again, and there are {orders}")
    first, steps, scripts = (order.number for order in orders)
    print(f"It holds: its steps ordered {steps} and the script by itself {scripts}, both the same as {first}.")
    part, code = made, str(made.facts["code"])
    while part.facts.get("cursor"):
        part = await talk.call("its rest", "notte_workflow_code", cursor=part.facts["cursor"])
        code += part.facts["code"]
    return made, code


async def _order_for_somebody_else(talk: Talk, shop: Shop, parameters: list[dict[str, Any]]) -> None:
    before = len(shop.orders)
    given = {one["name"]: OTHERS[one["default"]] for one in parameters if one.get("default") in OTHERS}
    ran = await talk.call("run it for somebody else", "notte_run_workflow", name=NAME, parameters=given)
    if ran.facts["state"] == "running":
        ran = await _ended(talk, ran.facts["run_id"])
    if ran.facts["state"] != "completed" or len(shop.orders) != before + 1:
        raise DemoFailed(f"the kept workflow is {ran.facts['state']}: {ran.text}")
    order = shop.orders[-1]
    if (order.fields["name"], order.product.slug) != (OTHERS["Ada Brew"], "copper-kettle"):
        raise DemoFailed(f"the kept workflow ordered something else: {order}")
    print(
        f"Order {order.number} is for {order.fields['name']}: {len(given)} parameters changed, and no model was asked."
    )


async def _ended(talk: Talk, run_id: str) -> Answer:
    for _ in range(ASKS):
        seen = await talk.call("wait for its end", "notte_status", id=run_id, wait_seconds=WAIT_S, until="done")
        if seen.facts["state"] != "running":
            return seen
    raise DemoFailed("the run did not end")
