"""Erasure on a command, and on whatever ends a man's way."""

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
    context: Context
    retention: timedelta
    """The least time a closed case is kept unless someone asks."""


def erase(erasure: Erasure, command: ErasePersonalData) -> Outcome:
    context = erasure.context
    return transact(
        context.writer,
        command.case_id,
        context.cause_of(command),
        lambda state: decide_erase(state, command, context.now(), erasure.retention),
    )


def finish(erasure: Erasure, event: CaseEvent[Any]) -> Outcome:
    context = erasure.context
    return transact(context.writer, event.subject, context.cause_in(event), decide_queued)
