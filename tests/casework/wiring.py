"""The four services wired as their own `main` wires them, without a server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from nacl.public import PrivateKey
from typing_extensions import override

import services.desk
import services.desk.deadlines
import services.desk.main
import services.handover
import services.handover.deadlines
import services.handover.handlers
import services.handover.main
import services.intake
import services.intake.deadlines
import services.intake.main
import services.verification
import services.verification.deadlines
import services.verification.handlers
import services.verification.main
from services.desk.handlers import Desk
from services.desk.reactions import REACTIONS as DESK_REACTIONS
from services.desk.state import DeskState
from services.desk.state import evolve as evolve_desk
from services.handover.reactions import REACTIONS as HANDOVER_REACTIONS
from services.handover.reactions import Handover
from services.handover.state import HandoverState
from services.handover.state import evolve as evolve_handover
from services.intake.handlers import Intake
from services.intake.reactions import REACTIONS as INTAKE_REACTIONS
from services.intake.reactions import Listening
from services.intake.receiving import EarlyEnds
from services.intake.routing import Index, Standing
from services.intake.sending import Sending
from services.intake.state import IntakeState
from services.intake.state import evolve as evolve_intake
from services.verification.handlers import Verification
from services.verification.reactions import REACTIONS as VERIFICATION_REACTIONS
from services.verification.registry import Registry
from services.verification.registry_answers import RegistryAnswer
from services.verification.state import VerificationState
from services.verification.state import evolve as evolve_verification
from shared.callers.outgoing import OutgoingMessage
from shared.commands.base import Command, Unavailable
from shared.commands.verification import CheckRegistry
from shared.events.fields import Channel
from shared.log.case_log import Fold
from shared.log.transact import Outcome
from shared.matching import Stated
from shared.parked.parking import Delivery
from shared.people.site import site_of
from shared.policy import policy
from shared.settings import Settings
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.due import spans_of
from shared.skeleton.reactions import react
from shared.skeleton.service import Context
from shared.subjects import Durable
from tests.contexts import MemoryBucket, MemoryTimers

SERVICES = ("intake", "verification", "handover", "desk")
DURABLES: dict[str, Durable] = {
    "intake": services.intake.CASES,
    "verification": services.verification.CASES,
    "handover": services.handover.CASES,
    "desk": services.desk.CASES,
}
SETTINGS = Settings()
CHANNEL_KEY = PrivateKey(b"c" * 32).public_key

FOLDS: dict[str, Fold[Any]] = {
    "intake": Fold(IntakeState(), evolve_intake),
    "verification": Fold(VerificationState(), evolve_verification),
    "handover": Fold(HandoverState(), evolve_handover),
    "desk": Fold(DeskState(), evolve_desk),
}


class FewKnow(Registry):
    """A registry that knows whom it is told to know: by surname."""

    name = "invented"

    def __init__(self, known: dict[str, RegistryAnswer]) -> None:
        self.known = known

    @override
    def look_up(self, claim: Stated) -> RegistryAnswer:
        return self.known.get(claim.surname or "", RegistryAnswer("none"))


class Posted:
    def __init__(self) -> None:
        self.messages: list[OutgoingMessage] = []

    def give(self, message: OutgoingMessage, _now: datetime) -> bool:
        self.messages.append(message)
        return True


@dataclass
class Wired:
    post: Posted = field(default_factory=Posted)
    hears: dict[str, Callable[[Delivery], Outcome]] = field(default_factory=dict)
    deadlines: dict[str, Deadlines[Any]] = field(default_factory=dict)
    carries_out: dict[type[Command], Callable[[Any], Any]] = field(default_factory=dict)

    def intake(self, context: Context, timers: MemoryTimers) -> Intake:
        rules = services.intake.main.rules_of(SETTINGS)

        def standing_of(case_id: str, channel: Channel) -> Standing:
            return Standing.of(context.writer.log.load_current(case_id).state, channel)

        spans = spans_of(services.intake.deadlines.Spans, SETTINGS)
        due = services.intake.main.deadlines_of(context, timers, spans)
        intake = Intake(context, Index(MemoryBucket(), standing_of), rules)
        channel_keys = {"phone": CHANNEL_KEY, "telegram": CHANNEL_KEY}
        sender = Sending(
            context,
            self.post.give,
            channel_keys,
            policy().channels.messages,
            spans.report,
            due.keep,
        )
        heard = Listening(intake, EarlyEnds(MemoryBucket()), sender, due)
        self.deadlines["intake"] = due
        self.hears["intake"] = partial(react, INTAKE_REACTIONS, heard)
        self.carries_out |= services.intake.main.handlers_of(heard)
        return intake

    def verification(self, context: Context, timers: MemoryTimers, registry: Registry) -> None:
        spans = spans_of(services.verification.deadlines.Spans, SETTINGS)
        due = services.verification.main.deadlines_of(context, timers, spans)
        verification = Verification(context, registry, due)
        self.deadlines["verification"] = due
        self.hears["verification"] = partial(react, VERIFICATION_REACTIONS, verification)
        for kind in services.verification.handlers.DECIDERS:
            self.carries_out[kind] = partial(services.verification.handlers.carry_out, verification)
        self.carries_out[CheckRegistry] = partial(
            services.verification.handlers.check_registry, verification
        )

    def handover(self, context: Context, timers: MemoryTimers) -> None:
        spans = spans_of(services.handover.deadlines.Spans, SETTINGS)
        due = services.handover.main.deadlines_of(context, timers, spans)
        self.deadlines["handover"] = due
        self.hears["handover"] = partial(react, HANDOVER_REACTIONS, Handover(context, due))
        for kind in services.handover.handlers.DECIDERS:
            self.carries_out[kind] = partial(services.handover.handlers.carry_out, context)

    def desk(self, context: Context, timers: MemoryTimers) -> Desk:
        desk = services.desk.main.desk_of(
            context,
            timers,
            spans_of(services.desk.deadlines.Spans, SETTINGS),
            site_of(SETTINGS),
            lambda _: Unavailable(reason="nobody proposes anything here"),
        )
        self.deadlines["desk"] = desk.deadlines
        self.hears["desk"] = partial(react, DESK_REACTIONS, desk)
        self.carries_out |= services.desk.main.handlers_of(desk)
        return desk
