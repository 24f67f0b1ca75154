"""The subject grammar, without a server."""

from uuid import UUID

import pytest
from eventsourcing.persistence import ProgrammingError
from hypothesis import given
from hypothesis.strategies import integers, text

from shared.jetstream.subjects import EventAddress, Subjects, from_token, to_token

CASES = Subjects("cases")
CASE_ID = UUID("00000000-0000-4000-8000-000000000001")


def test_a_plain_type_name_stays_itself() -> None:
    subject = CASES.event(CASE_ID, 7, "CaseOpened")
    assert subject == "cases.00000000-0000-4000-8000-000000000001.7.CaseOpened"
    assert CASES.version_filter(CASE_ID, 7) == "cases.00000000-0000-4000-8000-000000000001.7.*"


def test_the_guard_does_not_depend_on_how_an_id_is_given() -> None:
    assert CASES.version_filter(CASE_ID, 1) == CASES.version_filter(str(CASE_ID), 1)


@given(text(min_size=1))
def test_any_text_is_one_token_and_back(name: str) -> None:
    name = name.encode("utf-8", "ignore").decode() or "x"
    token = to_token(name)
    assert from_token(token) == name
    assert not set(token) & set(". *>\t\r\n")


@given(text("abc.:*> /", min_size=1), integers(0, 10**9), text("Xy.:", min_size=1))
def test_a_subject_is_read_as_it_was_built(name: str, version: int, topic: str) -> None:
    assert CASES.read(CASES.event(name, version, topic)) == EventAddress(name, version, topic)


def test_a_position_is_no_event() -> None:
    assert CASES.read(CASES.tracking("intake")) is None


@pytest.mark.parametrize("prefix", ["", "cases.", "cases.>", "a b", "*"])
def test_a_prefix_is_plain_tokens(prefix: str) -> None:
    with pytest.raises(ProgrammingError):
        Subjects(prefix)


def test_empty_names_and_negative_versions_are_refused() -> None:
    with pytest.raises(ProgrammingError):
        to_token("")
    with pytest.raises(ProgrammingError):
        CASES.event(CASE_ID, -1, "CaseOpened")
