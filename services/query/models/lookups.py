"""lookups: what finds a case: keyed hashes of its callers, service numbers and return codes, and
the number of the case that it continues."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from services.query.models.rows import Id, KeyedHash, TableOf
from shared.events import intake
from shared.events.base import CaseEvent

VERSION = 3

Kind = Literal["caller", "shown_name", "service_number", "return_code", "previous_case"]
OF_IDENTITY: tuple[Kind, ...] = ("caller", "shown_name", "service_number")
"""Deleted when the identity is erased; a return code or a case number names nobody."""


class LookupRow(NamedTuple):
    """A key and the case that it finds; many-to-many."""

    key: KeyedHash
    kind: Kind
    case_id: Id


TABLES = (TableOf("lookups", LookupRow, key=("key", "kind", "case_id")),)


class Forgotten(NamedTuple):
    """A case with an erased identity: it is no longer found by who somebody is."""

    case_id: str


LookupChange = LookupRow | Forgotten


def changes(event: CaseEvent[Any]) -> Sequence[LookupChange]:
    data, case_id = event.data, event.subject
    kind = type(data)
    if kind is intake.CaseOpened:
        previous = _one(case_id, "previous_case", data.previous_case)
        return (*_of_caller(case_id, data), *previous)
    if kind is intake.CallLinked:
        return _of_caller(case_id, data)
    if kind is intake.ReturnCodeIssued:
        # The twin finds what the code finds, and nothing tells them apart here.
        twin = _one(case_id, "return_code", data.duress_hash)
        return (*_one(case_id, "return_code", data.code_hash), *twin)
    # A prisoner's statement is kept apart: nobody is found by it.
    if kind is intake.PersonalDataProvided and data.provenance != "after_capture":
        return _one(case_id, "service_number", data.service_number_key)
    if kind is intake.PersonalDataErased and "identity" in data.classes:
        return (Forgotten(case_id),)
    return ()


def _of_caller(case_id: str, data: intake.CaseOpened | intake.CallLinked) -> Sequence[LookupChange]:
    """By his number, each number it may be, and the name that his account shows."""
    readings = [LookupRow(one, "caller", case_id) for one in data.reading_keys or ()]
    shown_name = _one(case_id, "shown_name", data.name_key)
    return (*_one(case_id, "caller", data.caller_key), *readings, *shown_name)


def _one(case_id: str, kind: Kind, key: str | None) -> Sequence[LookupChange]:
    return (LookupRow(key, kind, case_id),) if key is not None else ()


def together(made: Sequence[LookupChange]) -> tuple[set[str], list[LookupRow]]:
    """The net effect of ordered changes: cases to forget first, then rows to set."""
    forgotten: set[str] = set()
    rows: dict[LookupRow, None] = {}
    for change in made:
        if isinstance(change, LookupRow):
            rows[change] = None
            continue
        forgotten.add(change.case_id)
        for row in [one for one in rows if one.case_id == change.case_id]:
            if row.kind in OF_IDENTITY:
                del rows[row]
    return forgotten, list(rows)
