"""The fold: it takes every event in any order, and facts in any order give the same."""

from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from services.handover.state import HandoverState, evolve
from shared.events.base import CaseEvent
from shared.events.catalogue import AnyCaseEvent
from shared.events.custody import CustodyChanged
from tests.examples import NOON, CaseBook, arrived_in_ukraine, call_linked, case_opened
from tests.handover.cases import HOUR, given
from tests.rarer_examples import every_event

FACTS = CaseBook().add_all(
    [
        case_opened(),
        call_linked(),
        arrived_in_ukraine(),
        call_linked("call-3"),
        CustodyChanged(custody="arrived_at_camp", changed_at=NOON),
        CustodyChanged(custody="transferred", changed_at=NOON + HOUR),
        CustodyChanged(custody="hospitalised", changed_at=NOON + 2 * HOUR),
    ]
)


def folded(events: list[CaseEvent[AnyCaseEvent]]) -> HandoverState:
    state = HandoverState()
    for event in events:
        state = evolve(state, event)
    return state


def test_evolve_takes_every_event_in_any_order() -> None:
    assert given(*every_event()).opened
    assert given(*reversed(every_event())).opened


@examples(st.permutations(FACTS))
@settings(deadline=None, max_examples=200)
def test_facts_in_any_order_give_the_same_state(facts: list[CaseEvent[AnyCaseEvent]]) -> None:
    assert folded(facts) == folded(FACTS)
