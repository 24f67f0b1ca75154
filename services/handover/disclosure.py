"""Deciders for what he is told: the place of his rendezvous, and each step of his way.

He is told during a call in which he gave his code, or by a message at an hour he said is safe. The
message is queued first and names the rendezvous; it goes once the disclosure is recorded. If it
fails, the disclosure is withdrawn.
"""

from datetime import datetime

from services.handover.guards import NOBODY, Members, require_cleared, require_open
from services.handover.rendezvous import WINDOW_IN_FUTURE, require_current, require_disclosed
from services.handover.state import HandoverState
from shared.callers.contact_rule import CONTACT_ALLOWED
from shared.commands.handover import DiscloseRendezvous, GiveGuidance
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.handover import DisclosureWithdrawn, GuidanceGiven, RendezvousDisclosed
from shared.refusals import Guard, require

APPROVED = Guard("approved", "ApproveRendezvous by another person first")
CALL_CODE_MATCHED = Guard(
    "call_code_matched",
    "a call_id in which he gave this case's return code, and which hasn't ended; where that came "
    "from a channel he never called on, or after many wrong codes, ConfirmCaller first",
)
MESSAGE_TELLS = Guard(
    "message_tells",
    "the message_id of a SendMessage on this case with this rendezvous_id, still waiting, "
    "not failed and not too late",
)


def decide_disclose(
    state: HandoverState, command: DiscloseRendezvous, now: datetime, members: Members = NOBODY
) -> list[Event]:
    """Needs approval, a man still verified, believed and free; only to him; once."""
    require_open(state)
    rendezvous = require_current(state, command.rendezvous_id)
    require_cleared(state, members, now)
    require(rendezvous.approved, APPROVED)
    require(rendezvous.window_to > now, WINDOW_IN_FUTURE)
    _require_told_to_him(state, command, rendezvous.rendezvous_id, now)
    if rendezvous.disclosed:
        return []
    return [event_of(RendezvousDisclosed, command)]


def decide_guidance(
    state: HandoverState, command: GiveGuidance, now: datetime, members: Members = NOBODY
) -> list[Event]:
    """As for disclosing, on the way to a place he was told."""
    require_open(state)
    rendezvous = require_disclosed(state)
    require_cleared(state, members, now)
    _require_told_to_him(state, command, rendezvous.rendezvous_id, now)
    return [event_of(GuidanceGiven, command)]


def decide_withdrawn(state: HandoverState, message_id: str) -> list[Event]:
    """The message failed, so he must be told again. Nothing if it is now known to have gone out,
    if he was told in a call, or if he was received: then he came, whatever his channel says."""
    rendezvous, reason = state.meeting.rendezvous, state.messages.fault_of(message_id)
    if state.handed_over or rendezvous is None or rendezvous.over or reason is None:
        return []
    if not rendezvous.disclosed or rendezvous.told_by != message_id:
        return []
    return [
        DisclosureWithdrawn(
            rendezvous_id=rendezvous.rendezvous_id, message_id=message_id, reason=reason
        )
    ]


def _require_told_to_him(
    state: HandoverState,
    command: DiscloseRendezvous | GiveGuidance,
    rendezvous_id: str,
    now: datetime,
) -> None:
    in_call, message_id = command.call_id is not None, command.message_id
    coded = state.contact.is_coded(command.call_id)
    require(coded or (message_id is not None and not in_call), CALL_CODE_MATCHED)
    if message_id is not None:
        require(state.safe_to_contact.allows(now), CONTACT_ALLOWED)
        require(state.messages.tells(message_id, rendezvous_id, now), MESSAGE_TELLS)
