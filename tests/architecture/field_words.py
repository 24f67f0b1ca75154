"""The fields of events and commands in words, as tables of a document."""

from __future__ import annotations

import ast
import inspect
from textwrap import dedent
from typing import get_type_hints

from pydantic import BaseModel

from passage.cli.command_fields import words_with_default
from shared.events.fields import personal_fields


def table(model: type[BaseModel], left_out: frozenset[str] = frozenset()) -> list[str]:
    """The lines of a table of a model's fields; none where it has none."""
    hints = get_type_hints(model, include_extras=True)
    sealed, said = personal_fields(model), _said(model)
    lines = []
    for name, info in model.model_fields.items():
        if name not in left_out:
            words = filter(None, (words_with_default(hints[name], info), said.get(name)))
            lines.append([f"`{name}`", "; ".join(words), sealed.get(name, "")])
    if not lines:
        return []
    head = ["field", "what it holds", *(["sealed"] if any(one[-1] for one in lines) else [])]
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


def _said(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings below fields, of the class and of its bases."""
    said: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not issubclass(one, BaseModel) or one is BaseModel:
            continue
        (body,) = ast.parse(dedent(inspect.getsource(one))).body
        if not isinstance(body, ast.ClassDef):
            continue
        for before, after in zip(body.body, body.body[1:], strict=False):
            match before, after:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    said[name] = " ".join(text.split()).rstrip(".")
                case _:
                    pass
    return said
