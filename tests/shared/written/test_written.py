"""Numbers and times in commands are written as people do; other forms are refused by field."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, get_args, get_origin

import pytest
from pydantic import AwareDatetime, BaseModel, ValidationError

from passage.cli.do import read_json
from passage.exits import VerbEndedError
from services.query.api.exports import Export
from services.query.api.reveal import Reveal
from shared.commands.catalogue import COMMANDS
from shared.commands.intake import ProvidePersonalData
from shared.events.fields import Identity
from shared.written.wrong_fields import wrong_field, wrong_fields

NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", '"1_0"', "true", "false", '"NaN"', '"١٠"', '""']
WHOLE = [*NUMBERS, "3.0", '"3.0"', '"0x10"', '" 3"']
TIMES = ["0", "1700000000", "1.5", "true", '"0"', '"1700000000"', '"1700000000.5"', '""', '"now"']
MOMENTS = [
    *TIMES,
    '"2030-01-01"',
    '"2030-01-01T10:00:00"',
    '"2263-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59Z"',
    '"0001-01-01T00:00:00Z"',
    '"1677-01-01T00:00:00Z"',
]
DAYS = [*TIMES, '"2030-01-01T00:00:00Z"', '"1990-1-1"']
WRONG: dict[type, list[str]] = {int: WHOLE, float: NUMBERS, date: DAYS, datetime: MOMENTS}
RIGHT: dict[type, list[str]] = {
    int: ["3", '"3"'],
    float: ["3", "3.5", "-0.25", '"3.5"'],
    date: ['"1990-01-31"'],
    datetime: ['"2030-01-01T10:00:00Z"', '"2030-01-01 10:00:00+02:00"'],
}


def kinds_in(annotation: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The numbers and times in a type, by their paths; the last part names the kind."""
    if annotation in {AwareDatetime, *WRONG}:
        yield (*path, "datetime" if annotation is AwareDatetime else annotation.__name__)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            yield from kinds_in(info.annotation, (*path, name))
    inside = (*path, "0") if get_origin(annotation) is tuple else path
    for member in get_args(annotation):
        yield from kinds_in(member, inside)


def wrapped(path: tuple[str, ...], value: str) -> str:
    for name in reversed(path):
        value = f"[{value}]" if name == "0" else f'{{"{name}": {value}}}'
    return value


def said_of(model: type[BaseModel], body: str, name: str, *, from_json: bool) -> list[str]:
    """What is wrong with a field, read as from NATS, or from Python as the API does."""
    try:
        if from_json:
            model.model_validate_json(body)
        else:
            model.model_validate(json.loads(body))
    except ValidationError as error:
        return [problem for field, problem in wrong_fields(error) if field == name]
    return []


MODELS: tuple[type[BaseModel], ...] = (*COMMANDS.values(), Reveal, Export)
FIELDS = [(model, path) for model in MODELS for path in dict.fromkeys(kinds_in(model, ()))]
KIND_OF = {one.__name__: one for one in WRONG}


@pytest.mark.parametrize("from_json", [True, False])
@pytest.mark.parametrize(
    ("model", "path"), FIELDS, ids=[f"{m.__name__}.{'.'.join(p)}" for m, p in FIELDS]
)
def test_every_field_of_a_number_or_time_refuses_what_only_looks_like_one(
    model: type[BaseModel], path: tuple[str, ...], from_json: bool
) -> None:
    *names, kind = path
    name = ".".join(names)
    for value in WRONG[KIND_OF[kind]]:
        said = said_of(model, wrapped(tuple(names), value), name, from_json=from_json)
        assert len(said) == 1, (name, value)
    for value in RIGHT[KIND_OF[kind]]:
        said = said_of(model, wrapped(tuple(names), value), name, from_json=from_json)
        assert not any("must be a" in one for one in said), (name, value)


def test_there_are_fields_of_every_kind() -> None:
    assert {path[-1] for _, path in FIELDS} == set(KIND_OF)
    assert {model for model, _ in FIELDS} >= set(COMMANDS.values())


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", '[{"a": NaN}]'])
def test_the_command_line_takes_no_number_that_json_does_not_have(value: str) -> None:
    with pytest.raises(VerbEndedError, match=r"place\.latitude: not JSON"):
        read_json("place.latitude", value)


CANARY = "Kanarienvogel"


def test_fields_and_rules_are_named_and_values_and_unknown_names_are_not() -> None:
    with pytest.raises(ValidationError) as found:
        ProvidePersonalData.model_validate_json(
            f'{{"case_id": "{CANARY}!", "identity": {{"surname": "V", "{CANARY}": "{CANARY}"}}}}'
        )
    said = dict(wrong_fields(found.value))
    assert {"case_id", "by", "identity.(unknown field)"} <= set(said)
    assert CANARY not in str(said)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"type": "json_invalid", "msg": f"near {CANARY}"}, ("(body)", "is not JSON")),
        ({"type": "extra_forbidden", "msg": "no"}, ("(unknown field)", "no")),
        ({"type": "union_tag_invalid", "msg": CANARY}, ("(body)", "is not allowed here")),
    ],
)
def test_messages_that_repeat_what_was_sent_are_replaced(
    error: dict[str, str], said: tuple[str, str]
) -> None:
    assert wrong_field(error, (), "(body)") == said


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
