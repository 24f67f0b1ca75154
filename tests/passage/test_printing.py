"""What verbs print reads as English: one case, two cases."""

from __future__ import annotations

import re

import pytest

from passage.printing import counted
from tests.architecture.sources import ROOT

NOUNS = "access|call|case|checkpoint|event|message|record|row|shift|story|stories"
ALWAYS_MORE = re.compile(rf"\{{[^{{}}]+\}} (?:\w+ )?(?:{NOUNS})(?:e?s)?\b(?! of )")
"""A number and a noun side by side in an f-string."""


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("case",), "0 cases"),
        (1, ("case",), "1 case"),
        (2, ("case",), "2 cases"),
        (1, ("access", "accesses"), "1 access"),
        (3, ("access", "accesses"), "3 accesses"),
        (1, ("story", "stories"), "1 story"),
    ],
)
def test_a_number_has_its_noun(count: int, words: tuple[str, ...], said: str) -> None:
    assert counted(count, *words) == said


def test_no_verb_prints_a_number_with_a_noun_of_its_own() -> None:
    found = [
        f"{path.name}: {match.group(0)}"
        for path in sorted((ROOT / "passage").glob("*.py"))
        for match in ALWAYS_MORE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
