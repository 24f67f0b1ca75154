"""Handlers that involve another case: groups, links, a second man on the line.

intake follows CASES, and repeats what a person records about another case in that case's log, in
recorded order. What came that way isn't sent back.
"""

from dataclasses import replace
from functools import partial

from services.intake.case_links import (
    decide_continued,
    decide_link,
    decide_other_case,
    decide_told_of_link,
)
from services.intake.groups import decide_join, decide_struck_off, decide_told_of_group
from services.intake.handlers import Intake
from services.intake.others_state import Told, is_from_service
from services.intake.routing import case_id_for
from services.intake.state import IntakeState
from shared.commands.intake import JoinGroup, LinkCases, OpenOtherCase
from shared.events.base import CaseEvent, Event
from shared.events.groups import GroupJoined, GroupLeft
from shared.events.intake import CaseOpened, CasesLinked, CasesUnlinked
from shared.log.fencing import LEASE_CURRENT
from shared.log.history import History
from shared.log.transact import Cause, Outcome, transact
from shared.refusals import require
from shared.skeleton.service import Context


def join_group(intake: Intake, command: JoinGroup) -> Outcome:
    context = intake.context
    member = context.writer.log.load_current(command.member_case).state
    decide = partial(decide_join, command=command, member=member)
    return transact(context.writer, command.case_id, context.cause_of(command), decide)


def link_cases(intake: Intake, command: LinkCases) -> Outcome:
    context = intake.context
    other = context.writer.log.load_current(command.other_case).state
    decide = partial(decide_link, command=command, other=other)
    return transact(context.writer, command.case_id, context.cause_of(command), decide)


def open_other_case(intake: Intake, command: OpenOtherCase) -> Outcome:
    """Idempotent: the same command returns the same case."""
    context = intake.context
    source = context.writer.log.load_current(command.case_id)
    require(source.fencing.lets(command.by, command.fence), LEASE_CURRENT)
    new_id = case_id_for(f"{command.cause_id}|{command.case_id}")
    decide = partial(decide_other_case, command=command, source=source.state)
    # The claim they saw is the source case's; the new case has none.
    return transact(context.writer, new_id, replace(context.cause_of(command), fenced=None), decide)


def continue_episode(intake: Intake, event: CaseEvent[CaseOpened]) -> Outcome | None:
    """Records in the previous episode's log, if there is one, that this one follows it."""
    context, previous = intake.context, event.data.previous_case
    if previous is None:
        return None
    decide = partial(decide_continued, next_case=event.subject)
    return transact(context.writer, previous, context.cause_in(event), decide)


def tell_other(
    intake: Intake, event: CaseEvent[GroupJoined | GroupLeft | CasesLinked | CasesUnlinked]
) -> Outcome | None:
    """Records in the other case's log what a person recorded here about both.

    What came from it isn't told back. Anything still untold to that case goes first: deliveries
    may overtake one another.
    """
    if is_from_service(event):
        return None
    context, data = intake.context, event.data
    log, lead = context.writer.log, event.subject
    about = data.member_case if isinstance(data, GroupJoined | GroupLeft) else data.other_case
    source, other = log.load_current(lead), log.load_current(about)
    outcome = Outcome("ignored", about, other.version, other.sequence)
    for told in _untold(source.state, other, context.source, about):
        decide = partial(_decide_told, told=told, source=lead)
        outcome = transact(context.writer, about, _cause_of(context, told), decide)
    member_of = log.load_current(about).state.group.member_of
    if isinstance(data, GroupJoined) and member_of not in {None, lead}:
        strike = partial(decide_struck_off, lead=lead, member=about)
        transact(context.writer, lead, context.cause_in(event), strike)
    return outcome


def _untold(state: IntakeState, other: History[IntakeState], source: str, about: str) -> list[Told]:
    """What follows the last entry that the other case's log has answered."""
    told = [one for one in state.told if one.other_case == about]
    answered = [other.caused_by(source, one.event_id) is not None for one in told]
    return told[len(answered) - answered[::-1].index(True) :] if any(answered) else told


def _decide_told(state: IntakeState, told: Told, source: str) -> list[Event]:
    if told.is_of_group:
        return decide_told_of_group(state, told, source, told.other_case)
    return decide_told_of_link(state, told, source)


def _cause_of(context: Context, told: Told) -> Cause:
    return Cause(
        causation_id=told.event_id,
        correlation_id=told.correlation_id,
        actor=f"service:{context.service}",
        source=context.source,
        happened_at=context.now(),
    )
