"""Given what happens after the receipt, then the row: custody, exchange, consents."""

from __future__ import annotations

from itertools import permutations

import pytest

from services.query.models.queue import need_of
from shared.events import custody
from tests import examples as e
from tests.examples import CASE
from tests.query.test_projections import case_after, rows_after
from tests.query.test_regions import ARRIVED, RECEIVED, in_camp, without_position
from tests.rarer_examples import AT, PETRO


def test_after_the_receipt_come_custody_and_exchange_and_nothing_goes_back() -> None:
    gone = [*RECEIVED, in_camp(), custody.Exchanged(exchanged_at=AT)]
    assert case_after(*gone[:-1]).progress == "in_custody"
    row = case_after(*gone, in_camp("transferred", hours=-1), e.rendezvous_planned("meet-9"))
    assert (row.progress, row.custody) == ("exchanged", "arrived_at_camp")
    assert need_of(row) == "close"


GONE: tuple[custody.Custody, ...] = ("released", "repatriated", "escaped", "died")


@pytest.mark.parametrize("gone", GONE)
def test_who_is_not_held_any_more_moves_to_no_stage(gone: custody.Custody) -> None:
    for given, progress in (
        ([e.case_opened()], "new"),
        (ARRIVED, "arrived"),
        (RECEIVED, "handed_over"),
        ([*RECEIVED, in_camp()], "in_custody"),
    ):
        row = case_after(*given, in_camp(gone, 1))
        assert (row.progress, row.custody) == (progress, gone)
    (funnel,) = rows_after(*RECEIVED, in_camp(gone)).after[CASE].statistics_funnel
    assert funnel.in_custody_at is None


@pytest.mark.parametrize("held", ["arrived_at_camp", "transferred", "hospitalised"])
def test_only_who_was_received_is_in_custody_when_he_is_held(held: custody.Custody) -> None:
    assert case_after(e.case_opened(), in_camp(held)).progress == "new"
    assert case_after(*RECEIVED, in_camp(held)).progress == "in_custody"


def test_reports_of_custody_give_the_same_row_in_any_order() -> None:
    reports = [in_camp(), in_camp("hospitalised", 1), in_camp("transferred", 2), e.handed_over()]
    found = {without_position(case_after(*RECEIVED[:-1], *some)) for some in permutations(reports)}
    assert len(found) == 1
    assert {(row.custody, row.progress) for row in found} == {("transferred", "in_custody")}


def test_consents_stand_until_they_are_withdrawn() -> None:
    given = custody.ExchangeConsentGiven(language="ru", wording="exchange-3", witness=PETRO)
    shown = custody.PublicityConsentGiven(language="ru", wording="publicity-1", witness=PETRO)
    asked = custody.ExchangeOffered(language="ru", wording="exchange-3")
    row = case_after(*RECEIVED, given, asked, shown)
    assert (row.exchange_consent, row.publicity_consent) == ("given", "given")
    row = case_after(
        *RECEIVED,
        given,
        shown,
        custody.ExchangeConsentWithdrawn(witness=PETRO),
        custody.PublicityConsentWithdrawn(witness=PETRO),
    )
    assert (row.exchange_consent, row.publicity_consent) == ("withdrawn", "withdrawn")
    assert case_after(*RECEIVED, asked).exchange_consent == "asked"
