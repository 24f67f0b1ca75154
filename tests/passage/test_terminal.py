"""What people wrote reaches a terminal as text: it moves no cursor and turns no line round."""

from __future__ import annotations

import json

import pytest

from passage.printing import out, print_json, print_table

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
