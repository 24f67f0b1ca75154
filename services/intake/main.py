"""intake's wiring: what it listens to, and which handler answers."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial

from services.intake import CALLS, DUE, SERVICE, WAY_ENDS, erasing, handlers, sending, shifting
from services.intake.durability import Durability
from services.intake.erasing import Erasure
from services.intake.handlers import Intake
from services.intake.outbox import UNREPORTED, decide_unreported, unreported_at
from services.intake.routing import Index
from services.intake.sending import OutboundStream, Sending
from services.intake.state import IntakeState, evolve
from shared import subjects
from shared.case_log import Fold
from shared.commands.intake import (
    ErasePersonalData,
    IssueReturnCode,
    ProvidePersonalData,
    SendMessage,
)
from shared.deadlines import Deadlines
from shared.events.calls import DeliveryReported
from shared.events.outbound import MessageQueued
from shared.events.reading import read_case_event, read_upstream
from shared.keyfiles import read_channel_public_keys
from shared.own_process import own_process
from shared.parking import Delivery
from shared.service import Service, assemble
from shared.settings import Settings
from shared.subjects import read_case_subject
from shared.timers import read_timer
from shared.transact import Outcome


def wire(settings: Settings) -> Service:
    """Gives intake, ready to run."""
    service = assemble(SERVICE, Fold(IntakeState(), evolve), settings)

    def is_closed(case_id: str) -> bool:
        return bool(service.log.load_current(case_id).state.closed_as)

    intake = Intake(service.desk, Index(service.bucket(subjects.INDEX_BUCKET), is_closed))
    erasure = Erasure(
        service.desk,
        service.timers(),
        retention=timedelta(days=settings.retention_days),
        location_retention=timedelta(hours=settings.location_retention_hours),
    )
    report_within = timedelta(minutes=settings.outbound_report_minutes)

    def due(state: IntakeState) -> dict[str, datetime]:
        at = unreported_at(state.outbox, report_within)
        return {} if at is None else {UNREPORTED: at}

    deadlines = Deadlines(
        service.desk,
        service.timers(),
        frozenset({UNREPORTED}),
        due,
        lambda state, _: decide_unreported(state.outbox),
    )
    outbox = Sending(
        service.desk,
        OutboundStream(service.log.connection, settings.request_timeout_s),
        read_channel_public_keys(settings.keys_dir),
        report_within,
        deadlines.keep,
    )
    bus = service.bus
    durability = Durability(service.log.connection, settings)
    bus.ready_only_if(durability.is_assured)

    def receive_upstream(delivery: Delivery) -> Outcome:
        if isinstance(read_upstream(delivery.body).data, DeliveryReported):
            return sending.receive_report(outbox, delivery)
        return handlers.receive_call(intake, delivery)

    def receive_event(delivery: Delivery) -> Outcome:
        event = read_case_event(delivery.body, read_case_subject(delivery.subject).type_name)
        if isinstance(event.data, MessageQueued):
            return sending.dispatch(outbox, event)
        return erasing.receive_event(erasure, delivery)

    def receive_timer(delivery: Delivery) -> Outcome:
        if read_timer(delivery).kind == UNREPORTED:
            return deadlines.receive(delivery)
        return erasing.receive_timer(erasure, delivery)

    bus.consume(CALLS, durability.guarded(receive_upstream))
    for command_type in handlers.DECISIONS:
        bus.command(command_type, partial(handlers.carry_out, intake))
    bus.command(ProvidePersonalData, partial(handlers.provide_personal_data, intake))
    bus.command(IssueReturnCode, partial(handlers.issue_return_code, intake))
    bus.consume(WAY_ENDS, receive_event)
    bus.consume(DUE, receive_timer)
    bus.command(SendMessage, partial(sending.send_message, outbox))
    for command_type in shifting.DECISIONS:
        bus.command(command_type, partial(shifting.carry_out, service.desk))
    bus.command(ErasePersonalData, partial(erasing.erase, erasure))
    return service


def main() -> None:
    """Runs intake until it is told to stop."""
    own_process(SERVICE)
    asyncio.run(wire(Settings()).run())
