"""What a registry answers about a statement, given the men who may be meant.

A match is the number, the surname, and a first name or the birth date, with no conflict. One
conflict is a slip until a person has looked. `registry_checks` says when it is a contradiction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.events.verification import RegistryOutcome
from shared.matching import STATED_FIELDS, Stated, StatedField, compare

WEIGHTS: dict[StatedField, int] = {
    "service_number": 40,
    "surname": 20,
    "date_of_birth": 20,
    "first_names": 10,
    "patronymic": 10,
    "unit": 5,
}
BESIDE_NUMBER = frozenset({"surname", "first_names", "patronymic", "date_of_birth"})
CONFLICTS_MAX = 1
"""How many fields may conflict for a man found without his number."""


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    outcome: RegistryOutcome
    score: int = 0
    agreeing: tuple[StatedField, ...] = ()
    conflicting: tuple[StatedField, ...] = ()
    number_of_another: bool = False


class Namesakes(NamedTuple):
    men: Sequence[Stated]
    too_many: bool
    """Whether there are more than were compared."""


class _Compared(NamedTuple):
    man: Stated
    agreeing: tuple[StatedField, ...]
    conflicting: tuple[StatedField, ...]

    @property
    def rank(self) -> tuple[int, int]:
        """Higher fits better."""
        return -len(self.conflicting), sum(WEIGHTS[field] for field in self.agreeing)

    @property
    def is_plausible(self) -> bool:
        """Whether a man found by name alone may be the one."""
        agreeing = len(BESIDE_NUMBER.intersection(self.agreeing))
        enough = "surname" in self.agreeing or agreeing > 1
        return enough and len(self.conflicting) <= min(CONFLICTS_MAX, agreeing - 1)

    @property
    def is_certain(self) -> bool:
        agreeing = set(self.agreeing)
        return {"service_number", "surname"} <= agreeing and not self.conflicting and self.is_named

    @property
    def is_named(self) -> bool:
        """Many men share a surname alone."""
        return "surname" in self.agreeing and not {"first_names", "date_of_birth"}.isdisjoint(
            self.agreeing
        )


def answer_from(
    stated: Stated, by_number: Sequence[Stated], by_name: Callable[[], Namesakes]
) -> RegistryAnswer:
    """A registry's answer, given the men with this number and the men with this name."""
    if by_number:
        best, ties = _best(_compared(stated, by_number))
        if ties:
            return _answer("ambiguous", best)
        if best.is_certain:
            return _answer("match", best)
        another = bool(best.conflicting) and any(
            _fits_better(one) for one in _compared(stated, by_name().men)
        )
        return _answer("partial", best, number_of_another=another)
    namesakes = by_name()
    plausible = [one for one in _compared(stated, namesakes.men) if one.is_plausible]
    if not plausible:
        return RegistryAnswer("none")
    best, ties = _best(plausible)
    return _answer("ambiguous" if ties or namesakes.too_many else "partial", best)


def _fits_better(other: _Compared) -> bool:
    """Another man fits everything that was said except the number."""
    return other.is_named and other.conflicting == ("service_number",)


def _compared(stated: Stated, men: Sequence[Stated]) -> list[_Compared]:
    compared = []
    for man in men:
        verdicts = compare(stated, man)
        agreeing, conflicting = (
            tuple(field for field in STATED_FIELDS if verdicts[field].verdict == verdict)
            for verdict in ("agrees", "conflicts")
        )
        compared.append(_Compared(man, agreeing, conflicting))
    return compared


def _best(compared: Sequence[_Compared]) -> tuple[_Compared, bool]:
    best = max(compared, key=lambda one: one.rank)
    ties = [one for one in compared if one.rank == best.rank and one is not best]
    return best, any(not is_one_man(best.man, one.man) for one in ties)


def is_one_man(one: Stated, other: Stated) -> bool:
    """Whether one man is listed twice: equal in all fields, or in number and name.

    He may have moved to another unit in between.
    """
    if one == other:
        return True
    verdicts = compare(one, other)
    agrees = {field for field, judged in verdicts.items() if judged.verdict == "agrees"}
    conflicts = {field for field, judged in verdicts.items() if judged.verdict == "conflicts"}
    return {"service_number", "surname"} <= agrees and conflicts <= {"unit"}


def _answer(
    outcome: RegistryOutcome, best: _Compared, *, number_of_another: bool = False
) -> RegistryAnswer:
    score = _score(best)
    return RegistryAnswer(outcome, score, best.agreeing, best.conflicting, number_of_another)


def _score(compared: _Compared) -> int:
    """How much of what both sides know agrees, out of 100."""
    agreeing = sum(WEIGHTS[field] for field in compared.agreeing)
    given = agreeing + sum(WEIGHTS[field] for field in compared.conflicting)
    return round(100 * agreeing / given) if given else 0
