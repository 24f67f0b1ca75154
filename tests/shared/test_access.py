"""The record of access goes under its case, or under `many`, and reads back as written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.access import AccessRecord, Spotted
from tests.examples import CASE, NOON, OTHER_CASE


def record(*case_ids: str) -> AccessRecord:
    return AccessRecord(
        access_id="access-1",
        at=NOON,
        by="Olena Example",
        service="query",
        purpose="he is on the line",
        values=tuple(
            Spotted(case_id=one, version=4, type_name="PersonalDataProvided", field="identity")
            for one in case_ids
        ),
    )


def test_it_stands_under_its_case_or_under_many() -> None:
    assert record(CASE).subject == f"audit.{CASE}"
    assert record(CASE, OTHER_CASE).subject == "audit.many"
    assert [one.case_id for one in record(CASE, OTHER_CASE).values_of(CASE)] == [CASE]


def test_it_reads_back_as_written() -> None:
    written = record(CASE, OTHER_CASE)
    assert AccessRecord.model_validate_json(written.model_dump_json()) == written


def test_a_place_that_cannot_be_is_refused() -> None:
    body = record(CASE).model_dump(mode="json")
    body["values"] = [{**body["values"][0], "version": 0}]
    with pytest.raises(ValidationError):
        AccessRecord.model_validate(body)
