"""A case of many calls: to fold twice as many takes about twice as long, in each service."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from services.handover.state import HandoverState
from services.handover.state import evolve as evolve_handover
from services.intake.state import IntakeState
from services.intake.state import evolve as evolve_intake
from shared.events.base import FIRST_PREVHASH, CaseEvent, Event, chain_hash, type_of
from shared.events.calls import CallEnded
from shared.events.catalogue import envelope_of
from shared.events.fields import Sealed
from shared.events.intake import CallLinked
from shared.events.parsing import read_case_event
from shared.log.case_log import ChainedEvent, Fold
from shared.log.history import EVENTS_KEPT, History
from tests.contexts import context_for
from tests.examples import CASE, NOON, call_linked

pytestmark = pytest.mark.wide

FEW, MANY, BLOCK = 1_000, 16_000, 50
CONTAINER_BYTES = 512 * 2**20
"""As docker-compose.yml has it."""


def _linked(number: int) -> Event:
    return CallLinked(
        call_id=f"call-{number}",
        channel="phone",
        caller_key="0" * 64,
        language="ru",
        started_at=NOON,
        basis="return_code",
        confidence=0.6,
        second_fact_needed=True,
    )


def _of_another_number(number: int) -> Event:
    event = call_linked(f"call-{number}", "phone")
    return event.model_copy(update={"caller_key": f"{number:064x}", "text": None})


def _ended(number: int) -> Event:
    return CallEnded(call_id=f"call-{number}", channel="phone", ended_at=NOON)


@pytest.mark.parametrize("data", [_linked, _of_another_number, _ended])
@pytest.mark.parametrize(
    "service",
    [
        Fold(IntakeState(), evolve_intake),
        Fold(HandoverState(), evolve_handover),
    ],
    ids=["intake", "handover"],
)
def test_a_call_of_a_long_case_costs_what_one_of_a_short_case_does(
    service: Fold[Any], data: Callable[[int], Event]
) -> None:
    assert _seconds_a_call(service, data, MANY) < 3 * _seconds_a_call(service, data, FEW)


def test_what_is_kept_of_cases_takes_no_more_than_half_of_a_containers_memory() -> None:
    log = context_for("intake", Fold(IntakeState(), evolve_intake)).writer.log
    prevhash, links = FIRST_PREVHASH, []
    for number in range(FEW):
        longest = Sealed(f"1.{number:01508d}")  # An address of 200 letters of three bytes.
        call = _of_another_number(number).model_copy(update={"caller_address": longest})
        stored = _event(call, number, prevhash).model_dump_json(exclude_none=True).encode()
        prevhash = chain_hash(stored)
        links.append((stored, prevhash))
    tracemalloc.start()
    history = log.follow(
        History(CASE, IntakeState()),
        (
            ChainedEvent(read_case_event(stored), after, FEW + at)
            for at, (stored, after) in enumerate(links)
        ),
    )
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert history.version == FEW
    assert EVENTS_KEPT * kept / FEW < CONTAINER_BYTES / 2


def _seconds_a_call(service: Fold[Any], data: Callable[[int], Event], calls: int) -> float:
    state, events = service.initial, [_event(data(n), n) for n in range(calls)]
    for event in events[:-FEW]:
        state = service.evolve(state, event)
    took: list[float] = []
    for begin in range(calls - FEW, calls, BLOCK):
        began = time.thread_time()
        for event in events[begin : begin + BLOCK]:
            state = service.evolve(state, event)
        took.append((time.thread_time() - began) / BLOCK)
    return min(took)  # A busy machine, or what Python tidies up meanwhile, makes others longer.


def _event(data: Event, number: int, prevhash: str = FIRST_PREVHASH) -> CaseEvent[Any]:
    return envelope_of(data)(
        id=f"event-{number}",
        source="/services/intake",
        type=type_of(type(data)),
        subject=CASE,
        time=NOON,
        data=data,
        caseversion=number + 1,
        correlationid=f"call-{number}",
        causationid=f"phone-call-{number}",
        actor="channel:phone",
        prevhash=prevhash,
    )
