"""What an erasure changes in the read models: the timeline tells of it, and no count changes."""

from __future__ import annotations

from services.query.masking import ERASED, SEALED, Erased, state_of
from services.query.models.folding import ReadEvent, Rows, fold
from shared.events.base import Event
from tests import examples as e

GUIDED = e.whole_way()[:13]
HANDED_OVER = [*e.whole_way()[13:-1]]
POSITION = {"version", "sequence", "last_event_at", "offer_answered_at"}


def rows_after(*events: Event) -> Rows:
    rows, book = Rows(), e.CaseBook()
    read = []
    for sequence, event in enumerate(book.add_all(events), start=1):
        read.append(ReadEvent(sequence, event.time, book.stored[sequence - 1][1], event))
    fold(read, rows)
    return rows


def test_erasure_is_an_entry_of_the_timeline_and_of_the_archive() -> None:
    rows = rows_after(*GUIDED, e.erasure_requested(), *HANDED_OVER, e.personal_data_erased())
    assert [one.type_name for one in rows.timeline][13] == "ErasureRequested"
    assert rows.timeline[-1].type_name == "PersonalDataErased"
    assert [one.version for one in rows.archive] == [one.version for one in rows.timeline]


def test_no_count_changes_and_the_case_stands_where_it_stood() -> None:
    plain = rows_after(*GUIDED, *HANDED_OVER, e.case_closed())
    erased = rows_after(
        *GUIDED, e.erasure_requested(), *HANDED_OVER, e.personal_data_erased(), e.case_closed()
    )
    assert erased.calls == plain.calls
    one, other = erased.after[e.CASE], plain.after[e.CASE]
    assert one.queue == other.queue
    stages, others = (
        {name for name, at in row.statistics_funnel[0]._asdict().items() if at is not None}
        for row in (one, other)
    )
    assert stages == others
    unlike = dict(one.state._asdict().items() - other.state._asdict().items())
    assert unlike.keys() == POSITION
    assert unlike["last_event_at"] > e.NOON


def test_what_a_request_is_filed_under_is_shown_as_erased_with_the_rest() -> None:
    erased: Erased = {"identity": 5, "narrative": 5}
    event = e.CaseBook(version=4).add(e.personal_data_erased("identity", "narrative"))
    later = e.CaseBook(version=5).add(e.note_added())
    assert state_of(event, "narrative", erased) == ERASED
    assert state_of(later, "narrative", erased) == SEALED
