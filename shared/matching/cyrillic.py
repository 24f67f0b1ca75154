"""The keys of a Cyrillic word: one for each way to hear it, nearly always one.

A key is in plain Cyrillic letters. Letters that Russian, Ukrainian and Belarusian use for one
sound become one: е for е, ё, є and э; и for и, і, ї, ы and й; иа and иу for я and ю.
"""

import re
import unicodedata

CONSONANTS = "бвгджзклмнпрстфхцчшщ"
_OTHER_LETTERS = str.maketrans(
    {
        **{"ў": "в", "ґ": "г", "ә": "а", "ө": "о", "ү": "у", "ұ": "у", "җ": "дж", "ң": "н"},
        **{"һ": "х", "қ": "к", "ғ": "г", "ҳ": "х", "ҷ": "дж", "ӯ": "у", "ӣ": "и", "ј": "й"},
        **{"љ": "ль", "њ": "нь", "ћ": "ч", "ђ": "дж", "џ": "дж", "ӑ": "а", "ӗ": "е", "ѣ": "е"},
    }
)
_AFTER = f"(?<=[{CONSONANTS}])"
# The soft sign is read before it is dropped: ьо is ё, and ьё, ьйо, 'є are ие.
_SOFT_O = re.compile(f"{_AFTER}ьо")
_PARTED = re.compile(f"{_AFTER}(?:[ьъ']*йо|[ьъ']+[еёєэ]|й[еє])")
_JOTTED_O = re.compile("йо")
_ONE_LETTER = str.maketrans(
    {
        **{"я": "иа", "ю": "иу", "ё": "е", "є": "е", "э": "е"},
        **{"і": "и", "ї": "и", "ы": "и", "й": "и", "ь": "", "ъ": "", "'": ""},
    }
)
_SIBILANTS = re.compile("т[сц]|дц")
_SHCH = re.compile("[сзшж]ч")
_DOUBLED = re.compile(rf"([{CONSONANTS}аиоу])\1+")


def keys_of_cyrillic(word: str) -> list[str]:
    """The word is in lower-case Cyrillic."""
    plain = "".join(one for one in word if not unicodedata.combining(one))
    word = _SOFT_O.sub("е", plain.translate(_OTHER_LETTERS))
    word = _PARTED.sub("ие", word)
    heard = [word]
    if _JOTTED_O.search(word):
        heard = [_JOTTED_O.sub("ио", word), _JOTTED_O.sub("е", word)]
    return [in_one_spelling(one.translate(_ONE_LETTER)) for one in heard]


def in_one_spelling(key: str) -> str:
    """A key in which тс is ц, сч is щ, and no letter but е is doubled."""
    return _DOUBLED.sub(r"\1", _SIBILANTS.sub("ц", _SHCH.sub("щ", key.replace("тч", "ч"))))
