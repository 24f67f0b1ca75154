"""Given a case's events, then its row says what the services' own folds say."""

from functools import reduce
from itertools import product

import pytest

from services.handover.identity_state import IdentityView
from services.handover.state import HandoverState
from services.handover.state import evolve as evolve_handover
from services.query.models.case_row import IdentityState
from services.query.models.group import group_of
from services.verification.state import VerificationState
from services.verification.state import evolve as evolve_verification
from shared.events import groups, handover, intake
from shared.events.base import Event
from tests import examples as e
from tests.examples import CASE, CaseBook
from tests.query.test_projections import case_after

LOST = [e.case_opened(), e.arrived_in_ukraine(), e.contact_lost()]
TOLD = e.arrived_in_ukraine().model_copy(update={"call_id": None})
GUIDED = handover.GuidanceGiven(step=e.sealed("follow the river"), call_id="call-2")
GUIDED_BY_MESSAGE = handover.GuidanceGiven(step=GUIDED.step, message_id="message-1")

GIVEN = e.personal_data_provided()
MATCH, PARTIAL, NONE, AMBIGUOUS, UNAVAILABLE = (
    e.registry_checked(one, about_event="last")
    for one in ("match", "partial", "none", "ambiguous", "unavailable")
)
CONTRADICTED, REJECTED = e.identity_contradicted(), e.identity_rejected()
BY_REGISTRY = CONTRADICTED.model_copy(update={"registry": "invented registry"})
VERIFIED = e.identity_verified()


def about_last(events: list[Event]) -> list[Event]:
    """The events, each answer about the personal data given last before it."""
    about, told = "", list[Event]()
    for version, event in enumerate(events, start=1):
        if event is GIVEN:
            about = f"{CASE}-{version}"
        is_answer = getattr(event, "about_event", None) == "last"
        told.append(event.model_copy(update={"about_event": about}) if is_answer else event)
    return told


def handover_after(*events: Event) -> HandoverState:
    return reduce(evolve_handover, CaseBook().add_all(events), HandoverState())


def verification_after(*events: Event) -> VerificationState:
    return reduce(evolve_verification, CaseBook().add_all(events), VerificationState())


@pytest.mark.parametrize(
    ("event", "contact"),
    [
        (e.arrived_in_ukraine(), "in_touch"),
        (GUIDED, "in_touch"),
        (handover.ContactRegained(by="Olena Example"), "in_touch"),
        (TOLD, "lost"),
        (GUIDED_BY_MESSAGE, "lost"),
    ],
)
def test_only_who_was_on_a_call_is_lost_no_more(event: Event, contact: str) -> None:
    assert case_after(*LOST, event).contact == contact
    assert handover_after(*LOST, event).contact.is_lost == (contact == "lost")


@pytest.mark.parametrize(
    ("events", "identity"),
    [
        ([GIVEN, CONTRADICTED, REJECTED], "rejected"),
        ([GIVEN, CONTRADICTED, REJECTED, GIVEN], "contradicted"),
        ([GIVEN, CONTRADICTED, REJECTED, GIVEN, PARTIAL], "contradicted"),
        ([GIVEN, CONTRADICTED, REJECTED, GIVEN, MATCH], "partial"),
        ([GIVEN, CONTRADICTED, GIVEN, REJECTED, MATCH, GIVEN], "claimed"),
        ([GIVEN, BY_REGISTRY, PARTIAL], "contradicted"),
        ([GIVEN, BY_REGISTRY, MATCH], "partial"),
        ([GIVEN, CONTRADICTED, BY_REGISTRY, MATCH], "contradicted"),
        ([GIVEN, CONTRADICTED, VERIFIED], "verified"),
        ([GIVEN, CONTRADICTED, VERIFIED, GIVEN], "claimed"),
        ([GIVEN, MATCH, UNAVAILABLE], "partial"),
        ([GIVEN, MATCH, NONE], "claimed"),
        ([GIVEN, PARTIAL, AMBIGUOUS], "claimed"),
        ([GIVEN, UNAVAILABLE], "claimed"),
    ],
)
def test_who_he_is_known_to_be(events: list[Event], identity: IdentityState) -> None:
    assert case_after(*about_last([e.case_opened(), *events])).identity == identity


STEPS = [GIVEN, MATCH, PARTIAL, NONE, UNAVAILABLE, CONTRADICTED, BY_REGISTRY, REJECTED, VERIFIED]


def test_the_row_knows_as_much_of_him_as_the_services() -> None:
    for steps in product(STEPS, repeat=4):
        events = about_last([e.case_opened(), GIVEN, *steps])
        row = case_after(*events)
        view, state = handover_after(*events).identity, verification_after(*events)
        assert row.contradicted == view.contradicted == (state.contradicted_at is not None), steps
        assert (row.identity == "partial") == is_partial(view), steps
        assert (row.identity == "verified") == view.verified == (state.verified is not None), steps
        assert (row.identity == "rejected") <= view.rejected == state.rejected, steps
        overruled = CONTRADICTED in steps and VERIFIED in steps
        helps = state.registry in {"match", "partial"}
        assert view.partial == helps or view.contradicted or overruled, steps


def is_partial(view: IdentityView) -> bool:
    return view.partial and not (view.is_doubted or view.verified)


def test_an_absent_registry_takes_no_match_back() -> None:
    events = about_last([e.case_opened(), GIVEN, MATCH, UNAVAILABLE])
    assert verification_after(*events).registry == "match"
    assert handover_after(*events).identity.partial
    first = about_last([e.case_opened(), GIVEN, UNAVAILABLE])
    assert verification_after(*first).registry == "unavailable"


FORMED = groups.GroupFormed(group_id=CASE, declared_size=4)
ALONE = intake.SurrenderDeclared(party="alone", declared_size=1)
WITH_SIX = intake.SurrenderDeclared(party="group", declared_size=6)
DECLARED, OBSERVED = (
    groups.HeadsCounted(group_id=CASE, kind=kind, count=3, source="invented")
    for kind in ("declared", "observed")
)


@pytest.mark.parametrize(
    "told",
    [
        [FORMED],
        [ALONE, FORMED],
        [FORMED, ALONE],
        [FORMED, DECLARED, WITH_SIX],
        [FORMED, WITH_SIX, DECLARED],
        [FORMED, OBSERVED, ALONE],
    ],
)
def test_a_group_s_sheet_expects_as_many_as_its_receipt_is_compared_with(
    told: list[Event],
) -> None:
    events = [e.case_opened(), *told]
    sheet = group_of(CaseBook().add_all(events))
    assert sheet is not None
    assert sheet.expected == handover_after(*events).party.expected
