"""What a person can use is documented: make targets, settings, verbs, streams and subjects."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command

from passage.__main__ import EXIT_CODES, VERBS, command_line
from passage.exits import MEANINGS
from passage.install.definitions import streams
from shared.settings import Settings
from tests.architecture.sources import ROOT

TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = "\n".join(
    path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.M)
    assert phony is not None
    assert set(phony.group(1).split()) == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_is_documented(target: str) -> None:
    assert f"make {target}" in DOCUMENTS


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`(tests/[\w/.]+)`|\]\(([\w/.]+)\)", README)))
)
def test_what_the_readme_points_to_is_there(path: tuple[str, str]) -> None:
    assert (ROOT / "".join(path)).exists()


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_says_what_it_is(field: str) -> None:
    assert Settings.model_fields[field].description


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    assert f"passage {verb}" in DOCUMENTS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(verb: str) -> None:
    commands = get_command(command_line(verb)).commands  # type: ignore[attr-defined]
    assert list(commands) == [verb]
    assert commands[verb].get_short_help_str()


@pytest.mark.parametrize("stream", [one.name for one in streams(1)])
def test_every_stream_is_documented(stream: str) -> None:
    shown = "CALLS_<channel>" if stream.startswith("CALLS_") else stream.removeprefix("KV_")
    assert shown in DOCUMENTS


def test_help_lists_every_exit_code() -> None:
    assert all(f"{code.value} {text}" in EXIT_CODES for code, text in MEANINGS.items())
