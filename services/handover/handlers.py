"""What handover does with each command: name the case, transact, return."""

from collections.abc import Callable
from typing import Any

from services.handover import contact, custody, disclosure, guards, offers, receipt, rendezvous
from services.handover.guards import Members
from services.handover.state import HandoverState
from shared.commands import handover as commands
from shared.commands.base import Command
from shared.events.base import Event
from shared.log.transact import Outcome, transact
from shared.skeleton.service import Context

DECIDERS: dict[type[Command], Callable[..., list[Event]]] = {
    commands.RecordArrival: contact.decide_arrival,
    commands.PlanRendezvous: rendezvous.decide_plan,
    commands.ReplanRendezvous: rendezvous.decide_replan,
    commands.ApproveRendezvous: rendezvous.decide_approve,
    commands.CancelRendezvous: rendezvous.decide_cancel,
    commands.DiscloseRendezvous: disclosure.decide_disclose,
    commands.GiveGuidance: disclosure.decide_guidance,
    commands.RecordMissed: rendezvous.decide_missed,
    commands.UseEmergencyOverride: guards.decide_override,
    commands.OfferHandover: offers.decide_offer,
    commands.AcceptHandover: offers.decide_accept,
    commands.RefuseHandover: offers.decide_refuse,
    commands.WithdrawHandover: offers.decide_withdraw,
    commands.RecordHandover: receipt.decide_hand_over,
    commands.RecordGroupHandover: receipt.decide_group_handover,
    commands.ResolveDiscrepancy: receipt.decide_resolve,
    commands.RecordContactLost: contact.decide_contact_lost,
    commands.RecordContactRegained: contact.decide_contact_regained,
    commands.SetFollowUp: contact.decide_follow_up,
    commands.RecordCustody: custody.decide_custody,
    commands.ConfirmCaptureCard: custody.decide_capture_card,
    commands.OfferExchange: custody.decide_offer_exchange,
    commands.GiveExchangeConsent: custody.decide_exchange_consent,
    commands.WithdrawExchangeConsent: custody.decide_no_exchange,
    commands.RecordExchange: custody.decide_exchange,
    commands.GivePublicityConsent: custody.decide_publicity_consent,
    commands.WithdrawPublicityConsent: custody.decide_no_publicity,
}
"""What decides each command: (state, command, now) -> events."""
OF_THE_WHOLE_GROUP = frozenset(
    {
        commands.ApproveRendezvous,
        commands.DiscloseRendezvous,
        commands.GiveGuidance,
        commands.OfferHandover,
        commands.AcceptHandover,
    }
)
"""Commands with a decider that also takes `members`: the other cases of the group he leads."""


def carry_out(context: Context, command: Command) -> Outcome:
    decider = DECIDERS[type(command)]

    def decide(state: HandoverState) -> list[Event]:
        more: dict[str, Any] = {}
        if type(command) in OF_THE_WHOLE_GROUP:
            more["members"] = members_of(context, state)
        return decider(state, command, context.now(), **more)

    return transact(context.writer, command.case_id, context.cause_of(command), decide)


def members_of(context: Context, state: HandoverState) -> Members:
    """The other cases of the group he leads, as the log has them in this attempt."""
    load = context.writer.log.load_current
    return {one: load(one).state for one in state.party.awaited_members}
