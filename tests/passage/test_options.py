"""Every verb takes --data and --json, but those that docs/command-line.md names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from passage.__main__ import command_line

WITHOUT_DATA = {"init", "registry try"}
WITHOUT_JSON = {"init", "up", "keys seal", "keys unseal", "log export"}


def verbs(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for word, part in getattr(command, "commands", {}).items():
        yield from verbs(part, f"{name} {word}".strip())
    if not hasattr(command, "commands"):
        yield name, command


@pytest.mark.parametrize(
    ("option", "exceptions"), [("--data", WITHOUT_DATA), ("--json", WITHOUT_JSON)]
)
def test_every_verb_takes_it_but_the_documented_ones(option: str, exceptions: set[str]) -> None:
    found = dict(verbs(get_command(command_line())))
    taking = {name for name, verb in found.items() if any(option in p.opts for p in verb.params)}
    assert found.keys() - taking == exceptions
