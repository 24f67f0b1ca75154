"""Folds what people write so that spellings of the same thing compare equal.

Service numbers: Cyrillic and Latin look-alikes. Names: letters that Ukrainian and Russian write
differently, apostrophes, and transliteration to Latin. What folds to nothing says nothing: it
counts as absent.
"""

from __future__ import annotations

import anyascii

_LOOKALIKES = str.maketrans("АВЕЁКМНОРСТУХІЇЈЅ", "ABEEKMHOPCTYXIIJS")
_LETTERS = str.maketrans({"ё": "е", "і": "и", "ї": "и", "ґ": "г", "є": "е", "э": "е", "ы": "и"})
_DROPPED = str.maketrans("", "", "'’ʼ`ьъ")


def folded_number(number: str) -> str:
    """Gives a service number in one alphabet: `АБ-000123` and its Latin look-alike meet.

    What has no digit is no number (`-`, `б/н`, `n/a`) and folds to nothing.
    """
    if not any(c.isdigit() for c in number):
        return ""
    return "".join(c for c in number.upper() if c.isalnum()).translate(_LOOKALIKES)


def folded_name(name: str) -> str:
    """Gives a name in lower-case Latin: `Олексій` and `Алексей` come close, spellings meet."""
    lowered = name.casefold().translate(_LETTERS).translate(_DROPPED)
    latin = anyascii.anyascii(lowered).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in latin).split())
