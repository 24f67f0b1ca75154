"""handover's wiring: what it listens to, and which handler answers."""

from functools import partial

from services.handover import CASES, DUE, SERVICE, handlers
from services.handover.deadlines import KINDS, Spans, decide_due, due_in
from services.handover.reactions import REACTIONS, Handover
from services.handover.state import HandoverState, evolve
from shared.bus.timers import Timers
from shared.diagnostics.own_process import own_process, run_to_end
from shared.log.case_log import Fold
from shared.settings import Settings
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.due import spans_of
from shared.skeleton.own_settings import own_settings
from shared.skeleton.reactions import react
from shared.skeleton.service import Assemble, Context, Service, assemble


def wire(settings: Settings, put_together: Assemble = assemble) -> Service:
    service = put_together(SERVICE, Fold(HandoverState(), evolve), settings)
    deadlines = deadlines_of(service.context, service.timers(), spans_of(Spans, settings))
    handover = Handover(service.context, deadlines)
    bus = service.bus
    bus.consume(CASES, partial(react, REACTIONS, handover))
    bus.consume(DUE, deadlines.receive)
    for command_type in handlers.DECIDERS:
        bus.command(command_type, partial(handlers.carry_out, service.context))
    service.at_start.append(deadlines.set_anew)
    return service


def deadlines_of(context: Context, timers: Timers, spans: Spans) -> Deadlines[HandoverState]:
    return Deadlines(context, timers, KINDS, partial(due_in, spans=spans), decide_due)


def main() -> None:
    own_process(SERVICE)
    run_to_end(wire(own_settings()).run())
