"""The element that an action names: found, told as a receipt tells it, and spelled for the cloud.

By id, the page is asked for the very element, or its heir is looked for; the cloud gets its own selectors for it where
they still lead there, else the ways that do now. (Not its id: others who look at the session, an agent of the cloud's,
number anew, and an old id would be another element's.) A selector goes to the cloud as its caller wrote it.

Below: stage, naming. Above: performing, pointing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from notte_mcp.engines.notte.naming import Known
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.ids import secret_name
from notte_mcp.observations import clean, clean_line
from notte_mcp.receipts import Locators, Target


@dataclass(frozen=True, slots=True)
class Reached:
    """`facts` is what the page told of it (empty: it was not found, or the page does not tell), `called` how the cloud
    is to be told of it, `count` how many elements a selector matches (None: nobody knows)."""

    target: Target | None
    facts: Mapping[str, Any]
    called: dict[str, Any]
    known: Known | None = None
    healed: bool = False
    count: int | None = None

    @property
    def key(self) -> int:
        """The page's number for it; 0 where that is not known."""
        return int(self.facts.get("key", 0))

    @property
    def secret(self) -> str | None:
        """The NAME that a value for it goes by; None where it takes no secret."""
        if self.known is not None and self.known.secret:
            return self.known.secret_name
        return secret_name(self.name or "password") if self.facts.get("secret") else None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.target.name if self.target is not None else ""

    @property
    def words(self) -> str:
        """It, in a sentence."""
        return f'{self.target.role} "{clean_line(self.name, 60)}"' if self.target is not None else "the element"


async def reach(stage: Stage, element_id: str | None, selector: str | None, *, scroll: bool = True) -> Reached:
    """The element of an id or of a selector, brought into view.

    Raises:
        UnknownElement, StaleElement, SessionLost.
    """
    if element_id is not None:
        return await _by_id(stage, element_id, scroll=scroll)
    found = await stage.ask("reach", selector=selector, scroll=scroll) or {}
    facts: Mapping[str, Any] = found.get("element") or {}
    known = stage.known_at(facts) if facts else None
    target = target_of(stage, facts, selector) if facts else None
    return Reached(target, facts, {"selector": selector}, known, count=found.get("count"))


async def _by_id(stage: Stage, element_id: str, *, scroll: bool) -> Reached:
    known = stage.book.named(element_id)
    facts = await _facts(stage, known, scroll=scroll)
    if facts is None:
        known = stage.book.heal(element_id, (await stage.look())[1])
        facts = await _facts(stage, known, scroll=scroll) or {}
    known.secret = known.secret or bool(facts.get("secret"))
    ways = locators_of(facts.get("ways") or {}) if facts else _as_met(known)
    role, name = facts.get("role") or known.role, clean_line(str(facts.get("name") or "")) or known.name
    target = Target(known.id, role, name, ways, _box(facts))
    return Reached(target, facts, _called(stage, known, facts), known, stage.book.is_healed(element_id))


async def _facts(stage: Stage, known: Known, *, scroll: bool) -> Mapping[str, Any] | None:
    """What the page tells of an element; None where it is gone, empty where the page does not tell."""
    if (kept := stage.take_fresh(known)) is not None:
        return kept
    if not known.key:
        return await _unasked(stage, known)
    found = await stage.ask("reach", scroll=scroll, key=known.key, set=known.selectors)
    if found is None:
        return {} if known.document == stage.document else None
    return found["element"] if found["document"] == known.document else None


async def _unasked(stage: Stage, known: Known) -> Mapping[str, Any] | None:
    """Of one that only the cloud can reach (in a frame of another origin): it is there if a look of just now met it.
    Only so does the cloud's id for it hold, as whoever else looks at the session numbers anew."""
    if not stage.has_just_looked or known.last != stage.book.look:
        await stage.look()
    return {} if known.last == stage.book.look else None


def _as_met(known: Known) -> Locators:
    css, xpath, frames = known.selectors
    return Locators(css=css or None, xpath=xpath or None, frame=frames)


def _called(stage: Stage, known: Known, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the cloud is told: its own selectors where they still lead there, else the ways that do now."""
    if facts.get("ways") and not facts.get("same"):
        return {"selector": ways_of(facts)}
    if not facts and known.their_id and known.last == stage.book.look:
        return {"id": known.their_id}
    ways: Mapping[str, Any] = facts.get("ways") or {}
    return {"selector": _node_selectors(*known.selectors, shadow=bool(ways.get("shadow")))}


def ways_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The ways to an element, in the contract's form (NodeSelectors)."""
    ways: Mapping[str, Any] = facts["ways"]
    css, xpath = str(ways.get("css") or ""), str(ways.get("xpath") or "")
    return _node_selectors(css, xpath, tuple(ways.get("frame") or ()), shadow=bool(ways.get("shadow")))


def _node_selectors(css: str, xpath: str, frames: tuple[str, ...], *, shadow: bool) -> dict[str, Any]:
    return {
        "css_selector": css, "xpath_selector": xpath, "in_iframe": bool(frames), "in_shadow_root": shadow,
        "iframe_parent_css_selectors": list(frames),
    }  # fmt: skip


def target_of(
    stage: Stage, facts: Mapping[str, Any], given: str | None = None, element_id: str | None = None
) -> Target:
    """An element as a receipt tells it, from what the page told."""
    if element_id is None and (known := stage.known_at(facts)) is not None:
        element_id = known.id
    name = clean_line(str(facts.get("name") or ""))
    return Target(
        element_id, str(facts.get("role") or "clickable"), name, locators_of(facts["ways"], given), _box(facts)
    )


def locators_of(ways: Mapping[str, Any], given: str | None = None) -> Locators:
    """Ways to an element, as the page told them."""

    def word(name: str) -> str | None:
        found = ways.get(name)
        return clean(found) if isinstance(found, str) and found else None

    role = cast("list[Any]", ways.get("role") or [])
    frame = cast("list[Any]", ways.get("frame") or [])
    row = tuple(clean(str(part)) for part in cast("list[Any]", ways.get("row") or []))
    return Locators(
        test_id=word("test_id"), test_id_attribute=word("test_id_attribute"),
        role=(clean(str(role[0])), clean(str(role[1]))) if role else None,
        row=cast("tuple[str, str, str, str]", row) if row else None,
        label=word("label"), placeholder=word("placeholder"), css=word("css"), xpath=word("xpath"),
        frame=tuple(str(one) for one in frame), shadow=bool(ways.get("shadow")), given=given,
        numbered=bool(ways.get("numbered")),
    )  # fmt: skip


def _box(facts: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    box = cast("list[float]", facts.get("box") or [])
    return (float(box[0]), float(box[1]), float(box[2]), float(box[3])) if box else None
