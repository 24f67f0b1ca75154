"""intake's deciders for groups: cases that travel together, led by one of them.

The roll is in the leading case's log; each member's log says with whom he travels.
"""

from services.intake.guards import require_latest, require_not_handed_over
from services.intake.others_state import Told
from services.intake.state import IntakeState
from shared.commands.intake import CountHeads, FormGroup, JoinGroup, LeaveGroup
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.groups import GroupFormed, GroupJoined, GroupLeft, HeadsCounted
from shared.refusals import Guard, require

IN_NO_OTHER_GROUP = Guard("in_no_other_group", "a man in no other group; LeaveGroup for him first")
GROUP_FORMED = Guard("group_formed", "a case that leads a group; form one first")
MEMBER_IS_ANOTHER = Guard("member_is_another", "a case other than the one that leads")
MEMBER_KNOWN = Guard(
    "member_known", "a member_case that exists, is the man's present case, and isn't handed over"
)


def decide_form(state: IntakeState, command: FormGroup) -> list[Event]:
    """The group takes his case's number."""
    require_not_handed_over(state)
    require(state.group.member_of is None, IN_NO_OTHER_GROUP)
    if state.group.led is not None:
        return []
    return [event_of(GroupFormed, command, group_id=command.case_id)]


def decide_join(state: IntakeState, command: JoinGroup, member: IntakeState) -> list[Event]:
    """A man travels with one group at a time."""
    require_not_handed_over(state)
    require(state.group.led is not None, GROUP_FORMED)
    require(command.member_case != command.case_id, MEMBER_IS_ANOTHER)
    if command.member_case in state.group.members:
        return []
    goes_on = member.opened and not member.handed_over and not member.exchanged
    require(goes_on and member.next_case is None, MEMBER_KNOWN)
    require(member.group.led is None, IN_NO_OTHER_GROUP)
    require(member.group.member_of in {None, command.case_id}, IN_NO_OTHER_GROUP)
    return [event_of(GroupJoined, command, group_id=command.case_id)]


def decide_leave(state: IntakeState, command: LeaveGroup) -> list[Event]:
    """Nothing is recorded if he wasn't on the roll."""
    require_latest(state)
    require(state.group.led is not None, GROUP_FORMED)
    if command.member_case not in state.group.members:
        return []
    return [event_of(GroupLeft, command, group_id=command.case_id)]


def decide_count(state: IntakeState, command: CountHeads) -> list[Event]:
    """Every count is kept; the latest observed counts, else the latest declared."""
    require_not_handed_over(state)
    require(state.group.led is not None, GROUP_FORMED)
    return [event_of(HeadsCounted, command, group_id=command.case_id)]


def decide_told_of_group(state: IntakeState, told: Told, lead: str, member: str) -> list[Event]:
    """In a member's log: what a person recorded about him in the leading case's."""
    if not state.opened:
        return []
    if told.joined and state.group.member_of is None:
        return [GroupJoined(group_id=lead, member_case=member)]
    if told.left is not None and state.group.member_of == lead:
        return [GroupLeft(group_id=lead, member_case=member, reason=told.left)]
    return []


def decide_struck_off(state: IntakeState, lead: str, member: str) -> list[Event]:
    """In the leading case's log: he was already with another group when put on the roll."""
    if member not in state.group.members:
        return []
    return [GroupLeft(group_id=lead, member_case=member, reason="other")]
