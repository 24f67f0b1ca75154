"""Surname, first names and patronymic, and statements that swap them."""

from shared.matching.given_names import first_name, is_of_one_gender, judged_first_names
from shared.matching.parts import Parting, Words, halves, partings, words_of
from shared.matching.patronymics import judged_patronymics, patronymic_of
from shared.matching.readings import readings
from shared.matching.surnames import Otherwise, judged_surnames, surname
from shared.matching.verdicts import NOT_GIVEN, Judged, Stated, Verdict

NameVerdicts = tuple[Judged, Judged, Judged]

_WORTH: dict[Verdict, int] = {"agrees": 2, "says_nothing": 0, "conflicts": -3}


def judged_names(one: Stated, other: Stated) -> NameVerdicts:
    """The verdicts on surname, first names and patronymic.

    Joined fields are split as the two statements fit best.
    """
    compared = [
        _judged(mine, theirs) for mine in partings(one.name) for theirs in partings(other.name)
    ]
    return max(compared, key=_worth)


def _worth(three: NameVerdicts) -> tuple[int, ...]:
    each = [_WORTH[judged.verdict] for judged in three]
    return sum(each), *each


def forget() -> None:
    """Drops every cached name; comparing caches them."""
    for cached in (readings, surname, first_name, patronymic_of, words_of, partings):
        cached.cache_clear()


def _judged(one: Parting, other: Parting) -> NameVerdicts:
    inflected = _inflected(one, other)
    mine, theirs = halves(one.surname), halves(other.surname)
    surname = first = patronymic = NOT_GIVEN
    firsts, others = halves(one.first_names), halves(other.first_names)
    if firsts and others:
        first = judged_first_names(firsts, others, inflected=inflected)
    if one.patronymic and other.patronymic:
        patronymic = judged_patronymics(
            patronymic_of(one.patronymic), patronymic_of(other.patronymic)
        )
    if mine and theirs:
        may_be_one = first.verdict == "agrees" and patronymic.verdict != "conflicts"
        of_one_gender = may_be_one and is_of_one_gender(firsts + others)
        surname = judged_surnames(mine, theirs, Otherwise(inflected, of_one_gender))
    if not surname.verdict == first.verdict == "agrees" and _crosswise(one, other):
        hint = Judged("says_nothing", "surname and first name seem to have changed places")
        return hint, hint, patronymic
    return surname, first, patronymic


def _inflected(one: Parting, other: Parting) -> bool:
    """Whether one name is in the nominative and the other in another case."""
    fathers = [patronymic_of(part.patronymic).inflected for part in (one, other)]
    if any(fathers):
        return not all(fathers)
    mine = [first_name(word) for word in one.first_names]
    theirs = [first_name(word) for word in other.first_names]
    return any(
        (not a.names and a.bases & b.names) or (not b.names and b.bases & a.names)
        for a in mine
        for b in theirs
    )


def _crosswise(one: Parting, other: Parting) -> bool:
    return _same(one.surname, other.first_names) and _same(one.first_names, other.surname)


def _same(one: Words, other: Words) -> bool:
    if not one or not other:
        return False
    return (
        judged_surnames(one, other).verdict == "agrees"
        or judged_first_names(one, other, inflected=False).verdict == "agrees"
    )
