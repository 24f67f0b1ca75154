"""Commands as an invented operator sends them, and the guard that a refusal names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from shared.commands.base import Command, Decision
from shared.refusals import RefusedError
from tests.examples import CASE

CommandT = TypeVar("CommandT", bound=Command)

OLENA = "Olena Example"
PETRO = "Petro Example"


def ask(command_type: type[CommandT], /, by: str = OLENA, **fields: Any) -> CommandT:
    who: dict[str, Any] = {"command_id": "cmd-1", "case_id": CASE, "by": by}
    if issubclass(command_type, Decision):
        who["seen_version"] = 0
    return command_type.model_validate({**who, **fields})


def refused_by(guard: str, decide: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        decide(*arguments)
    assert refused.value.guard.name == guard
