"""What intake does about erasure: on a command, and on what ends a man's way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.intake.erasure import decide_erase, decide_queued
from shared.commands.intake import ErasePersonalData
from shared.events.base import CaseEvent
from shared.log.transact import Outcome, transact
from shared.skeleton.service import Context


@dataclass(frozen=True)
class Erasure:
    """What these handlers work with."""

    context: Context
    retention: timedelta
    """How long a closed case is kept at least, unless somebody asks."""


def erase(erasure: Erasure, command: ErasePersonalData) -> Outcome:
    """Erases, or queues the erasure."""
    context = erasure.context
    return transact(
        context.writer,
        command.case_id,
        context.cause_of(command),
        lambda state: decide_erase(state, command, context.now(), erasure.retention),
    )


def finish(erasure: Erasure, event: CaseEvent[Any]) -> Outcome:
    """Does what was queued while he was on his way, when something has ended it."""
    context = erasure.context
    return transact(context.writer, event.subject, context.cause_in(event), decide_queued)
