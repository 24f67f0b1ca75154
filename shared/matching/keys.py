"""The keys that find a man among many: any two that `compare` may match share one."""

from __future__ import annotations

import re

from shared.matching.given_names import given_names
from shared.matching.parts import partings
from shared.matching.readings import readings
from shared.matching.surnames import surname
from shared.matching.verdicts import Stated

_HYPHENS = re.compile("[-‐‑‒–—―−]+")


def surname_keys(stated: Stated) -> frozenset[str]:
    """The keys of every half of the surname, however the fields were joined."""
    keys: set[str] = set()
    for parting in partings(_names(stated)):
        for word in parting.surname:
            for half in (word, *_HYPHENS.split(word)):
                keys.update(surname(half).keys)
    return frozenset(keys)


def given_keys(stated: Stated) -> frozenset[str]:
    """One word for each given name that may be meant, whichever of its forms was said."""
    table = given_names()
    keys: set[str] = set()
    for parting in partings(_names(stated)):
        for word in parting.first_names:
            heard = readings(word)
            lines = table.any(heard)
            keys.update(table.names[line].forms[0] for line in lines)
            if not lines:
                keys.update(heard)
    return frozenset(keys)


def _names(stated: Stated) -> Stated:
    return Stated(stated.surname, stated.first_names, stated.patronymic)
