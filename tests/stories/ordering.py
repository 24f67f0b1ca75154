"""Which facts of a story may change places, and other orders of them that are possible."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

from tests.stories.script import NOBODY, Step


def mentioned(value: object) -> set[str]:
    """The names that a value refers to: `@name` in any text within it."""
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
    """Gives facts in another order that is possible.

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
