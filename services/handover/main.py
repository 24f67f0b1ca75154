"""handover's wiring: what it listens to, and which handler answers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from services.handover import DUE, REACTS_TO, SERVICE, handlers, reactions
from services.handover.due import KINDS, Spans, deadlines, record_due
from services.handover.reactions import Reactions
from services.handover.state import HandoverState, evolve
from shared.case_log import Fold
from shared.deadlines import Deadlines
from shared.own_process import own_process, run_to_end
from shared.secret_files import own_settings
from shared.service import Assemble, Service, assemble
from shared.settings import Settings


def wire(settings: Settings, put_together: Assemble = assemble) -> Service:
    """Gives handover, ready to run."""
    service = put_together(SERVICE, Fold(HandoverState(), evolve), settings)
    spans = spans_of(settings)
    kept = Deadlines(
        service.desk, service.timers(), KINDS, partial(deadlines, spans=spans), record_due
    )
    bus = service.bus
    for command_type in handlers.DECISIONS:
        bus.command(command_type, partial(handlers.carry_out, service.desk))
    bus.consume(REACTS_TO, partial(reactions.receive_event, Reactions(service.desk, kept)))
    bus.consume(DUE, kept.receive)
    service.at_start.append(kept.set_anew)
    return service


def spans_of(settings: Settings) -> Spans:
    """Gives the spans after which somebody must look."""
    return Spans(
        contact_due=timedelta(hours=settings.contact_due_hours),
        contact_silent=timedelta(hours=settings.contact_silent_hours),
        decide_lost=timedelta(hours=settings.decide_lost_hours),
        rendezvous_expires=timedelta(hours=settings.rendezvous_expiry_hours),
        offer_unanswered=timedelta(minutes=settings.offer_unanswered_minutes),
        offer_unanswered_again=timedelta(minutes=settings.offer_unanswered_again_minutes),
        capture_card=timedelta(days=settings.capture_card_days),
    )


def main() -> None:
    """Runs handover until it is told to stop."""
    own_process(SERVICE)
    run_to_end(wire(own_settings()).run())
