"""What finds a man among many by his name: keys, and signs.

Any two statements that `compare` may match share a key of the surname, or of the given names. All
spellings of one name share its signs: keys (what a word is heard as), and letters that stand for
lines of the table of given names. Сашко and Alexander share one.
"""

from collections.abc import Iterable

from shared.matching.given_names import given_names
from shared.matching.parts import HYPHENS, halves, partings, words_of
from shared.matching.patronymics import patronymic_of
from shared.matching.readings import readings
from shared.matching.surnames import surname
from shared.matching.verdicts import NameField, Stated

Signs = frozenset[str]

FIRST_GIVEN_NAME, FIRST_FATHER = 0xE000, 0xF0000
"""Private-use code points: no key has such a letter, and none is similar to another."""


def surname_keys(stated: Stated) -> frozenset[str]:
    """The keys of every half of the surname, however the fields were joined."""
    keys: set[str] = set()
    for parting in partings(stated.name):
        for word in parting.surname:
            for half in (word, *HYPHENS.split(word)):
                keys.update(surname(half).keys)
    return frozenset(keys)


def given_keys(stated: Stated) -> frozenset[str]:
    """One word for each given name that may be meant, whichever of its forms was said."""
    table = given_names()
    keys: set[str] = set()
    for parting in partings(stated.name):
        for word in parting.first_names:
            heard = readings(word)
            lines = table.any(heard)
            keys.update(table.names[line].forms[0] for line in lines)
            if not lines:
                keys.update(heard)
    return frozenset(keys)


def is_key(sign: str) -> bool:
    """Whether a sign is a key, which may be misheard."""
    return len(sign) > 1


def signs_of(one: Stated) -> dict[NameField, Signs]:
    """The signs of each name field; fields that say nothing are left out."""
    found: dict[NameField, Signs] = {
        "surname": _united(_of_surname(word) for word in _halves(one.surname)),
        "first_names": _united(_of_first_name(word) for word in _halves(one.first_names)),
        "patronymic": _united(_of_patronymic(word) for word in words_of(one.patronymic)),
    }
    return {field: signs for field, signs in found.items() if signs}


def signs_sought(name: str) -> list[Signs]:
    """The signs of each word of a searched name, whichever field it belongs to."""
    return [
        _of_surname(word) | _of_first_name(word) | _of_patronymic(word) for word in _halves(name)
    ]


def _of_surname(word: str) -> Signs:
    return readings(word) | surname(word).keys


def _of_first_name(word: str) -> Signs:
    keys = readings(word)
    return keys | {chr(FIRST_GIVEN_NAME + line) for line in given_names().any(keys)}


def _of_patronymic(word: str) -> Signs:
    found = patronymic_of(word)
    if found.gender is None:
        return readings(word)
    fathers = {chr(FIRST_FATHER + line) for line in given_names().fathers(found.fathers)}
    return readings(word) | fathers


def _united(several: Iterable[Signs]) -> Signs:
    return frozenset().union(*several)


def _halves(text: str | None) -> list[str]:
    return halves(words_of(text))
