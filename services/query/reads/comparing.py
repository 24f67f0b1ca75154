"""Compares what a caller says of himself with what a case was told, field by field.

Pure. Values stay inside; the result is field names, an order and a reason in words.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from services.query.models.case_row import RANK, RECEIVED, CaseRow
from services.query.models.lookups import Kind
from shared.callers.contact_rule import SafeToContact
from shared.matching import NOT_GIVEN, STATED_FIELDS, Judged, Stated, compare
from shared.matching.verdicts import Verdict

Basis = Literal["return_code", "caller", "service_number", "name"]
PersonField = Literal[
    "return_code",
    "caller",
    "service_number",
    "surname",
    "first_names",
    "patronymic",
    "date_of_birth",
    "unit",
]
FIELDS: tuple[PersonField, ...] = get_args(PersonField)
BASES: tuple[Basis, ...] = get_args(Basis)
"""Strongest first."""
REASONS: dict[Basis, str] = {
    "return_code": "The caller gave the code that was issued in this case.",
    "caller": "The same number or account called in this case; several men may share it.",
    "service_number": "The same service number was given in this case.",
    "name": "Only a suggestion: the name may be the same, and others may have it.",
}
FOUND_BY_IT = "the case was found by it"
VERDICTS: tuple[Verdict, ...] = ("agrees", "says_nothing", "conflicts")
"""Most favourable first."""
SAID: dict[str, Verdict] = {
    "Agrees": "agrees",
    "Differs": "conflicts",
    "Says too little": "says_nothing",
}


class Candidate(NamedTuple):
    """A man who may be the caller; `case` is his last episode."""

    case: CaseRow
    found_in: tuple[str, ...]
    """The episodes in which he was found, first opened first."""
    basis: Basis
    judged: Mapping[PersonField, Judged]
    """The verdict on each field that both sides have."""
    score: int
    """How similar the name is, out of 100; 0 if he wasn't found by it."""
    contact: SafeToContact | None
    """When he may be called; None: never."""

    @property
    def waits(self) -> bool:
        return self.case.open and RANK[self.case.stage] < RECEIVED

    def fields(self, verdict: Verdict) -> list[PersonField]:
        return [one for one in FIELDS if one in self.judged and self.judged[one].verdict == verdict]

    @property
    def reason(self) -> str:
        """Why he may be meant, in words."""
        said = [REASONS[self.basis]]
        for word, verdict in SAID.items():
            if fields := self.fields(verdict):
                said.append(f"{word}: {', '.join(fields).replace('_', ' ')}.")
        return " ".join(said)


def strongest(kinds: Collection[Kind]) -> Basis:
    """The strongest basis among the kinds that found a case; by name if there is none."""
    return next((basis for basis in BASES if basis in kinds), "name")


def compared(
    asked: Stated, told: Sequence[Stated], found_by: Collection[Kind], *, other_code: bool
) -> dict[PersonField, Judged]:
    """Compares one man with everything a case was told, at any time.

    `other_code`: the caller gave a code, and the case has another. Another phone says nothing: one
    man has several.
    """
    by_field: dict[PersonField, list[Judged]] = {}
    for one in told:
        verdicts = compare(asked, one)
        for field in STATED_FIELDS:
            if verdicts[field] != NOT_GIVEN:
                by_field.setdefault(field, []).append(verdicts[field])
    judged = {
        field: min(several, key=lambda one: VERDICTS.index(one.verdict))
        for field, several in by_field.items()
    }
    judged |= {kind: Judged("agrees", FOUND_BY_IT) for kind in FIELDS if kind in found_by}
    if other_code:
        judged["return_code"] = Judged("conflicts", "another code was issued in this case")
    return judged


def in_order(found: Sequence[Candidate]) -> list[Candidate]:
    """Strongest first; among equals, those who wait and called last."""

    def weakness(one: Candidate) -> tuple[object, ...]:
        called_at = one.case.last_call_at
        return (
            BASES.index(one.basis),
            len(one.fields("conflicts")) - len(one.fields("agrees")),
            -one.score,
            not one.waits,
            -called_at.timestamp() if called_at is not None else 0.0,
            one.case.case_id,
        )

    return sorted(found, key=weakness)
