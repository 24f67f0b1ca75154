"""A story as it is written, one JSON object a line, and other orders of its facts."""

import json
import random
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.commands.base import Command, Fact
from shared.commands.catalogue import COMMANDS
from shared.events.fields import At, Channel
from tests.stories.site import STORIES

NOBODY = ""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class CallStep(_Part):
    """A call comes in; `case` names the case that it opens or must come into."""

    id: str
    case: str
    on: Channel = "phone"
    from_: str | None = Field(None, alias="from")
    """None: the number is withheld."""
    text: str = "Invented words."
    code: str | None = None
    started_at: At | None = None
    """By the channel's clock, where that isn't the time of the step."""
    language: str = "ru"


class CommandStep(BaseModel):
    """Somebody asks for something; fields beside these are the command's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    case: str
    by: str = "Olena Example"
    id: str = ""
    seen_version: int | str | None = None
    """What he saw: a version, or the name of a version that was noted before."""
    opens: str | None = None
    """What the case is called that the command opens."""

    @property
    def command_type(self) -> type[Command]:
        return COMMANDS[self.name]

    @property
    def own_fields(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Expect(_Part):
    """What must be shown of a case, as far as it is named."""

    case: str
    row: dict[str, Any] = {}
    either: list[dict[str, Any]] = []
    """Of these rows exactly one must be shown."""
    timeline: list[str] | None = None
    tables: dict[str, list[dict[str, Any]]] = {}
    """Rows of this case in other tables; all of them, each as far as it is named."""
    sealed: dict[str, Literal["open", "erased", "none"]] = {}
    """What becomes of opening what is sealed in a class."""


class Step(_Part):
    at: At | None = None
    call: CallStep | None = None
    command: CommandStep | None = None
    refused: str | None = None
    """The guard that refuses the command."""
    ignored: bool = False
    """Whether the case is already as the command wants it."""
    note: str | None = None
    """Has the version that `case` has now remembered under this name."""
    case: str | None = None
    race: list[CommandStep] | None = None
    """Two commands at the same moment: exactly one is recorded."""
    backlog: list[CallStep] | None = None
    """Calls that all come at once."""
    due: str | None = None
    """A timer of this kind, about `case`, has fallen due by now."""
    report: dict[str, Any] | None = None
    """A channel says what became of a message."""
    registry: Literal["answers", "unavailable", "silent"] | None = None
    moves: bool = False
    """The site moves to another server."""
    expect: Expect | None = None

    @property
    def may_change_places(self) -> bool:
        """Whether it is a fact: calls, and commands that nobody may refuse for their order."""
        if self.refused or self.ignored:
            return False
        if self.command is not None:
            return issubclass(self.command.command_type, Fact)
        return self.call is not None


class Story(_Part):
    name: str
    about: str
    by_arrival: list[str] = []
    """Columns that say which of several calls at once was first or last to come in."""
    steps: list[Step]


@cache
def story(name: str) -> Story:
    first, *lines = read(STORIES / f"{name}.jsonl")
    steps = [Step.model_validate(line) for line in lines]
    at: datetime | None = None
    timed = []
    for step in steps:
        at = step.at or at
        timed.append(step.model_copy(update={"at": at}))
    return Story(name=name, steps=timed, **first)


def read(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def names() -> list[str]:
    return sorted(path.stem for path in STORIES.glob("E*.jsonl"))


def mentioned(value: object) -> set[str]:
    if isinstance(value, str):
        return {value[1:]} if value.startswith("@") else set()
    if isinstance(value, dict):
        return set().union(*map(mentioned, value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*map(mentioned, value)) if value else set()
    return set()


def needs(step: Step) -> set[str]:
    """What must have been named before the step."""
    if step.call is not None:
        return {step.call.code} if step.call.code else set()
    if step.command is not None:
        return {step.command.case} | mentioned(step.command.own_fields)
    return set()


def gives(step: Step) -> set[str]:
    """What the step names."""
    if step.call is not None:
        return {step.call.id, step.call.case}
    if step.command is not None:
        command = step.command
        found = {command.id or NOBODY, command.opens or NOBODY}
        if command.name == "IssueReturnCode":
            found |= {f"{command.case}.code", f"{command.case}.duress"}
        return found - {NOBODY}
    return set()


LAST_ONE_COUNTS = {
    "call": "heard",
    "RecordArrival": "heard",
    "RecordContactLost": "heard",
    "RecordContactRegained": "heard",
    "JoinGroup": "roll",
    "LeaveGroup": "roll",
    "CountHeads": "roll",
}
"""Facts of which the last counts share a word; one of another name shares it with its own kind."""


def order_kept(step: Step) -> tuple[str, str]:
    """What a step keeps its order with: the same word on the same case."""
    if step.call is not None:
        return step.call.case, LAST_ONE_COUNTS["call"]
    if step.command is None:
        return NOBODY, NOBODY
    return step.command.case, LAST_ONE_COUNTS.get(step.command.name, step.command.name)


def shuffled(block: Sequence[Step], chance: random.Random) -> list[Step]:
    """The facts in another possible order.

    What needs a name comes after what gives it, and where the last of its kind counts, each stays
    behind the one before it.
    """
    left, taken = list(block), []
    while left:
        ready = [
            step
            for number, step in enumerate(left)
            if not any(
                gives(other) & needs(step) or order_kept(other) == order_kept(step)
                for other in left[:number]
            )
        ]
        chosen = chance.choice(ready)
        left.remove(chosen)
        taken.append(chosen)
    return taken


def blocks(steps: Sequence[Step], split_at: Sequence[datetime]) -> list[list[Step]]:
    """The steps, those together that may change places: facts that follow one another."""
    found: list[list[Step]] = []
    for step in steps:
        before = found[-1][-1] if found else None
        joins = (
            before is not None
            and before.may_change_places
            and step.may_change_places
            and not any(_between(before.at, at, step.at) for at in split_at)
        )
        if joins:
            found[-1].append(step)
        else:
            found.append([step])
    return found


def _between(before: datetime | None, at: datetime, after: datetime | None) -> bool:
    return before is not None and after is not None and before < at <= after
