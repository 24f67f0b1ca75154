"""What verbs print reads as English, and what people wrote moves no cursor of a terminal."""

import json
import re

import pytest

from passage.printing import counted, out, print_json, print_table
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


HOSTILE = [
    "\x1b[2J\x1b]0;Case closed\x07",
    "\x9b31mred",
    "name\rother",
    "back\x08\x08\x08\x08",
    "\u202eturned\u2066",
    "\x7f\x00",
]
OBEYED = {*"\x1b\x9b\r\x08\u202e\u2066\x7f\x00\x07"}


@pytest.mark.parametrize("said", HOSTILE)
def test_a_terminal_obeys_nothing_that_was_said(
    said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out.print(f"he said {said}")
    print_table("Timeline", ("version", "details"), [(1, said)])
    print_json({"text": said})
    printed = capsys.readouterr().out
    assert not OBEYED.intersection(printed)
    assert printed.count(f"\\u{ord(min(OBEYED.intersection(said), key=said.index)):04x}") > 0


@pytest.mark.parametrize("said", [*HOSTILE, "Привіт\n\tСлава", "👨\u200d👩\u200d👧"])
def test_json_says_what_was_said(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": said})
    assert json.loads(capsys.readouterr().out) == {"text": said}


def test_words_and_line_breaks_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    out.print("Я хочу жить\n\tі додому")
    assert "Я хочу жить\n" in capsys.readouterr().out
