"""Invented people by the thousand: names made of syllables, many borne by several.

Nobody here exists. How often a name comes follows the rank of the name, as it does in life.
"""

from datetime import date, timedelta
from itertools import accumulate, product
from random import Random

import anyascii

from shared.events.fields import Identity

BEGINNINGS = (
    "Бо Ва Вел Гор Да Дуб Жу За Зим Ка Ков Кор Лис Луг Мар Мел Мос Не Ор Пав Пет Рад Сав Сол Тар "
    "Хар Че Шев Щер Яр"
)
MIDDLES = "ба ви го де ди за ка ла ли мо на но ра ре ро са та ти ци чу"
ENDINGS = "енко ський чук ов ин ець ко ев уля ак"
FIRST_NAMES = (
    "Олександр Сергій Андрій Микола Дмитро Іван Олексій Володимир Юрій Михайло Віктор Ігор Максим "
    "Євген Роман Олег Василь Павло Анатолій Петро Степан Тарас Богдан Артем Ілля Кирило Денис "
    "Александр Сергей Андрей Николай Дмитрий Алексей Владимир Юрий Михаил Евгений Антон Никита"
)
PATRONYMICS = (
    "Олександрович Сергійович Миколайович Іванович Петрович Володимирович Юрійович Михайлович "
    "Александрович Сергеевич Николаевич Алексеевич Владимирович Юрьевич Васильевич Дмитриевич"
)
FIRST_BIRTHDAY, LAST_BIRTHDAY = date(1965, 1, 1), date(2006, 12, 31)
LATIN_SHARE, UNKNOWN_BIRTH_SHARE, UNKNOWN_NUMBER_SHARE = 0.15, 0.1, 0.3


def _shares(names: list[str]) -> list[float]:
    """Cumulative weights: the first names of the list are the most frequent."""
    return list(accumulate(1 / (rank + 5) for rank in range(len(names))))


FIRST = FIRST_NAMES.split()
FIRST_SHARES = _shares(FIRST)


class People:
    """One invented man after the other; the same again for the same seed."""

    def __init__(self, seed: int = 4) -> None:
        self._chance = Random(seed)  # noqa: S311 - nothing is secret here
        syllables = (BEGINNINGS.split(), MIDDLES.split(), ENDINGS.split())
        self._surnames = ["".join(parts) for parts in product(*syllables)]
        self._chance.shuffle(self._surnames)
        self._surname_shares = _shares(self._surnames)

    def next(self, number: int) -> Identity:
        chance = self._chance
        names = [
            chance.choices(self._surnames, cum_weights=self._surname_shares)[0],
            chance.choices(FIRST, cum_weights=FIRST_SHARES)[0],
            chance.choice(PATRONYMICS.split()),
        ]
        if chance.random() < LATIN_SHARE:
            names = [anyascii.anyascii(one) for one in names]
        days = chance.randrange((LAST_BIRTHDAY - FIRST_BIRTHDAY).days)
        born = FIRST_BIRTHDAY + timedelta(days=days)
        return Identity(
            surname=names[0],
            first_names=names[1],
            patronymic=names[2],
            date_of_birth=born.isoformat() if chance.random() >= UNKNOWN_BIRTH_SHARE else None,
            service_number=(
                f"АВ-{number:06d}" if chance.random() >= UNKNOWN_NUMBER_SHARE else None
            ),
        )

    def misspelled(self, name: str) -> str:
        """A name as somebody hears it: in the other alphabet, or with two letters swapped."""
        if self._chance.random() < 0.5:
            return anyascii.anyascii(name)
        place = self._chance.randrange(1, len(name) - 1)
        return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
