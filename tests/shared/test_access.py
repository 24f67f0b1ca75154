"""The record of access goes under its case, or under `many`, and reads back as written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.keys.access import AccessRecord
from tests.accesses import access_record
from tests.examples import CASE, OTHER_CASE


def test_it_stands_under_its_case_or_under_many() -> None:
    assert access_record(CASE).subject == f"audit.{CASE}"
    assert access_record(CASE, OTHER_CASE).subject == "audit.many"
    assert [one.case_id for one in access_record(CASE, OTHER_CASE).values_of(CASE)] == [CASE]


def test_it_reads_back_as_written() -> None:
    written = access_record(CASE, OTHER_CASE)
    assert AccessRecord.model_validate_json(written.model_dump_json()) == written


def test_a_place_that_cannot_be_is_refused() -> None:
    body = access_record(CASE).model_dump(mode="json")
    body["values"] = [{**body["values"][0], "version": 0}]
    with pytest.raises(ValidationError):
        AccessRecord.model_validate(body)
