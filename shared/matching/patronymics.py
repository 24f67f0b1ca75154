"""Patronymics, compared by the father: whose son or daughter somebody is said to be."""

import re
from functools import lru_cache
from typing import NamedTuple

from shared.matching.given_names import Gender, given_names
from shared.matching.readings import KEPT, Keys, readings
from shared.matching.verdicts import Judged

_FOREIGN_ICH = re.compile(
    r"(?<=[iyȳ])(?:tsch|t?ch|cz|tš|tsj|sj|tj|cs|čs|č|ć|c|ts|š)$", re.IGNORECASE
)
_JOINED_SON = "оглы оглу огли угли ogly oglu oghlu oghly oğlu ogli oglı ugli"
_SON_APART = f"{_JOINED_SON} улы улу уулу ұлы ўғли уғли uly ulu uulu ulı o'g'li og'li o'gli"
_JOINED_DAUGHTER = "кызы кизи гызы гизи қызы kyzy kizi gyzy gizi qızı qizi kızı qyzy"
_DAUGHTER_APART = f"{_JOINED_DAUGHTER} кыз киз қизи қиз qiz kyz"
_OBLIQUE_SON = re.compile("(?<=ич)(?:а|у|е|ем|ом|ам|иа|иу)$")
_OBLIQUE_DAUGHTER = re.compile("(?<=[вч]н)(?:е|у|ы|и|ои|оиу|ои)$")
_SON = re.compile("^(.{2,}?)(ович|евич|ивич|ич)$|^(.+[ауеои])(ч)$")
_DAUGHTER = re.compile("^(.{2,}?)(овна|евна|ивна|инична|ична)$")
_SPOKEN = {
    **{"санич": "александр", "алексанич": "александр", "палич": "павел", "михалич": "михаил"},
    **{"лвович": "лев", "лвовна": "лев", "иаковлевич": "иаков", "иаковлевна": "иаков"},
    **{"иакович": "иаков", "иакивна": "иаков", "иаковна": "иаков", "иаковлич": "иаков"},
    **{"лович": "лев", "левович": "лев", "сергич": "сергеи"},
}
"""Patronymics that the rule can't resolve, with the father's name."""


def _child(joined: str, apart: str) -> re.Pattern[str]:
    alone, at_the_end = "|".join(apart.split()), "|".join(joined.split())
    return re.compile(rf"^(.*?)(?:(?:^|[\W_]+)(?:{alone})|(?:{at_the_end}))$", re.IGNORECASE)


_CHILDREN: tuple[tuple[re.Pattern[str], Gender], ...] = (
    (_child(_JOINED_SON, _SON_APART), "man"),
    (_child(_JOINED_DAUGHTER, _DAUGHTER_APART), "woman"),
)
_FORMS: tuple[tuple[re.Pattern[str], Gender], ...] = ((_SON, "man"), (_DAUGHTER, "woman"))


class Patronymic(NamedTuple):
    said: str
    fathers: Keys
    """The possible keys of the father's name; without a patronymic's form, the word itself."""
    gender: Gender | None
    """None: a bare name."""
    inflected: bool = False


@lru_cache(maxsize=KEPT)
def patronymic_of(text: str) -> Patronymic:
    """What a patronymic of one word, or two with `oglu`, says about the father."""
    for pattern, gender in _CHILDREN:
        if (found := pattern.match(text)) and found[1]:
            return Patronymic(text, readings(found[1]), gender)
    keys = readings(text) | readings(_FOREIGN_ICH.sub("ch", text))
    for inflected, some in ((False, keys), (True, _nominative(keys))):
        for pattern, gender in _FORMS:
            fathers = frozenset(one for key in some for one in _fathers(pattern, key))
            if fathers and not given_names().fathers(fathers):
                fathers = _with_other_endings(fathers)
            if fathers:
                return Patronymic(text, fathers, gender, inflected)
    return Patronymic(text, keys, None)


def has_form(text: str) -> bool:
    """Whether a word has a patronymic's form; many surnames have it too."""
    return patronymic_of(text).gender is not None


def looks_like(text: str) -> bool:
    """Whether a word has a patronymic's form, and its father's name is known."""
    found = patronymic_of(text)
    return found.gender is not None and bool(given_names().fathers(found.fathers))


def is_child_of(word: str) -> bool:
    """Whether a word is `oglu` or `kyzy` alone."""
    return any((found := pattern.match(word)) and not found[1] for pattern, _ in _CHILDREN)


def judged_patronymics(one: Patronymic, other: Patronymic) -> Judged:
    """Agrees if the father is the same, conflicts if father or gender differs."""
    both = f"{one.said}, {other.said}"
    if one.gender is None or other.gender is None:
        if one.said.casefold() == other.said.casefold():
            return Judged("agrees", f"{one.said} = {other.said}")
        return Judged("says_nothing", f"{both}: a father's name alone says too little")
    if one.gender != other.gender:
        return Judged("conflicts", f"{both}: one is a man's, the other a woman's")
    table = given_names()
    fathers, others = table.fathers(one.fathers), table.fathers(other.fathers)
    same = bool(fathers & others or one.fathers & other.fathers)
    if same and one.inflected == other.inflected:
        return Judged("agrees", f"{one.said} = {other.said}, same father")
    if same:
        return Judged("says_nothing", f"{both}: the same father in another grammatical case")
    if not fathers or not others:
        return Judged("says_nothing", f"{both}: a father's name is not in the table")
    if table.often_one(fathers, others):
        return Judged("says_nothing", f"{both}: fathers' names that are often one man's")
    return Judged("conflicts", f"{both}: another father")


def _fathers(pattern: re.Pattern[str], key: str) -> list[str]:
    """The keys of the names from which a patronymic with this key may be made."""
    found = pattern.match(key)
    if found is None:
        return []
    if key in _SPOKEN:
        return [_SPOKEN[key]]
    stem, ending = (found[1], found[2]) if found[1] else (found[3], found[4])
    hard = [stem, f"{stem}о", f"{stem}а"]
    if ending.startswith("о"):
        return hard
    soft = [stem, f"{stem}и", f"{stem}иа"]
    return soft if ending.startswith("е") else [*hard, *soft, f"{stem}еи"]


def _with_other_endings(fathers: Keys) -> Keys:
    """Ukrainian -ій is Russian -ей or -ий, and neither is always written."""
    short = {key.removesuffix("и").removesuffix("е") for key in fathers if key.endswith("и")}
    return fathers | short | {f"{key}еи" for key in short}


def _nominative(keys: Keys) -> frozenset[str]:
    bases = set()
    for key in keys:
        bases |= {_OBLIQUE_SON.sub("", key), _OBLIQUE_DAUGHTER.sub("а", key)}
    return frozenset(bases - keys)
