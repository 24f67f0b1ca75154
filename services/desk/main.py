"""desk's wiring: what it listens to, and which handler answers."""

import time
from collections.abc import Callable
from functools import partial

from services.desk import CASES, DUE, SERVICE, breaking_glass, carrying_out, handlers
from services.desk.attempts import Attempts
from services.desk.break_glass import Pace
from services.desk.breaking_glass import BreakingGlass
from services.desk.deadlines import KINDS, Spans, decide_due, due_in
from services.desk.guards import Rules
from services.desk.handlers import Desk
from services.desk.reactions import REACTIONS
from services.desk.state import DeskState, evolve
from shared.bus.answering import CommandHandler
from shared.bus.asking import asked
from shared.bus.timers import Timers
from shared.commands import people as commands
from shared.commands.base import AnyAnswer, Command
from shared.commands.case_numbers import DESK
from shared.commands.shifts import HandOverShift
from shared.diagnostics.own_process import own_process, run_to_end
from shared.log.case_log import Fold
from shared.people.site import Site, site_of
from shared.settings import Settings
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.due import spans_of
from shared.skeleton.own_settings import own_settings
from shared.skeleton.reactions import react
from shared.skeleton.service import Assemble, Context, Service, assemble


def wire(settings: Settings, put_together: Assemble = assemble) -> Service:
    service = put_together(SERVICE, Fold(DeskState(), evolve), settings)
    log, timeout_s = service.log, settings.command_timeout_s
    desk = desk_of(
        service.context,
        service.timers(),
        spans_of(Spans, settings),
        site_of(settings),
        lambda command: asked(log.connection, command, timeout_s),
    )
    bus = service.bus
    bus.consume(CASES, partial(react, REACTIONS, desk))
    bus.consume(DUE, partial(carrying_out.receive, desk))
    for command_type, handler in handlers_of(desk).items():
        bus.command(command_type, handler)
    service.at_start.append(desk.deadlines.set_anew)
    return service


def desk_of(
    context: Context,
    timers: Timers,
    spans: Spans,
    site: Site,
    hand_on: Callable[[Command], AnyAnswer],
) -> Desk:
    rules = Rules(spans.enrolment, spans.proposal)
    deadlines = deadlines_of(context, timers, spans)
    return Desk(context, rules, Attempts(context), deadlines, site, hand_on)


def deadlines_of(context: Context, timers: Timers, spans: Spans) -> Deadlines[DeskState]:
    due = partial(due_in, spans=spans)
    return Deadlines(context, timers, KINDS, due, decide_due, DESK)


def handlers_of(desk: Desk) -> dict[type[Command], CommandHandler]:
    glass = BreakingGlass(desk, Pace(time.monotonic))
    return {
        **dict.fromkeys(handlers.DECIDERS, partial(handlers.carry_out, desk)),
        **dict.fromkeys(handlers.ABOUT_PEOPLE, partial(handlers.about_person, desk)),
        **dict.fromkeys(handlers.PROPOSALS, partial(handlers.propose, desk)),
        commands.AgreeToDecision: partial(carrying_out.agree, desk),
        HandOverShift: partial(handlers.hand_over_shift, desk),
        commands.Enrol: partial(handlers.enrol, desk),
        commands.ReportAttempts: partial(handlers.report_attempts, desk),
        commands.SetBreakGlass: partial(breaking_glass.set_break_glass, glass),
        commands.LogInByBreakGlass: partial(breaking_glass.log_in, glass),
    }


def main() -> None:
    own_process(SERVICE)
    run_to_end(wire(own_settings()).run())
