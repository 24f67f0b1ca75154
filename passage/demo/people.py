"""Invented people: the sample registry's, and variations on what they say of themselves."""

import csv
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from anyascii import anyascii

SAMPLE = Path(__file__).parent / "sample" / "registry.csv"
LATIN_LOOKALIKES = str.maketrans("АВЕКМНОРСТХ", "ABEKMHOPCTX")


@dataclass(frozen=True)
class Person:
    """Who somebody says he is; `None` is what he doesn't say."""

    surname: str
    first_names: str
    patronymic: str
    rank: str | None
    date_of_birth: date
    service_number: str | None
    unit: str | None
    whole_date: bool = True

    def as_identity(self) -> dict[str, Any]:
        """The field `identity` of ProvidePersonalData."""
        born = self.date_of_birth.isoformat()
        said = {**asdict(self), "date_of_birth": born if self.whole_date else born[:4]}
        del said["unit"], said["whole_date"]
        return {name: value for name, value in said.items() if value is not None}

    def without_number(self) -> "Person":
        """He doesn't know his number; the Convention allows that."""
        return replace(self, service_number=None)

    def in_latin(self) -> "Person":
        """He types his number with Latin letters that look like Cyrillic ones."""
        number = (self.service_number or "").translate(LATIN_LOOKALIKES)
        return replace(self, service_number=number)

    def spelled_in_latin(self) -> "Person":
        """He spells his name as in a passport for travel abroad."""
        surname, first_names, patronymic = (
            anyascii(name).replace("'", "")
            for name in (self.surname, self.first_names, self.patronymic)
        )
        return replace(self, surname=surname, first_names=first_names, patronymic=patronymic)

    def born_another_day(self) -> "Person":
        return replace(self, date_of_birth=self.date_of_birth + timedelta(days=400))

    def another_mans(self) -> "Person":
        """The right number with another man's first name and date of birth: contradicted."""
        other = "Олег" if self.first_names != "Олег" else "Юрий"
        return replace(self.born_another_day(), first_names=other)

    def born_some_day(self) -> "Person":
        """He gives only the year of his birth."""
        return replace(self, whole_date=False)

    def unknown(self) -> "Person":
        """Born earlier than anybody in the sample."""
        born = date(1950, 1, 1)
        surname, number = "Никтошенко", "ЯЯ-999999"
        return replace(self, surname=surname, service_number=number, date_of_birth=born)


@cache
def people() -> tuple[Person, ...]:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return tuple(map(_person, csv.DictReader(file)))


def _person(row: dict[str, Any]) -> Person:
    return Person(**{**row, "date_of_birth": date.fromisoformat(row["date_of_birth"])})
