"""What intake records of groups: cases that travel together, led by one of them.

A group has the number of its leading case. Its roll and head counts are in the leading case's log;
`GroupJoined` and `GroupLeft` are in the member's log too.
"""

from typing import Literal

from shared.events.base import Event
from shared.events.fields import HeadCount, Id, PersonalNarrative, Word

CountKind = Literal["declared", "observed"]
LeavingReason = Literal["separated", "withdrew", "died", "not_cleared", "never_there", "other"]


class GroupEvent(Event):
    """Who travels together, and how many they are."""


class GroupFormed(GroupEvent):
    """The man of this case leads others; `declared_size` counts him too."""

    group_id: Id
    declared_size: HeadCount


class GroupJoined(GroupEvent):
    """The man of `member_case` travels with the group."""

    group_id: Id
    member_case: Id


class GroupLeft(GroupEvent):
    """The man of `member_case` no longer travels with the group."""

    group_id: Id
    member_case: Id
    reason: LeavingReason
    remark: PersonalNarrative | None = None


class HeadsCounted(GroupEvent):
    """Somebody said (`declared`) or saw (`observed`) how many they are, everyone included."""

    group_id: Id
    kind: CountKind
    count: HeadCount
    source: Word
