"""intake's wiring: what it listens to, and which handler answers."""

from datetime import timedelta
from functools import partial

from services.intake import (
    CALLS,
    CASES,
    DUE,
    SERVICE,
    handlers,
    others,
    parked,
    sending,
)
from services.intake.codes import issue_return_code
from services.intake.deadlines import KINDS, Spans, decide_due, due_in
from services.intake.durability import Durability
from services.intake.guards import Rules
from services.intake.handlers import Intake
from services.intake.parked import ParkedContext
from services.intake.reactions import REACTIONS, Listening
from services.intake.receiving import EarlyEnds
from services.intake.routing import Index, Standing
from services.intake.sending import Sending, give_once
from services.intake.sorting import sort_upstream
from services.intake.state import IntakeState, evolve
from shared import subjects
from shared.bus.answering import CommandHandler
from shared.bus.timers import Timers
from shared.commands import intake as commands
from shared.commands.base import Command
from shared.commands.parked import SetParkedAside, TakeUpParked
from shared.diagnostics.own_process import own_process, run_to_end
from shared.events.fields import Channel
from shared.jetstream.stream import Stream
from shared.keys.keyfiles import read_channel_public_keys
from shared.log.case_log import Fold
from shared.people.directory import Directory
from shared.policy import policy
from shared.refusals import NOBODY, Supervisors
from shared.settings import Settings
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.due import spans_of
from shared.skeleton.own_settings import own_settings
from shared.skeleton.reactions import react
from shared.skeleton.service import Assemble, Context, Service, assemble


def wire(settings: Settings, put_together: Assemble = assemble) -> Service:
    service = put_together(SERVICE, Fold(IntakeState(), evolve), settings)
    listening = _listening(service)
    bus = service.bus
    durability = Durability(service.log.connection, settings)
    bus.ready_only_if(durability.is_assured)
    for calls in CALLS:
        sort = durability.guarded(partial(sort_upstream, listening))
        bus.consume_sorted(calls, sort, settings.calls_bytes_an_hour)
    bus.consume(CASES, partial(react, REACTIONS, listening))
    bus.consume(DUE, listening.deadlines.receive)
    for command_type, handler in handlers_of(listening).items():
        bus.command(command_type, handler)
    timeout_s = settings.request_timeout_s
    stream = Stream(service.log.connection, subjects.PARKED, timeout_s, timeout_s)
    parked_context = ParkedContext(listening.intake, stream)
    bus.command(TakeUpParked, partial(parked.take_up, parked_context))
    bus.command(SetParkedAside, partial(parked.set_aside, parked_context))
    service.at_start.append(listening.deadlines.set_anew)
    return service


def _listening(service: Service) -> Listening:
    settings, context = service.settings, service.context
    timeout_s = settings.request_timeout_s
    rules, spans = rules_of(settings), spans_of(Spans, settings)
    outbound = Stream(service.log.connection, subjects.OUTBOUND, timeout_s, timeout_s)

    def standing_of(case_id: str, channel: Channel) -> Standing:
        return Standing.of(service.log.load_current(case_id).state, channel)

    deadlines = deadlines_of(context, service.timers(), spans)
    return Listening(
        Intake(
            context,
            Index(service.bucket(subjects.INDEX_BUCKET), standing_of),
            rules,
            partial(supervisors_among, service.people),
        ),
        EarlyEnds(service.bucket(subjects.EARLY_ENDS_BUCKET)),
        Sending(
            context,
            partial(give_once, outbound, timeout_s),
            read_channel_public_keys(settings.keys_dir),
            policy().channels.messages,
            spans.report,
            deadlines.keep,
        ),
        deadlines,
    )


def supervisors_among(people: Directory | None, by: str) -> Supervisors:
    """Whoever asks, if they are a supervisor; nobody is named while nobody has a key."""
    if people is None or not people.anybody_signs():
        return Supervisors()
    person = people.person(by)
    is_one = "supervisor" in person.roles and not person.suspended
    return Supervisors((by if is_one else NOBODY,))


def rules_of(settings: Settings) -> Rules:
    return Rules(
        lease=timedelta(minutes=settings.lease_minutes),
        supervisors=Supervisors(),
        retention=timedelta(days=settings.retention_days),
    )


def deadlines_of(context: Context, timers: Timers, spans: Spans) -> Deadlines[IntakeState]:
    return Deadlines(context, timers, KINDS, partial(due_in, spans=spans), decide_due)


def handlers_of(listening: Listening) -> dict[type[Command], CommandHandler]:
    """What carries out each command about a case."""
    intake = listening.intake
    return {
        **dict.fromkeys((*handlers.DECIDERS, *handlers.RULED), partial(handlers.carry_out, intake)),
        commands.ProvidePersonalData: partial(handlers.provide_personal_data, intake),
        commands.SetContactRule: partial(handlers.set_contact_rule, intake),
        commands.IssueReturnCode: partial(issue_return_code, intake),
        commands.OpenOtherCase: partial(others.open_other_case, intake),
        commands.JoinGroup: partial(others.join_group, intake),
        commands.LinkCases: partial(others.link_cases, intake),
        commands.SendMessage: partial(sending.send_message, listening.sending),
    }


def main() -> None:
    own_process(SERVICE)
    run_to_end(wire(own_settings()).run())
