"""The floors of a browser: bare Playwright doing what the server is asked to do, asked over the same kind of pipe.

One JSON request a line on stdin, one answer a line on stdout; the browser is launched by the
first request. asyncio itself and nothing of the package: what a floor imports, it pays for.

Below: Playwright. Above: the rows, which start it by `python -m benchmarks.floors`.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

WALK: Final = Path(__file__).with_name("walk.js").read_text(encoding="utf-8")

FILLS: Final = (("Applicant", "Ada Brew"), ("E-mail", "ada@example.org"), ("Access code", "tea-at-four"))


class Floors:
    """Each public method is a request by its name."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._page: Page | None = None
        self._pages: list[Page] = []

    async def open(self, url: str) -> str:
        """Go to a page in the one tab that the next requests are about, and look at it."""
        if self._page is None:
            self._page = await self._browser.new_page()
        await self._page.goto(url)
        return await self.walk()

    async def walk(self) -> str:
        """One walk inside the page: a line for each element that can be acted on."""
        assert self._page is not None
        return await self._page.evaluate(WALK)

    async def click(self, role: Any, name: str) -> None:
        """Click an element."""
        assert self._page is not None
        await self._page.get_by_role(role, name=name).first.click()

    async def form(self, url: str) -> str:
        """The whole form flow in a new context; gives the result."""
        page = await self._browser.new_page()
        text = await _form(page, url)
        await page.context.close()
        return text

    async def late(self, url: str) -> str:
        """Both waits in a new context; gives the result."""
        page = await self._browser.new_page()
        await page.goto(url)
        await page.get_by_role("button", name="Search flights").click()
        await page.get_by_text("3 flights found").wait_for()
        await page.get_by_role("button", name="Book the first").click()
        booked = page.get_by_text("Booked: seat")
        await booked.wait_for()
        text = await booked.inner_text()
        await page.context.close()
        return text

    async def crowd(self, url: str, count: int) -> list[str]:
        """The form flow in `count` contexts at once; the contexts stay for the next time."""

        async def one(number: int) -> str:
            if number >= len(self._pages):
                self._pages.append(await self._browser.new_page())
                return await _form(self._pages[-1], url)
            return await _form(self._pages[number], url)

        return await asyncio.gather(*(one(number) for number in range(count)))


async def _form(page: Page, url: str) -> str:
    await page.goto(url)
    for label, text in FILLS:
        await page.get_by_label(label).fill(text)
    await page.get_by_label("District").select_option("East")
    await page.get_by_label("Renewal").check()
    await page.get_by_label("Start date").fill("2026-12-01")
    await page.get_by_label("I accept the terms").check()
    await page.get_by_role("button", name="Send request").click()
    return await page.get_by_role("status").inner_text()


async def main() -> None:
    """Answer until stdin ends."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["NOTTE_MCP_BROWSER"], chromium_sandbox=not os.environ.get("NOTTE_MCP_NO_SANDBOX")
        )
        floors = Floors(browser)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            asked = json.loads(line)
            does: Callable[..., Awaitable[Any]] = getattr(floors, asked["method"])
            answer: dict[str, Any] = {"id": asked["id"]}
            try:
                answer["result"] = await does(**asked["params"])
            except Exception as error:  # noqa: BLE001 - whatever it is, the one who asked has to know
                answer["error"] = str(error)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
