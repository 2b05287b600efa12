"""Our ids on top of the cloud's: the cloud numbers anew at each look, ours stay with their elements.

Which element a line stands for is told by the page itself (`probing`: a number of its own within its document), or
else by its selectors, role and name. When the element behind an id is gone, the only one of its role and name that has
come since on the same page is its heir; otherwise the id is refused and its likes are named.

Below: seeing, ids, errors. Above: views, performing, session.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from notte_mcp.engines.notte.seeing import Line, Selectors
from notte_mcp.errors import StaleElement, UnknownElement
from notte_mcp.ids import letter_for, secret_name
from notte_mcp.observations import clean_line

_MOST_LIKES: Final = 5
_MOST_DOCUMENTS: Final = 16
"""Documents, those met last, of which what was never shown is known, too."""


@dataclass(slots=True, eq=False)
class Known:
    """An element that was met: `place` is its document and its own name in there. `key` is the page's number for it (0:
    the page was not asked); `first` and `last` are the looks that met it. `their_id` holds for the look `last`."""

    place: tuple[str, str]
    role: str
    name: str
    page: str
    key: int = 0
    tag: str = ""
    selectors: Selectors = ("", "", ())
    secret: bool = False
    states: tuple[str, ...] = ()
    their_id: str | None = None
    id: str | None = None
    first: int = 0
    last: int = 0

    @property
    def document(self) -> str:
        """The document that it lives in."""
        return self.place[0]

    @property
    def secret_name(self) -> str | None:
        """The NAME that a value for it goes by; None where it takes no secret."""
        return secret_name(self.name or "password") if self.secret else None


@dataclass(frozen=True, slots=True)
class Met:
    """What one look met: each line, and its element where it is one that can be acted on."""

    document: str
    lines: tuple[tuple[Line, Known | None], ...]
    headings: tuple[str, ...] = ()

    @property
    def elements(self) -> list[Known]:
        """Those that can be acted on."""
        return [known for _, known in self.lines if known is not None]


def page_of(url: str) -> str:
    """A URL without query and fragment: what makes two documents the same page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


@dataclass(slots=True)
class Book:
    """All ids of a session; `counters` are the last numbers given by letter, `look` counts the looks."""

    counters: dict[str, int]
    look: int = 0
    _by_place: dict[tuple[str, str], Known] = field(default_factory=dict[tuple[str, str], Known])
    _by_id: dict[str, Known] = field(default_factory=dict[str, Known])
    _healed: set[str] = field(default_factory=set[str])
    _documents: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])

    def meet(self, lines: Sequence[Line], url: str, asked: Mapping[str, Any] | None) -> Met:
        """Find each line's element; `asked` is the page's answer about those that can be acted on, in their order."""
        self.look += 1
        document = str(asked["document"]) if asked else f"at {page_of(url)}"
        self._turn_to(document)
        told = iter(asked["found"] if asked else ())
        met: list[tuple[Line, Known | None]] = []
        taken: set[tuple[str, str]] = set()
        for line in lines:
            known = self._meet(line, url, document, next(told, None), taken) if line.is_actable else None
            met.append((line, known))
        headings = tuple(clean_line(str(name)) for name in (asked or {}).get("headings", ()))
        return Met(document, tuple(met), headings)

    def _turn_to(self, document: str) -> None:
        """Let go of what was met long ago and has no id: nobody can name it."""
        self._documents[document] = None
        self._documents.move_to_end(document)
        while len(self._documents) > _MOST_DOCUMENTS:
            left, _ = self._documents.popitem(last=False)
            self._by_place = {place: one for place, one in self._by_place.items() if one.document != left or one.id}

    def _meet(
        self, line: Line, url: str, document: str, facts: Sequence[Any] | None, taken: set[tuple[str, str]]
    ) -> Known:
        key, tag, role, name, secret, required = facts or (0, "", "", "", False, False)
        if line.tag and tag != line.tag:
            key, secret, required = 0, False, False  # the page has changed since the look
        own = str(key) if key else f"{line.selectors[0] or line.selectors[1]} {line.role} {line.name}"
        while (document, own) in taken:
            key, own = 0, f"{own}'"
        taken.add((document, own))
        known = self.at(document, own, line.role if line.tag or not role else role, line.name or clean_line(name), url)
        known.key, known.tag, known.selectors = int(key), line.tag or tag, line.selectors
        known.secret = known.secret or line.secret or bool(secret)
        known.states = ("required",) if required else ()
        known.their_id, known.last = line.their_id, self.look
        return known

    def at(self, document: str, own: str, role: str, name: str, url: str) -> Known:
        """The element of a place, a new one where none was met there; its role and name are noted as they are now."""
        known = self._by_place.get((document, own))
        if known is None:
            known = Known((document, own), role, name, page_of(url), first=self.look)
            self._by_place[known.place] = known
        known.role, known.name = role, name
        return known

    def met(self, document: str, own: str) -> Known | None:
        """The element of a place, where one was met there."""
        return self._by_place.get((document, own))

    def show(self, known: Known) -> str:
        """The id of an element that is being shown, a new one where it has none yet."""
        if known.id is None:
            letter = letter_for(known.role)
            self.counters[letter] = self.counters.get(letter, 0) + 1
            known.id = f"{letter}{self.counters[letter]}"
        self._by_id[known.id] = known
        self._healed.discard(known.id)
        return known.id

    def shown(self, document: str) -> list[Known]:
        """Every element of a document that has an id."""
        return [known for known in self._by_id.values() if known.document == document and known.id]

    def named(self, element_id: str) -> Known:
        """What an id stands for, alive or not.

        Raises:
            UnknownElement: for nothing.
        """
        try:
            return self._by_id[element_id]
        except KeyError:
            raise UnknownElement(
                f"No observation of this session has shown an element {element_id}.",
                next_call="notte_observe, then use an id it shows",
            ) from None

    def is_healed(self, element_id: str | None) -> bool:
        """Whether the id stands for an heir of what it was given to."""
        return element_id in self._healed

    def heal(self, element_id: str, met: Met) -> Known:
        """The heir, among what a look has met, of an element that is gone; the id is the heir's from then on.

        Raises:
            StaleElement: there is none, or several.
        """
        gone = self.named(element_id)
        likes = [known for known in met.elements if (known.role, known.name) == (gone.role, gone.name)]
        heirs = [known for known in likes if known.page == gone.page and not _beside(known, gone)]
        if len(heirs) != 1:
            raise self._stale(element_id, gone, heirs or likes)
        heir = heirs[0]
        heir.id = heir.id or element_id
        heir.secret = heir.secret or gone.secret
        self._by_id[element_id] = heir
        self._healed.add(element_id)
        return heir

    def _stale(self, element_id: str, gone: Known, likes: Sequence[Known]) -> StaleElement:
        what = f'{element_id} ({gone.role} "{clean_line(gone.name, 60)}") is no longer on the page'
        if likes:
            named = [f'{self.show(known)} {known.role} "{clean_line(known.name, 60)}"' for known in likes[:_MOST_LIKES]]
            return StaleElement(
                f"{what}. Alike now: {'; '.join(named)}.", next_call="the same call with one of these ids"
            )
        return StaleElement(f"{what}.", next_call="notte_observe, then use an id it shows")


def _beside(other: Known, gone: Known) -> bool:
    """Whether it was there while the other still was: then it is no heir."""
    return other.document == gone.document and other.first <= gone.last
