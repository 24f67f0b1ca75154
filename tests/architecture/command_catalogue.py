"""docs/commands.md: every command, whom it is asked of and what it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from shared import subjects
from shared.commands.base import Command, Decision
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from tests.architecture.field_words import paragraphs, table

OPENING = """# Commands

Written by `make docs` from `shared/commands`; change it there.

A command is asked with `POST /api/commands/<Command>`, with `passage do <Command>`, or as a request
to `commands.<service>.<Command>`. A *fact* is recorded whatever became of the case meanwhile; a
*decision* names the version of the case that the person saw, and is refused where the case has
moved on; it is made now, so a `happened_at` more than five minutes ago is refused (`decided_now`).
[guards.md](guards.md) says what else may refuse it.

## What all have

"""
COMMON = frozenset(Command.model_fields)
OF_A_DECISION = COMMON | frozenset(Decision.model_fields)


def written(_: str = "") -> str:
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield OPENING.rstrip() + "\n"
    yield from table(Command)
    yield "A decision also has:\n"
    yield from table(Decision, COMMON)
    by_service: dict[str, dict[str, type[Command]]] = defaultdict(dict)
    for name, command in COMMANDS.items():
        by_service[ANSWERED_BY[command]][name] = command
    for service, commands in sorted(by_service.items()):
        yield f"## {service}\n"
        for name, command in commands.items():
            kind = "Decision" if issubclass(command, Decision) else "Fact"
            yield f"### {name}\n"
            yield f"{paragraphs(command)}\n"
            yield f"{kind}, `{subjects.command(service, name)}`.\n"
            yield from table(command, OF_A_DECISION)
