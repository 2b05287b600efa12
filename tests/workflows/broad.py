"""Recordings that need what scripts rarely need: long texts, agents, pauses, data, names that were typed."""

from dataclasses import replace
from typing import Any

from notte_mcp.receipts import Locators, Target
from notte_mcp.records import SessionSpec
from notte_mcp.workflows import Workflow, generalise
from tests.workflows.recording import SPEC, Recording, button, element, textbox

HOME = "http://shop.test"
LONG = "A name that is as long as names become when someone writes a whole sentence on a button of theirs"
SEARCH = textbox("I1", "Search")


def by_agent(recording: Recording, agent_id: str, first: int) -> Recording:
    """The recording with its steps from number `first` done by an agent."""
    recording.steps = [replace(s, agent_id=agent_id) if s.number >= first else s for s in recording.steps]
    return recording


def saw(recording: Recording, *texts: str) -> Recording:
    """The recording, before whose last step its caller saw these texts."""
    recording.steps[-1] = replace(recording.steps[-1], saw=texts)
    return recording


def shop() -> Recording:
    """A product is named, and what it is called is then clicked, waited for and bought."""
    recording = Recording().goto(HOME).fill(textbox("I1", "Product"), "red lamp")
    recording.click(element("L1", "link", "red lamp"), to=f"{HOME}/p/7")
    recording.click(button("B1", "Add red lamp to cart"), sent=(f"POST {HOME}/cart/1042/lines",))
    recording.add({"type": "wait_for", "value": "1 x red lamp"})
    deep = Target("B2", "button", "Pay red lamp", Locators(role=("button", "Pay red lamp"), frame=("#outer",)))
    recording.click(deep).add({"type": "reload"}, to=f"{HOME}/p/7")
    return recording.click(button("B6", "Pay"), sent=(f"POST {HOME}/orders",))


def reader() -> Recording:
    """Pages that are only read, after what is to be read has come."""
    recording = Recording().goto(HOME).add({"type": "evaluate_js", "code": "rows()"}, data=[{"a": 1}, {"b": None}])
    recording.click(button("B1", "Load"), sent=(f"POST {HOME}/graphql",))
    recording.add({"type": "evaluate_js", "code": "rows()"}, data={"total": 3})
    recording.click(button("B2", "Sort"), unsettled=True).add({"type": "scrape", "selector": "#top"}, data="text")
    recording.click(button("B3", "More"))
    return saw(recording.add({"type": "scrape", "selector": "#list"}, data="text"), "Shop", "12 lamps of 40")


DATA: dict[str, Any] = {
    "items": [
        {"name": "lamp", "price": 9.5, "tags": ["a"], "in stock": True, "class": "x"},
        {"name": "oil", "price": 3, "tags": [], "seller": {"name": "Ada", "since": None}, "class": None},
    ],
    "model_config": 1,
    "": 2,
    "naïve": "é",
    LONG: LONG,
}


def data() -> Recording:
    """A page whose data have a shape, in an object and in a list."""
    recording = Recording().goto(HOME).add({"type": "scrape", "instructions": LONG}, data=DATA)
    return recording.add({"type": "scrape"}, data=DATA["items"])


def secrets() -> Recording:
    """Long addresses with secrets in them, and many secrets."""
    recording = Recording().goto(HOME)
    for name in ("ACCESS_CODE_OF_THE_DESK", "ANOTHER_CODE_OF_THE_DESK", "A_THIRD_CODE_THAT_IS_NEEDED", "PIN"):
        recording.fill(element("I9", "password", name, css=f"#{name.lower()}"), {"secret": name})
    recording.goto(f"{HOME}/a?pin=[secret PIN]")
    recording.goto(f"{HOME}/{'long/' * 12}?first=[secret ACCESS_CODE_OF_THE_DESK]&pin=[secret PIN]&last={'x' * 40}")
    return recording.click(Target("B1", "button", "", Locators(css="html > body > div:nth-of-type(2) > button")))


def agents() -> Recording:
    """Steps by an agent between a caller's own, with a failure and a scrape among them."""
    recording = shop().click(button("B3", "Nothing"), success=False, message="It is covered.")
    recording.add({"type": "scrape"}, data="x").click(button("B4", LONG)).add({"type": "hover", "id": "B4"}, SEARCH)
    by_agent(recording, "agt_1", 3)
    return recording.click(button("B5", "Done"))


def workflows() -> dict[str, Workflow]:
    """All of these, by name."""
    spec = SessionSpec(profile="me", user_agent="Desk/1 " + "long " * 20)
    tasks = {"agt_1": f"Buy it. {LONG}. Use [secret PIN].", "agt_2": "not here"}
    seen = ("Order PR-1042 placed", LONG[:78], "Thank you", "red lamp")
    return {
        "shop": generalise(shop().steps, SPEC, seen=seen),
        "reader": generalise(reader().steps, spec, seen=seen[2:]),
        "only_reads": generalise(Recording().goto(HOME).add({"type": "scrape"}, data="x").steps, SPEC),
        "data": generalise(data().steps, SPEC, seen=seen[:1]),
        "secrets": generalise(secrets().steps, SPEC, seen=seen),
        "agents": generalise(agents().steps, spec, keep_failed=True, tasks=tasks, seen=seen),
        "unknown": generalise(shop().add({"type": "reload"}, success=False, state="outcome_unknown").steps, SPEC),
    }
