"""What acting costs: one click, a whole form, content that comes late. Floor: bare Playwright, in a warm browser too.

Below: host, wire, rows. Above: `__main__`.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.host import Answer, Host
from benchmarks.rows import Outcome, Run, paired
from benchmarks.wire import BenchmarkFailed

Flow = Callable[[Host, str, str], Awaitable[list[Answer]]]
"""A host, an address and a session (\"\" for a new one) to the answers of its calls."""


async def click(run: Run) -> Outcome:
    """A click on a page that nothing moves on."""
    pairs: list[tuple[float, float]] = []
    told = 0
    host, floors = run.warm()
    await floors.ask("open", {"url": run.site.url("/product/1")})
    async with host.page(run.site.url("/product/1")) as (session, opened):
        button = {"actions": [{"type": "click", "id": opened.id("Add to cart", "button")}]}
        for _ in run.times(20):
            done = await host.call("notte_execute", button, session=session)
            begun = time.perf_counter()
            await floors.ask("click", {"role": "button", "name": "Add to cart"})
            pairs.append((done.ms, (time.perf_counter() - begun) * 1_000))
            told = done.tokens
    return paired(pairs, tokens=told)


async def form(run: Run) -> Outcome:
    """Open, fill seven fields, submit, read the result."""
    return await _flow(run, "form", "/form.html", form_flow)


async def late(run: Run) -> Outcome:
    """Content 400 ms after a click, then 150 ms after another."""
    return await _flow(run, "late", "/late.html", _late_flow)


async def form_flow(host: Host, url: str, session: str) -> list[Answer]:
    """The form as an assistant does it; the last answer holds the request's number."""
    opened = await host.start(url, session=session)
    named: str = opened.facts["session_id"]
    calls = [opened, await host.call("notte_execute", {"actions": fill_in(opened)}, session=named)]
    if "PR-" not in calls[-1].text:
        calls.append(await host.call("notte_observe", {"mode": "page"}, session=named))
    if "PR-" not in calls[-1].text:
        raise BenchmarkFailed(f"the form's result is not in: {calls[-1].text}")
    return calls


def fill_in(page: Answer) -> list[dict[str, Any]]:
    """Seven fields and the submit, as one batch."""
    return [
        {"type": "fill", "id": page.id("Applicant"), "value": "Ada Brew"},
        {"type": "fill", "id": page.id("E-mail"), "value": "ada@example.org"},
        {"type": "fill", "id": page.id("Access code"), "value": "tea-at-four"},
        {"type": "select_dropdown_option", "id": page.id("District"), "value": "East"},
        {"type": "check", "id": page.id("Renewal")},
        {"type": "fill", "id": page.id("Start date"), "value": "2026-12-01"},
        {"type": "check", "id": page.id("I accept the terms")},
        {"type": "click", "id": page.id("Send request")},
    ]


async def _late_flow(host: Host, url: str, session: str) -> list[Answer]:
    opened = await host.start(url, session=session)
    named: str = opened.facts["session_id"]
    found = await _click_and_wait(host, named, opened.id("Search flights"), "3 flights found")
    booked = await _click_and_wait(host, named, found.id("Book the first"), "Booked: seat")
    if "14C" not in booked.text:
        raise BenchmarkFailed(f"the seat is not in: {booked.text}")
    return [opened, found, booked]


async def _click_and_wait(host: Host, session: str, element: str, text: str) -> Answer:
    actions = [{"type": "click", "id": element}, {"type": "wait_for", "value": text}]
    return await host.call("notte_execute", {"actions": actions}, session=session)


async def _flow(run: Run, name: str, path: str, flow: Flow) -> Outcome:
    """A flow in a new session each time, next to the floor in a new context each time."""
    pairs: list[tuple[float, float]] = []
    url = run.site.url(path)
    told = calls = 0
    host, floors = run.warm()
    for _ in run.times(9):
        begun = time.perf_counter()
        answers = await flow(host, url, "")
        ours = (time.perf_counter() - begun) * 1_000
        begun = time.perf_counter()
        await floors.ask(name, {"url": url})
        pairs.append((ours, (time.perf_counter() - begun) * 1_000))
        told, calls = sum(answer.tokens for answer in answers), len(answers)
        await host.stop(answers[0].facts["session_id"])
    return paired(pairs, tokens=told, calls=calls)
