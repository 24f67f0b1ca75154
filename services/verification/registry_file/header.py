"""Header lines: column headings in Russian, Ukrainian and English."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.verification.registry_file.problems import Problems
from shared.events.verification import IdentityField

Column = IdentityField | Literal["full_name", "first_and_patronymic"]

_WORDS: dict[Column, str] = {
    "surname": """surname, last name, family name, фамилия, фам, прізвище, прізв, прозвішча,
        lastname, familyname, familiya, familija, prizvyshche""",
    "first_names": """first names, first name, firstname, given name, givenname, given
        names, forename, имя, імя, імʼя, имена, імена, imya, imja""",
    "patronymic": """patronymic, middle name, middle names, fathers name, отчество, отч,
        отчество при наличии, по батькові, побатькові, імя па бацьку, па бацьку, middlename,
        otchestvo, po batkovi""",
    "full_name": """full name, фио, піб, пиб, ф и о, п і б, фамилия имя отчество, фамилия
        имя и отчество, прізвище імя по батькові, прізвище імʼя по батькові, прізвище імя та
        по батькові, прізвище імʼя та по батькові, прізвище та імя, прізвище та імʼя,
        фамилия и имя, фамилия имя, прізвище імя, прізвище імʼя, fio, pib""",
    "first_and_patronymic": """имя отчество, имя и отчество, имя отч, и о, імя по батькові,
        імʼя по батькові, імя та по батькові, імʼя та по батькові, first name and patronymic""",
    "rank": """rank, military rank, звание, воинское звание, военное звание, в звание,
        звання, військове звання, званне, вайсковае званне, в зв, зв""",
    "date_of_birth": """date of birth, birth date, birthdate, birthday, dob, born, дата
        рождения, дата рожд, д р, др, дата народж, дата нар, датанародження, дата
        нараджэння, год нараджэння, число месяц и год рождения, число месяц год рождения,
        день месяц и год рождения, дата и год рождения, dateofbirth, birth year, year of
        birth, день рождения, год рождения, г р, дата народження, д н, дн, рік народження,
        data rozhdeniya, год, рік""",
    "service_number": """service number, service no, serial number, personal number,
        military id, служебный номер, personal no, service №, personal №, personnel number,
        personnel no, servicenumber, serviceno, military number, личный номер, личн номер,
        личн №, личный н, л номер, л н, лн, личный №, л №, номер жетона, жетон, особистий
        номер, особовий номер, особистий №, особовий №, особ номер, особ №, о н, о №,
        асабісты нумар, асабовы нумар, № жетона, табельный номер, lichnyy nomer""",
    "unit": """unit, military unit, часть, воинская часть, войсковая часть, военная часть, в
        ч, вч, номер части, номер в ч, подразделение, частина, військова частина, підрозділ,
        часць, вайсковая часць, militaryunit, № части, № в ч""",
}
_TAILS = frozenset(["военнослужащего", "военнослужащих", "бойца", "солдата", "лица", "особи"])
_NOT_WORDS = re.compile(r"[^\w№ʼ]+|_")
_HYPHENATED = re.compile(r"([а-яёіїєґ])[-\u00ad]\s*\n\s*([а-яёіїєґ])")
_TO_CYRILLIC = str.maketrans("aeopcyxi", "аеорсухі")
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘`´′", "ʼ"))
NAMES: tuple[Column, ...] = ("surname", "full_name")
ROWS_BEFORE_MAX = 10
"""How many rows to search for the header: a title or a date may come first."""


class Header(NamedTuple):
    """Column position, counted from 0 -> its meaning."""

    columns: dict[int, Column]
    width: int

    @property
    def fields(self) -> tuple[Column, ...]:
        return tuple(self.columns.values())


def column_of(text: str, *, alone: bool = False) -> Column | None:
    """What a heading means; `alone`: no other column holds a surname."""
    plain = _plain(text)
    if plain in {"name", "имя и фамилия", "имя фамилия"}:
        return "full_name" if alone or plain != "name" else "first_names"
    return _MEANINGS.get(plain)


def header_of(cells: Sequence[str]) -> Header:
    alone = not any(column_of(cell) in NAMES for cell in cells)
    known = {place: column_of(cell, alone=alone) for place, cell in enumerate(cells)}
    width = max((place + 1 for place, cell in enumerate(cells) if cell.strip()), default=0)
    return Header({place: one for place, one in known.items() if one is not None}, width)


def check(header: Header, line: int, problems: Problems) -> None:
    if not set(header.fields) & set(NAMES):
        problems.add(
            line, "", "no column for the surname: call it surname, фамилия, прізвище or ФИО"
        )
    if not {"service_number", "date_of_birth"} & set(header.fields):
        problems.add(
            line,
            "",
            "no column for service_number (личный номер, особистий номер) nor for date_of_birth "
            "(дата рождения, дата народження): one of them is needed",
        )
    for column, count in Counter(map(_meaning, header.fields)).items():
        if count > 1:
            places = ", ".join(
                str(place + 1) for place, one in header.columns.items() if _meaning(one) == column
            )
            problems.add(
                line, column, f"columns {places} hold the same: rename or remove all but one"
            )


def _meaning(column: Column) -> str:
    return "surname" if column == "full_name" else column


def _plain(text: str) -> str:
    whole = unicodedata.normalize("NFKC", _HYPHENATED.sub(r"\1\2", text.partition("(")[0]))
    plain = whole.casefold()
    plain = plain.translate(_APOSTROPHES).replace("ё", "е").replace("no.", "no ")
    if re.search("[а-яіїєґ]", plain):
        plain = plain.translate(_TO_CYRILLIC)
    words = _NOT_WORDS.sub(" ", plain).split()
    while len(words) > 1 and words[-1] in _TAILS:
        words.pop()
    return " ".join(words)


_MEANINGS: dict[str, Column] = {
    _plain(word): column for column, words in _WORDS.items() for word in words.split(",")
}
