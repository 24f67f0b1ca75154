"""The slice of a case's state that says with whom the man travels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shared.events.base import CaseEvent
from shared.events.groups import GroupEvent, GroupFormed, GroupJoined, GroupLeft


@dataclass(frozen=True, slots=True)
class Group:
    led: str | None = None
    """The group he leads; it has his case's number."""
    members: frozenset[str] = frozenset()
    """The roll, if he leads a group, without the leading case."""
    member_of: str | None = None
    """The group of another that he travels with."""


def evolve_group(group: Group, event: CaseEvent[Any]) -> Group:
    data = event.data
    if not isinstance(data, GroupEvent):
        return group
    match data:
        case GroupFormed():
            return replace(group, led=data.group_id)
        case GroupJoined() if data.group_id == event.subject:
            return replace(group, members=group.members | {data.member_case})
        case GroupJoined():
            return replace(group, member_of=data.group_id)
        case GroupLeft() if data.group_id == event.subject:
            return replace(group, members=group.members - {data.member_case})
        case GroupLeft() if data.group_id == group.member_of:
            return replace(group, member_of=None)
        case _:
            return group
