"""Several sessions at the same time with SDK 1.10's AsyncNotteClient."""

import asyncio

from notte_sdk import AsyncNotteClient
from telling import SHOP, check, tell_all


@check
def sessions_go_on_side_by_side():
    async def visit(client, slug):
        async with client.Session() as session:
            await session.execute(type="goto", url=SHOP)
            await session.execute(type="goto", url=f"{SHOP}product/{slug}")
            seen = await session.observe()
            text = await session.scrape()
            return [seen.metadata.url.removeprefix(SHOP), seen.metadata.title.split(" · ")[0] in text]

    async def all_of_them():
        async with AsyncNotteClient() as client:
            slugs = ("copper-kettle", "glass-teapot", "mint-tea")
            return await asyncio.gather(*(visit(client, slug) for slug in slugs))

    return asyncio.run(all_of_them())


@check
def one_session_answers_its_calls_in_turn():
    async def crowd():
        async with AsyncNotteClient() as client, client.Session() as session:
            await session.execute(type="goto", url=SHOP)
            return await asyncio.gather(*(session.evaluate_js(f"{number} * 2") for number in range(5)))

    return asyncio.run(crowd())


tell_all()
