"""intake's deciders for cases that may be the same man's: links, and episodes.

Nothing is merged. A link is in both cases' logs, and can be removed in either.
"""

from services.intake.guards import CALL_OF_CASE, require_not_exchanged
from services.intake.others_state import Told
from services.intake.state import IntakeState
from shared.commands.intake import LinkCases, OpenOtherCase, UnlinkCases
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.fields import Plain
from shared.events.intake import CaseOpened, CasesLinked, CasesUnlinked, EpisodeContinued
from shared.refusals import CASE_KNOWN, Guard, require

OTHER_CASE_KNOWN = Guard("other_case_known", "an other_case that exists, and isn't this one")


def decide_link(state: IntakeState, command: LinkCases, other: IntakeState) -> list[Event]:
    """A person accepts that both may be the same man's."""
    require_not_exchanged(state)
    require(other.opened and command.other_case != command.case_id, OTHER_CASE_KNOWN)
    if command.other_case in state.links:
        return []
    return [event_of(CasesLinked, command)]


def decide_unlink(state: IntakeState, command: UnlinkCases) -> list[Event]:
    """Nothing is recorded where there is no link."""
    require(state.opened, CASE_KNOWN)
    if command.other_case not in state.links:
        return []
    return [event_of(CasesUnlinked, command)]


def decide_told_of_link(state: IntakeState, told: Told, source: str) -> list[Event]:
    """In the other case's log: the link or its end; the reason stays in the log of `source`."""
    if not state.opened:
        return []
    why = Plain(f"as the log of case {source} says")
    is_linked = source in state.links
    if told.linked is not None and not is_linked:
        return [CasesLinked(other_case=source, basis=told.linked, reason=why)]
    if told.linked is None and is_linked:
        return [CasesUnlinked(other_case=source, reason=why)]
    return []


def decide_continued(state: IntakeState, next_case: str) -> list[Event]:
    """In the earlier episode's log: he called again."""
    if not state.opened or state.next_case is not None:
        return []
    return [EpisodeContinued(next_case=next_case)]


def decide_other_case(
    state: IntakeState, command: OpenOtherCase, source: IntakeState
) -> list[Event]:
    """A case for another man on the line: has the call, but nothing said in it."""
    require_not_exchanged(source)
    call = source.calls.get((command.channel, command.call_id))
    require(call is not None, CALL_OF_CASE)
    if call is None or state.opened:
        return []
    return [event_of(CaseOpened, command, **call._asdict(), split_from=command.case_id)]
