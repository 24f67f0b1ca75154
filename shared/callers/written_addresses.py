"""A number or an account as people write it: with a label, an owner, quotes, look-alikes."""

import re

_AROUND = "=\"' "
_IN_BRACKETS = re.compile(r"[\[{(<]([^\[\](){}<>]+)[\])}>]")
SENTENCE_END = ".,;:!? "
"""What is copied along with an address out of a sentence."""
_LABEL = re.compile(
    r"^(?:(?:мой|моя|мій|my|мобильный|мобільний|мобильн|моб|контактный|домашний|дом|рабочий|раб"
    r"|mobile|mob|home|work|cell|phone|tel|telephone|number|телефон|телефону|тел|номер|сотовый"
    r"|сот|нумар|р\.\s?т|д\.\s?т|м|т|тэл|whatsapp|viber|signal|p)(?:[.:№\s-]+))++(?=[+(0-9])"
)
"""What announces a number; any other word may name the owner of the extension or desk. A label has
only one parse: with two, an endless `м.т.` would block the process."""
_OWNER = re.compile(
    r"(?P<number>\+[0-9][0-9 ().-]{8,})[\s,;:/-]+[^\W\d_]+(?:[ .-][^\W\d_]+){0,2}\.?"
)
"""The owner's name, after a number with a country code."""
_FLOAT = re.compile(r"(\+?[0-9]{7,15})[.,]0")
"""A number that went through a spreadsheet."""
_ALIKE = str.maketrans("oоοзlіi|", "00031111")
"""Letters typed for digits, or misread from a picture."""
_NEARLY_DIGITS = re.compile(r"(?:\+[зoо]?[0-9]|[0-9])(?:[-() ]*[0-9oоοзlі|]){8,}")


def bare_number(text: str) -> str:
    """A number without text beside it, and with digits for look-alike letters."""
    text = _LABEL.sub("", uncovered(text).rstrip(SENTENCE_END), count=1)
    if found := _FLOAT.fullmatch(text):
        return found[1]
    if found := _OWNER.fullmatch(text):
        return found["number"]
    return text.translate(_ALIKE) if _NEARLY_DIGITS.fullmatch(text) else text


def uncovered(text: str) -> str:
    """Without quotes or brackets around the whole text."""
    text = text.strip(_AROUND)
    inside = _IN_BRACKETS.fullmatch(text)
    return inside[1].strip(_AROUND) if inside is not None else text
