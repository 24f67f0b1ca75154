"""Who a man says he is: no field gates anything, and a date is never a number."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from shared.commands.intake import ProvidePersonalData
from shared.events.fields import Identity


@pytest.mark.parametrize("born", ["1990", "1990-05", "1990-05-17"])
def test_a_birth_date_is_kept_as_far_as_it_is_known(born: str) -> None:
    stored = Identity(date_of_birth=born).model_dump_json(exclude_none=True)
    assert json.loads(stored) == {"date_of_birth": born}
    assert Identity.model_validate_json(stored).date_of_birth == born


@pytest.mark.parametrize(
    "wrong",
    [
        "0",
        "NaN",
        "true",
        "33010",
        "642902400",
        '"0"',
        '"33010"',
        '"NaN"',
        '"1_990"',
        '"1990-5-17"',
        '"17.05.1990"',
        '"1990-02-30"',
        '"1990-13"',
        '"19900517"',
        '"１９９０"',
        "[]",
        '""',
    ],
)
def test_a_number_or_another_form_is_refused_with_what_would_do(wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Identity.model_validate_json(f'{{"date_of_birth": {wrong}}}')
    (error,) = refused.value.errors()
    assert error["loc"] == ("date_of_birth",)
    assert "YYYY-MM-DD" in error["msg"]


@pytest.mark.parametrize("year", ["1900-01-01", "1919", "2021-01", "9999-12-31"])
def test_a_year_in_which_no_caller_was_born_is_refused(year: str) -> None:
    with pytest.raises(ValidationError, match="must lie within 1920 to 2020"):
        Identity(date_of_birth=year)


def test_no_field_is_required_not_even_the_surname() -> None:
    assert Identity(service_number="АВ-000123", date_of_birth="1990-05-17").surname is None


def test_who_says_nothing_of_himself_is_refused_and_a_unit_alone_is_something() -> None:
    asked = {"command_id": "c-1", "case_id": "CASE", "by": "Olena Example", "identity": {}}
    with pytest.raises(ValidationError) as refused:
        ProvidePersonalData.model_validate(asked)
    assert [error["loc"] for error in refused.value.errors()] == [("identity",)]
    assert ProvidePersonalData.model_validate({**asked, "unit": "44 бригада"}).unit == "44 бригада"
