"""docs/states.md: how events move each region of a case, found by folding them.

From a new case on, an example of every event, in each of its closed choices, is folded into every
case that shows two regions in a pair of states not met before.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from services.query.models.case_list import evolve
from services.query.models.case_row import CaseRow
from shared.events.base import CaseEvent, Event, type_of
from shared.events.catalogue import OWNER, envelope_of
from tests.examples import CASE, NOON, case_opened, digest
from tests.rarer_examples import every_event

OPENING = """# How events move a case

Written by `make docs`: it folds an example of every event, in each of its closed choices, into
cases in every state (`services/query/models/case_list.py`). A fold refuses nothing, so here is
what follows if an event is recorded; [guards.md](guards.md) says when it may be. The regions move
independently. An event that isn't in a region's table leaves it as it is.
"""
NOT_STATES = frozenset({"channel", "intent", "situation", "urgency", "closing_reason"})
"""Closed choices of a row that say what was stated last, not where the case stands."""
NOT_SHOWN = "stage"
"""The region that progress shows too, but for closed cases: it is told apart, and not drawn."""
EVENT_ID = "event-1"
NOTHING = "none"
"""What a region is called that has no value."""
SWITCHING = tuple(
    name for name in CaseRow._fields if name.endswith(("_id", "open", "contradicted"))
)
"""The row's fields on whose presence it may depend what an event does."""
MANY = 3
"""From more states than these an arrow begins at one box that names them."""


class Variant(NamedTuple):
    """An example of an event, one of its closed choices set to a value."""

    event: Event
    choice: str = ""
    value: str = ""


@dataclass(frozen=True)
class Region:
    """A part of the case's row that is in one of some states."""

    name: str
    states: tuple[str, ...]

    def of(self, row: CaseRow) -> str:
        return str(getattr(row, self.name) or NOTHING)


class Move(NamedTuple):
    event: str
    to: str


Moves = dict[Move, dict[str, str]]
"""By event and state reached: the states it begins in, each with the choices it takes, in words."""


def written(_: str = "") -> str:
    variants = [one for event in every_event() for one in variants_of(event)]
    found = moves(variants)
    shown = [one for one in regions() if one.name != NOT_SHOWN]
    return "\n".join([OPENING, *(line for one in shown for line in _section(one, found[one]))])


def regions() -> list[Region]:
    """The regions of the row: its closed choices, but for those that state something."""
    hints = get_type_hints(CaseRow)
    found = []
    for name in CaseRow._fields:
        values = _choices(hints[name])
        if values and name not in NOT_STATES:
            found.append(Region(name, values))
    return found


def variants_of(event: Event) -> list[Variant]:
    """An event once for every value of each of its closed choices."""
    hints = get_type_hints(type(event))
    found = [
        Variant(event.model_copy(update={name: value}), name, value)
        for name in type(event).model_fields
        for value in _choices(hints[name])
        if value != NOTHING or NOTHING in get_args(hints[name])
    ]
    return found or [Variant(event)]


def moves(variants: list[Variant]) -> dict[Region, Moves]:
    """What each region's states become after which events."""
    all_regions = regions()
    taken: dict[Region, dict[tuple[str, str, str], set[tuple[str, str]]]]
    taken = {one: defaultdict(set) for one in all_regions}
    for row, variant, after in _steps(all_regions, variants):
        for region in all_regions:
            before, now = region.of(row), region.of(after)
            if before != now:
                at = (type(variant.event).__name__, before, now)
                taken[region][at].add((variant.choice, variant.value))
    return {one: _by_event(taken[one], _values(variants)) for one in all_regions}


def _steps(
    all_regions: list[Region], variants: list[Variant]
) -> Iterator[tuple[CaseRow, Variant, CaseRow]]:
    """What becomes of rows, each of which shows a pair of states that none before it did."""
    first = _folded(None, Variant(case_opened()))
    waiting, seen = deque([first]), _pairs(first, all_regions)
    while waiting:
        row = waiting.popleft()
        for variant in variants:
            after = _folded(row, variant)
            if after == row:
                continue
            yield row, variant, after
            pairs = _pairs(after, all_regions)
            if not pairs <= seen:
                seen |= pairs
                waiting.append(after)


def _pairs(row: CaseRow, all_regions: list[Region]) -> frozenset[Any]:
    """Every two regions' states; of what else the row has, whether it is there."""
    states = ((one.name, one.of(row)) for one in all_regions)
    return _pairs_of((*states, *((name, bool(getattr(row, name))) for name in SWITCHING)))


@cache
def _pairs_of(states: tuple[tuple[str, str | bool], ...]) -> frozenset[Any]:
    return frozenset(combinations(states, 2))


def _folded(row: CaseRow | None, variant: Variant) -> CaseRow:
    ids = _ids_of(row, type(variant.event)) if row is not None else ()
    return evolve(row, _recorded(variant.event, ids), 1)


def _ids_of(row: CaseRow, event: type[Event]) -> tuple[tuple[str, str], ...]:
    """The ids by which an event is about the row's rendezvous, offer, group or claim."""
    known = {
        "about_event": row.claim_event_id,
        "replaces": row.rendezvous_id,
        **{name: getattr(row, name, None) for name in ("rendezvous_id", "offer_id", "group_id")},
    }
    if "replaces" in event.model_fields:
        known["rendezvous_id"] = None  # It is another rendezvous than the one it replaces.
    return tuple((name, one) for name, one in known.items() if one and name in event.model_fields)


@cache
def _recorded(example: Event, ids: tuple[tuple[str, str], ...]) -> CaseEvent[Any]:
    event = example.model_copy(update=dict(ids))
    return envelope_of(event).model_construct(
        id=EVENT_ID,
        source=f"/services/{OWNER[type(event)]}",
        type=type_of(type(event)),
        subject=CASE,
        time=NOON,
        data=event,
        caseversion=1,
        correlationid="correlation-1",
        causationid="cause-1",
        actor="operator:Olena Example",
        prevhash=digest("before"),
    )


def _values(variants: Iterable[Variant]) -> dict[str, dict[str, list[str]]]:
    """All the values it may have, by event and choice."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for event, choice, value in variants:
        found[type(event).__name__][choice].append(value)
    return found


def _by_event(
    taken: Mapping[tuple[str, str, str], set[tuple[str, str]]],
    values: Mapping[str, Mapping[str, list[str]]],
) -> Moves:
    found: Moves = defaultdict(dict)
    for (event, before, now), choices in taken.items():
        found[Move(event, now)][before] = _in_words(choices, values[event])
    return found


def _in_words(choices: set[tuple[str, str]], values: Mapping[str, list[str]]) -> str:
    """The values that a choice must have; nothing where any will do."""
    parts = []
    for choice, all_values in values.items():
        these = [value for value in all_values if (choice, value) in choices]
        if these and len(these) < len(all_values):
            parts.append(", ".join(these))
    return "; ".join(parts)


def _section(region: Region, found: Moves) -> Iterator[str]:
    yield f"## {region.name}\n"
    yield "```mermaid"
    yield "stateDiagram-v2"
    start = region.of(_folded(None, Variant(case_opened())))
    yield f"    [*] --> {start}"
    yield from (f"    {line}" for line in _arrows(region, found))
    yield "```\n"
    yield "| event | from | to |"
    yield "|---|---|---|"
    for move in sorted(found):
        for condition in sorted(set(found[move].values())):
            begun = [one for one, its in found[move].items() if its == condition]
            label = f"`{move.event}`" + (f" ({condition})" if condition else "")
            yield f"| {label} | {_among(region, begun, move.to)} | {move.to} |"
    yield ""


def _arrows(region: Region, found: Moves) -> list[str]:
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    boxes: dict[str, str] = {}
    for move in sorted(found):
        for condition in sorted(set(found[move].values())):
            begun = [one for one, its in found[move].items() if its == condition]
            label = move.event + (f" ({condition})" if condition else "")
            if len(begun) > MANY:
                among = _among(region, begun, move.to)
                begun = [boxes.setdefault(among, f"many{len(boxes) + 1}")]
            for one in begun:
                labels[one, move.to].append(label)
    named = [f'state "{among}" as {box}' for among, box in boxes.items()]
    order = [*region.states, NOTHING, *boxes.values()]
    at = {state: place for place, state in reversed([*enumerate(order)])}
    arrows = sorted(labels, key=lambda pair: (at[pair[0]], at[pair[1]]))
    return [
        *named,
        *(f"{one} --> {other}: {', '.join(labels[one, other])}" for one, other in arrows),
    ]


def _among(region: Region, begun: Iterable[str], to: str) -> str:
    """States in words, in order; where most are meant, those left out are named."""
    here = {*begun}
    others = [one for one in region.states if one != to]
    left_out = [one for one in others if one not in here]
    if len(here) > MANY and len(left_out) < len(here):
        return f"any but {', '.join(left_out)}" if left_out else "any other"
    return ", ".join(one for one in others if one in here)


def _choices(annotation: Any) -> tuple[str, ...]:
    """The values of a closed choice, `none` first where it may be missing; () for others."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return tuple(str(one) for one in args)
    if origin in {Union, UnionType} and type(None) in args and len(args) > 1:
        others = [one for one in args if one is not type(None)]
        values = _choices(others[0]) if len(others) == 1 else ()
        return (NOTHING, *values) if values else ()
    return ()
