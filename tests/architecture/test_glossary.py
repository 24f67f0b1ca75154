"""docs/glossary.md defines each word once, and names in the code are made of its words.

The names are those of events, commands, guards, read models and the modules of services.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

import pytest

from services.query.feed.tables import tables_for
from shared.commands.catalogue import COMMANDS
from shared.events.catalogue import CASE_EVENTS
from tests.architecture.guard_table import defined
from tests.architecture.sources import ROOT, name_of, python_files

PLAIN = "which mean what they mean everywhere:\n"
PART_OF_A_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def rows(glossary: str) -> Iterator[tuple[str, str]]:
    """Each word that is defined, and the names that the glossary gives for it."""
    for line in glossary.splitlines():
        cells = line.strip("| ").split(" | ")
        if line.startswith("|") and len(cells) == 3 and cells[0] != "word":
            yield cells[0], cells[2]


def plain_words(glossary: str) -> list[str]:
    return glossary.rpartition(PLAIN)[2].split()


def twice_defined(glossary: str) -> list[str]:
    count = Counter(word for word, _ in rows(glossary))
    return [word for word, times in count.items() if times > 1]


def stem(word: str) -> str:
    """The same for claim, claimed and claimant, for plan and planned, for verify and verified."""
    one = re.sub(r"(?<!s)s$", "", word)
    bare = re.sub(r"(ication|ion|ure|ant|ing|ed|e)$", "", one)
    return re.sub(r"(.)\1$", r"\1", re.sub(r"[iy]$", "", bare))


def stems(names: Iterable[str]) -> set[str]:
    return {stem(part.lower()) for name in names for part in PART_OF_A_NAME.findall(name)}


@cache
def names_in_the_code() -> frozenset[str]:
    return frozenset(
        {
            *CASE_EVENTS,
            *COMMANDS,
            *tables_for("").by_name,
            *(guard.name for guard in defined().values()),
            *(path.stem for path in (ROOT / "services").rglob("*.py")),
        }
    )


def undefined(glossary: str) -> list[str]:
    """The words in the code's names that the glossary neither defines nor lists as plain."""
    known = stems(plain_words(glossary)) | stems(word for word, _ in rows(glossary))
    return sorted(
        {
            f"{part.lower()} in {name}"
            for name in names_in_the_code()
            for part in PART_OF_A_NAME.findall(name)
            if stem(part.lower()) not in known
        }
    )


@pytest.fixture(scope="module")
def glossary() -> str:
    return (ROOT / "docs/glossary.md").read_text(encoding="utf-8")


def test_no_word_is_defined_twice(glossary: str) -> None:
    assert twice_defined(glossary) == []


def test_every_word_of_a_name_is_defined(glossary: str) -> None:
    assert undefined(glossary) == []


def test_every_name_that_the_glossary_gives_is_in_the_code(glossary: str) -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") + path.stem
        for path in python_files()
        if not name_of(path).startswith(("tests/", "benchmarks/"))
    )
    given = [name for _, names in rows(glossary) for name in re.findall(r"`([\w-]+)[`.]", names)]
    assert [name for name in given if name not in code] == []


def test_a_word_that_is_defined_twice_is_found(glossary: str) -> None:
    row = next(line for line in glossary.splitlines() if line.startswith("| claim |"))
    assert twice_defined(f"{glossary}\n{row}") == ["claim"]


@pytest.mark.parametrize("word", ["claim", "credibility", "rendezvous", "timeline", "witness"])
def test_a_word_that_is_taken_out_is_missed(glossary: str, word: str) -> None:
    rest = [line for line in glossary.splitlines() if not line.startswith(f"| {word} |")]
    assert any(word in missed for missed in undefined("\n".join(rest)))


def test_a_plain_word_is_used_and_not_defined(glossary: str) -> None:
    used = stems(names_in_the_code())
    meant = stems(word for word, _ in rows(glossary) if " " not in word)
    assert [one for one in plain_words(glossary) if stem(one) not in used - meant] == []
