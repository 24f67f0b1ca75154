"""Compares what a caller says of himself with what a case was told, field by field.

Pure. Values stay in here; what comes out is names of fields, an order and a reason in words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Literal, NamedTuple, get_args

from rapidfuzz import fuzz

from services.query.name_index import ALIKE, NameParts, Part, alike, parts_of
from services.query.projections.case_row import CaseRow
from services.query.projections.lookups import Kind
from shared.contact_rule import SafeToContact
from shared.events.fields import Identity
from shared.folding import folded_name, folded_number

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
"""The strongest first."""
REASONS: dict[Basis, str] = {
    "return_code": "The caller gave the code that was issued in this case.",
    "caller": "The same number or account called in this case; several men may share it.",
    "service_number": "The same service number was given in this case.",
    "name": "Only a suggestion: the name may be the same, and others may bear it.",
}
OVER = frozenset({"handed_over", "in_custody", "exchanged"})
"""Stages at which nobody waits to cross any more."""


class Person(NamedTuple):
    """Who somebody says he is, folded; empty is what he didn't say."""

    parts: NameParts
    born: date | None = None
    number: str = ""
    unit: str = ""

    @property
    def is_told(self) -> bool:
        return bool(self.parts or self.born or self.number or self.unit)


class Comparison(NamedTuple):
    """Names of fields; what either side lacks is in neither."""

    agrees: tuple[PersonField, ...]
    conflicts: tuple[PersonField, ...]


class Candidate(NamedTuple):
    """A man who may be the caller; `case` is his last episode."""

    case: CaseRow
    found_in: tuple[str, ...]
    """The episodes in which he was found, the first opened first."""
    basis: Basis
    compared: Comparison
    score: int
    """How like the name is, out of 100; 0 where he wasn't found by it."""
    contact: SafeToContact | None
    """When he may be called; None: never."""

    @property
    def waits(self) -> bool:
        return self.case.open and self.case.stage not in OVER

    @property
    def reason(self) -> str:
        """Why he may be meant, in words."""
        agrees, conflicts = self.compared
        said = [REASONS[self.basis]]
        if agrees:
            said.append(f"Agrees: {_listed(agrees)}.")
        if conflicts:
            said.append(f"Differs: {_listed(conflicts)}.")
        return " ".join(said)


def person_of(identity: Identity, unit: str | None) -> Person:
    """Gives a person as he is compared."""
    number = folded_number(identity.service_number or "")
    return Person(parts_of(identity), identity.date_of_birth, number, folded_name(unit or ""))


def strongest(kinds: Collection[Kind]) -> Basis:
    """Gives the strongest basis among what a case was found by; by nothing else: by name."""
    return next((basis for basis in BASES if basis in kinds), "name")


def compared(
    asked: Person, told: Sequence[Person], found_by: Collection[Kind], *, other_code: bool
) -> Comparison:
    """Compares one man with all that a case was told, at whatever time it was.

    `other_code`: the caller gave a code, and the case has another. That he calls from elsewhere
    says nothing: one man has several phones.
    """
    agrees: set[PersonField] = {one for one in FIELDS if one in found_by}
    conflicts: set[PersonField] = set()
    for field in FIELDS:
        verdict = _verdict(field, asked, told)
        if verdict is not None and field not in agrees:
            (agrees if verdict else conflicts).add(field)
    if other_code:
        conflicts.add("return_code")
    return Comparison(
        tuple(one for one in FIELDS if one in agrees),
        tuple(one for one in FIELDS if one in conflicts),
    )


def in_order(found: Sequence[Candidate]) -> list[Candidate]:
    """Gives candidates, the strongest first; among equals, whoever waits and called last."""

    def weakness(one: Candidate) -> tuple[object, ...]:
        agrees, conflicts = one.compared
        called_at = one.case.last_call_at
        return (
            BASES.index(one.basis),
            len(conflicts) - len(agrees),
            -one.score,
            not one.waits,
            -called_at.timestamp() if called_at is not None else 0.0,
            one.case.case_id,
        )

    return sorted(found, key=weakness)


def _verdict(field: PersonField, asked: Person, told: Sequence[Person]) -> bool | None:
    """Says whether the field agrees with any that was told; None where one side lacks it."""
    match field:
        case "return_code" | "caller":
            return None  # Found by them or not; nothing is compared.
        case "date_of_birth":
            born = [one.born for one in told if one.born is not None]
            return asked.born in born if asked.born is not None and born else None
        case "service_number":
            numbers = [one.number for one in told if one.number]
            return asked.number in numbers if asked.number and numbers else None
        case "unit":
            return _any([_same_unit(asked.unit, one.unit) for one in told])
        case _:
            return _any([_same_part(field, asked, one) for one in told])


def _any(verdicts: Sequence[bool | None]) -> bool | None:
    known = [one for one in verdicts if one is not None]
    return any(known) if known else None


def _same_part(part: Part, one: Person, other: Person) -> bool | None:
    # An initial says too little to agree or to conflict.
    mine = [word for word in one.parts.get(part, ()) if len(word) > 1]
    theirs = [word for word in other.parts.get(part, ()) if len(word) > 1]
    if not mine or not theirs:
        return None
    return any(alike(word, known) for word in mine for known in theirs)


def _same_unit(one: str, other: str) -> bool | None:
    if not one or not other:
        return None
    numbers, others = _numbers(one), _numbers(other)
    if numbers and others:
        return not numbers.isdisjoint(others)
    return fuzz.token_set_ratio(one, other) >= ALIKE


def _numbers(unit: str) -> set[str]:
    digits = "".join(one if one.isdigit() else " " for one in unit)
    return set(digits.split())


def _listed(fields: Sequence[PersonField]) -> str:
    return ", ".join(one.replace("_", " ") for one in fields)
