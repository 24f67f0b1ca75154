"""Two people by spelling: what is drawn or read alike is one person, what differs is two."""

from __future__ import annotations

import unicodedata

import pytest

from passage.integrity.verify.rules.trail import same_person, two_people
from services.intake.claim_state import Claim
from shared.log.fencing import Fencing
from shared.refusals import Supervisors, is_another_person

ANDRIY = "Андрій"

ONE = [
    ("olena", "оленa"),
    ("olena", "oленa"),
    ("Юрій", "yuriy"),
    ("Юлія", "Yulia"),
    ("Дмитро", "dmytro"),
    ("olena", "оlena"),  # Cyrillic о
    ("olena", "οlena"),  # Greek omicron
    ("olena", "ｏｌｅｎａ"),
    ("olena", "𝐨𝐥𝐞𝐧𝐚"),
    ("olena", "OLENA "),
    ("olena", "ole\u200bna"),
    ("olena", "ole\u00adna"),
    ("olena", "ole\u2066na"),
    ("olena", "0lena"),
    ("olena", "Olena\u0301"),
    ("olena", "Олена"),
    ("olena.k", "Olena\u00a0K"),
    ("Petro", "Рetro"),
    ("HATA", "НАТА"),
    ("IVAN", "ΙVΑΝ"),
    ("María", "Maria"),
    ("Ольга", "Olga"),
    ("Рetro", "Петро"),
    ("olena", "०lena"),
    ("Maria", "rnaria"),
    ("Olena Петренко", "Олена Petrenko"),
    ("olena_k", "Olena K."),
    ("Андрій2", "Andrii 2"),
    (unicodedata.normalize("NFC", ANDRIY), unicodedata.normalize("NFD", ANDRIY)),
]
TWO = [
    ("olena", "petro"),
    ("Vera", "Nera"),
    ("operator-1", "operator-2"),
    ("Андрій", "Андрей"),
    ("Olena K", "Olena M"),
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_a_name_spelled_otherwise_is_no_second_person(one: str, other: str) -> None:
    assert not is_another_person(one, other)
    assert not is_another_person(other, one)
    assert same_person(one, other)
    assert not two_people(one, other)


@pytest.mark.parametrize(("one", "other"), TWO)
def test_another_name_is_a_second_person(one: str, other: str) -> None:
    assert is_another_person(one, other)
    assert two_people(one, other)


def test_nobody_is_no_second_person() -> None:
    assert not is_another_person("olena", None)


def test_a_claim_and_what_was_taken_over_are_his_in_every_spelling() -> None:
    assert Claim(1, "olena").is_held_by("оlena")
    assert not Fencing(2, "petro", ("olena",)).lets("оlena", None)


def test_a_supervisor_is_one_in_every_spelling() -> None:
    named = Supervisors((ANDRIY,))
    assert named.include(unicodedata.normalize("NFD", ANDRIY))
    assert named.let(unicodedata.normalize("NFD", ANDRIY.upper()))
    assert not named.let("petro")


def test_with_no_supervisor_named_anybody_may_what_is_left_to_them_and_is_none() -> None:
    assert Supervisors().let("petro")
    assert not Supervisors().include("petro")
