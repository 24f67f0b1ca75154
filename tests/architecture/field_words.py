"""The fields of events and commands in words, as tables of a document."""

from __future__ import annotations

import inspect

from pydantic import BaseModel

from passage.cli.field_words import described


def table(model: type[BaseModel], left_out: frozenset[str] = frozenset()) -> list[str]:
    """The lines of a table of a model's fields; none where it has none."""
    rows = described(model, left_out)
    if not rows:
        return []
    head = ["field", "what it holds", *(["sealed"] if any(one.sealed for one in rows) else [])]
    lines = [
        [f"`{one.name}`", "; ".join(filter(None, (one.words, one.meaning))), one.sealed]
        for one in rows
    ]
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(map(_cell, line[: len(head)]))} |" for line in lines),
        "",
    ]


def paragraphs(of: object) -> str:
    """A docstring with each paragraph on one line."""
    text = inspect.getdoc(of) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
