"""Case numbers as people type them: Crockford's base32, on any keyboard.

Accepts lower case, full width, spaces and dashes, О for 0, Cyrillic and Greek letters that look
like Latin ones, and a number typed on a keyboard set to Cyrillic.
"""

import re
import unicodedata
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.events.fields import HEAD_COUNT_MAX_PERSONS, Id
from shared.events.people import OF_DECISIONS, OF_PEOPLE, DecisionId, PersonId
from shared.events.shifts import OF_EXPORTS, OF_SHIFTS, ExportId, ShiftId

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHARACTERS = 12
DESK = (OF_SHIFTS, OF_EXPORTS, OF_PEOPLE, OF_DECISIONS)
LONGEST = 200
"""A longer text isn't a number with something beside it."""
_WRITTEN = re.compile(f"[{ALPHABET}]{{{CHARACTERS}}}")
"""As we write it ourselves; most come so, from a page or another program."""
_PARTS = re.compile(r"[\s/:#№?&=()\[\],;<>\"]+")

_CONFUSED = str.maketrans("OILU", "011V")
"""Letters that no case number has, because they are mistaken for these."""
_LIKE = str.maketrans("АВЕКМНОРСТУХІЈЅЗԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧЁ", "ABEKMH0PCTYX1JS3QWABEZH1KMN0PTYXE")
"""Cyrillic, then Greek letters that look like Latin ones or digits."""
_KEYS = str.maketrans("ЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬІ", "QWERTYUIOPASDFGHJKLZXCVBNMS")
"""A Cyrillic layout's keys, by the Latin letters they share."""
_ON_KEYS_ALONE = frozenset("ЙЦГШЩФЫПЛДЯЧИЬ")
"""Cyrillic letters that look like none of a number: the keyboard was set to Cyrillic."""


def typed_case_number(typed: str) -> str:
    """The case number that somebody typed; anything else is returned unchanged.

    A text that begins like the number of one of desk's logs counts as one, in any case.
    """
    for beginning in DESK:
        if typed.upper().startswith(beginning):
            return beginning + typed[len(beginning) :]
    return case_number_in(typed) or typed


def case_number_in(typed: str) -> str | None:
    """The typed case number, if there is one: alone, in a link, or after a word."""
    if _WRITTEN.fullmatch(typed):
        return typed
    if typed.upper().startswith(DESK):
        return None
    whole = _number(typed)
    if whole is not None or len(typed) > LONGEST:
        return whole
    parts = {_number(part) for part in _PARTS.split(typed)} - {None}
    return parts.pop() if len(parts) == 1 else None


def _number(typed: str) -> str | None:
    signs = unicodedata.normalize("NFKC", typed.replace("№", "")).upper()
    plain = "".join(str(unicodedata.digit(one, one)) for one in signs if one.isalnum())
    table = _KEYS if _ON_KEYS_ALONE.intersection(plain) else _LIKE
    number = plain.translate(table).translate(_CONFUSED)
    return number if len(number) == CHARACTERS and set(number) <= set(ALPHABET) else None


def _typed(value: object) -> object:
    return typed_case_number(value) if isinstance(value, str) else value


CaseNumber = Annotated[Id, BeforeValidator(_typed)]
"""A case number wherever people enter one."""
CaseNumbers = Annotated[tuple[CaseNumber, ...], Field(max_length=HEAD_COUNT_MAX_PERSONS)]
"""Those of men who travel together."""
ShiftNumber = Annotated[ShiftId, BeforeValidator(_typed)]
ExportNumber = Annotated[ExportId, BeforeValidator(_typed)]
PersonNumber = Annotated[PersonId, BeforeValidator(_typed)]
DecisionNumber = Annotated[DecisionId, BeforeValidator(_typed)]
