"""Who is this caller? Finds the cases that may be his, by key and by name, and compares them.

A key finds him for certain, a name never does: nothing here merges two cases.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

from services.query.models.case_row import CaseRow
from services.query.models.lookups import Kind
from services.query.reads.candidate_reads import CALLS, WHO_HE_IS, CandidateReads, Said
from services.query.reads.comparing import BASES, Candidate, compared, in_order, strongest
from services.query.reads.identity_statements import Statement, addresses_of, statements_of
from services.query.reads.name_index import Place
from services.query.reads.name_search import Likely, Names
from services.query.reads.opening import opened
from services.query.reads.served import Answer
from shared.callers.addresses import callers_to_hash
from shared.callers.contact_rule import SafeToContact, said_in
from shared.callers.return_codes import to_hash
from shared.diagnostics.logger import logger
from shared.events.fields import Channel
from shared.events.intake import ContactRuleSet
from shared.keys.access import SearchKind
from shared.keys.client import Keys, Searcher
from shared.keys.hash_purposes import SERVICE_NUMBER
from shared.keys.messages import SealedValue
from shared.matching import Stated
from shared.matching.numbers import folded_number

CANDIDATES_MAX = 20
OPENED_MAX = 50
"""If many men share a phone, the values of at most this many are opened and compared."""


class Asked(NamedTuple):
    stated: Stated = Stated()
    code: str = ""
    callers: tuple[tuple[Channel, str], ...] = ()
    region: str | None = None
    """Where a number without a country code is dialled."""
    own_case: str = ""
    """The case that is asked about, if any; it isn't its own candidate."""
    own_values: tuple[SealedValue, ...] = ()
    shows: Callable[[CaseRow], bool] | None = None
    """Of which cases a person sees why fields agree or not, and so what was told; None: of none."""

    @property
    def name(self) -> str:
        """In one line."""
        parts = (self.stated.surname, self.stated.first_names, self.stated.patronymic)
        return " ".join(part for part in parts if part)

    @property
    def number(self) -> str:
        """The service number as it is looked up."""
        return folded_number(self.stated.service_number or "")


class Found(NamedTuple):
    """Candidates, strongest first; not `complete` while names are still being opened."""

    candidates: Sequence[Candidate]
    complete: bool
    more: bool
    """Whether there are, or may be, others."""


@dataclass
class _Match:
    kinds: set[Kind] = field(default_factory=set)
    score: int = 0
    places: set[Place] = field(default_factory=set)
    """Where the names that found him were given."""
    ids: set[str] = field(default_factory=set)

    @property
    def strength(self) -> tuple[int, int]:
        return BASES.index(strongest(self.kinds)), -self.score

    def stands(self, told: "Statements") -> bool:
        """Whether the match still holds after opening: a name may have been erased."""
        if self.kinds:
            return True
        return any(one.place in self.places for some in told.values() for one in some)


Statements = Mapping[str, Sequence[Statement]]
"""Case -> what it was told of who he is."""


class Candidates:
    """Looks for candidates; thread-safe."""

    def __init__(self, reads: CandidateReads, keys: Keys, names: Names) -> None:
        self._reads = reads
        self._keys = keys
        self._names = names

    def of_caller(self, asked: Asked, by: str, purpose: str) -> Answer[Found]:
        """Who may be calling. Raises as the key holder and the read model do.

        With `asked.shows` reasons are shown, which hold values: those count as shown.
        """
        who = _searcher(asked, by, purpose)
        matches, likely = self._matches(asked, who)
        wanted = sorted(matches, key=lambda one: (*matches[one].strength, one))[:OPENED_MAX]
        rows = self._reads.cases_by_ids(wanted)
        ids = {case_id for one in wanted for case_id in (one, *matches[one].ids)}
        said = self._reads.said(ids).found
        places = {place for one in wanted for place in matches[one].places}
        told: Statements = {}
        if asked.stated != Stated():
            told = statements_of(self._keys, said, places, by, purpose)
            there = {one.place for some in told.values() for one in some}
            self._names.forget(places - there)
        found = [
            _candidate(asked, row, matches[case_id], said, told)
            for case_id, row in rows.found.items()
            if matches[case_id].stands(told)
        ]
        first = in_order(found)[:CANDIDATES_MAX]
        self._keys.found(who, [one.case.case_id for one in first])
        if asked.shows is not None:
            # Opened again as shown to a person: that counts against their budget.
            shown = [one for one in first if asked.shows(one.case)]
            opened(self._keys, _shown(asked, shown, told), by, purpose, "shown")
        logger.info("looked_for_caller", count=len(found))
        more = likely.more or len(matches) > OPENED_MAX or len(found) > CANDIDATES_MAX
        return Answer(Found(first, likely.complete, more), rows.sequence)

    def of_case(
        self,
        case_id: str,
        by: str,
        purpose: str,
        *,
        shows: Callable[[CaseRow], bool] | None = None,
    ) -> Answer[Found] | None:
        """Who may be the man of a case, by its statements; None: no such case."""
        said = self._reads.said([case_id], CALLS + WHO_HE_IS).found.get(case_id)
        if said is None:
            return None
        # Counted before opening anything: the case may turn out to have nothing to search by.
        self._keys.search(Searcher(by, purpose, ("case",)))
        told = statements_of(self._keys, {case_id: said}, (), by, purpose)[case_id]
        callers = tuple(addresses_of(self._keys, said, by, purpose))
        asked = Asked(
            told[-1].stated if told else Stated(),
            callers=callers,
            own_case=case_id,
            own_values=told[-1].values if told else (),
            shows=shows,
        )
        return self.of_caller(asked, by, purpose)

    def _matches(self, asked: Asked, who: Searcher) -> tuple[dict[str, _Match], Likely]:
        """Matches by each man's last episode, and what the name may mean."""
        hits = self._reads.hits(self._keys_of(asked, who)).found
        likely = Likely([], complete=True, more=False)
        if asked.name:
            likely = self._names.likely(asked.name, asked.stated.date_of_birth)
        ids = {*hits, *(one.case_id for one in likely.suggestions)}
        latest = self._reads.latest_episodes({*ids, asked.own_case}).found
        matches: defaultdict[str, _Match] = defaultdict(_Match)
        for case_id, kinds in hits.items():
            match = matches[latest[case_id]]
            match.kinds.update(kinds)
            match.ids.add(case_id)
        for one in likely.suggestions:
            match = matches[latest[one.case_id]]
            match.score = max(match.score, one.score)
            match.places.add((one.case_id, one.version))
            match.ids.add(one.case_id)
        matches.pop(latest[asked.own_case], None)
        return matches, likely

    def _keys_of(self, asked: Asked, who: Searcher) -> dict[Kind, list[str]]:
        wanted = _to_hash(asked)
        keys: defaultdict[Kind, list[str]] = defaultdict(list)
        hashes = self._keys.search(who, [value for _, value in wanted])
        for (kind, _), made in zip(wanted, hashes, strict=True):
            keys[kind] += made
        return keys


def _shown(asked: Asked, found: Sequence[Candidate], told: Statements) -> list[SealedValue]:
    cases = {case_id for one in found for case_id in (one.case.case_id, *one.found_in)}
    statements = [one for case_id in sorted(cases) for one in told.get(case_id, ())]
    return [*asked.own_values, *(value for one in statements for value in one.values)]


def _to_hash(asked: Asked) -> list[tuple[Kind, tuple[str, str]]]:
    wanted: list[tuple[Kind, tuple[str, str]]] = [
        ("caller", value)
        for channel, address in asked.callers
        for value in callers_to_hash(channel, address, asked.region)
    ]
    # A name that folds to nothing must not find others that fold to nothing.
    if asked.number:
        wanted.append(("service_number", (SERVICE_NUMBER, asked.number)))
    if to_hash(asked.code)[1]:
        wanted.append(("return_code", to_hash(asked.code)))
    return wanted


def _searcher(asked: Asked, by: str, purpose: str) -> Searcher:
    given: dict[SearchKind, object] = {
        "caller": asked.callers,
        "name": asked.name,
        "return_code": asked.code,
        "service_number": asked.number,
    }
    kinds = tuple(kind for kind, value in given.items() if value)
    return Searcher(by, purpose, kinds or ("case",))


def _candidate(
    asked: Asked, row: CaseRow, match: _Match, said: Mapping[str, Said], told: Statements
) -> Candidate:
    ids = sorted({row.case_id, *match.ids})
    other_code = bool(asked.code) and row.code_hash is not None and "return_code" not in match.kinds
    stated = [one.stated for case_id in ids for one in told.get(case_id, ())]
    return Candidate(
        case=row,
        found_in=tuple(sorted(match.ids)),
        basis=strongest(match.kinds),
        judged=compared(asked.stated, stated, match.kinds, other_code=other_code),
        score=match.score,
        contact=contact_rule_of(said.get(row.case_id)),
    )


def contact_rule_of(said: Said | None) -> SafeToContact | None:
    """None is inherited from an earlier episode."""
    events = said.events if said is not None else ()
    rules = [one for one in events if isinstance(one.data, ContactRuleSet)]
    return reduce(said_in, rules, SafeToContact()) if rules else None
