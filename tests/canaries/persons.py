"""Canary persons: invented, each with values of his own that nothing else can hold by chance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

SEED = 4711
CYRILLIC = "ва зо ри ку ме ло ни пе са ту фи ха це шо гу"
LATIN = "va zo ri ku me lo ni pe sa tu fi kha tse sho gu"


@dataclass(frozen=True)
class Canary:
    """One invented person, as he is looked for; each value is his alone."""

    surname: str
    first_names: str
    phone: str
    service_number: str
    place: str

    def values(self) -> Iterator[str]:
        """Each value as it would be written, and the telephone number in bare digits."""
        yield from (self.surname, self.first_names, self.service_number, self.place)
        yield self.phone.lstrip("+@")


def canaries(count: int, seed: int = SEED) -> list[Canary]:
    """Gives so many persons, half of them in Cyrillic and half in Latin letters."""
    chance = random.Random(seed)  # noqa: S311 - invented people, not secrets
    numbers = chance.sample(range(10**8, 10**9), count)
    return [_canary(chance, number, cyrillic=i % 2 == 0) for i, number in enumerate(numbers)]


def _canary(chance: random.Random, number: int, *, cyrillic: bool) -> Canary:
    syllables = (CYRILLIC if cyrillic else LATIN).split()

    def word(length: int) -> str:
        return "".join(chance.choice(syllables) for _ in range(length)).capitalize()

    end, village, letters = ("енко", "Хутор", "ЖЯ") if cyrillic else ("enko", "Farm", "QX")
    return Canary(
        surname=word(6) + end,
        first_names=f"{word(5)} {word(4)}",
        phone=f"+38{chance.randrange(10)}{number}",
        service_number=f"{letters}-{number}",
        place=f"{village} {word(7)}, {word(4)} {number % 997}",
    )
