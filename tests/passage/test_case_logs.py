"""`passage verify` finds every way in which a log can be wrong, and nothing in a good one."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passage.integrity.findings import Findings
from passage.integrity.verify.case_logs import CaseLogs, Promise
from passage.integrity.verify.everything import DigestCheck
from passage.integrity.verify.index_check import IndexCheck
from shared.events.base import Event
from shared.events.fields import Sealed
from shared.events.intake import CaseOpened, NoteAdded, ReturnCodeIssued, SurrenderDeclared
from shared.jetstream.stored import StoredMessage
from shared.witnesses.heads import RolledDigest
from tests import examples as e
from tests.rarer_examples import of_shifts

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEALED = Sealed("1." + "A" * 60)
STORED_AT = "2026-11-22T11:59:00.123456789Z"


def opened(number: int) -> CaseOpened:
    event = e.case_opened(f"call-{number}", at=NOW)
    return event.model_copy(update={"caller_key": f"{number:064x}"})


def withheld(number: int) -> CaseOpened:
    return opened(number).model_copy(update={"caller_key": None, "caller_address": None})


def stored_log(case_id: str, events: list[Event], first_sequence: int = 1) -> list[StoredMessage]:
    book = e.CaseBook(case_id, NOW)
    book.add_all(events)
    return [
        StoredMessage(first_sequence + at, f"cases.{case_id}.{at + 1}.{name}", body, STORED_AT)
        for at, (name, body) in enumerate(book.stored)
    ]


def good_log() -> list[StoredMessage]:
    declared = SurrenderDeclared(party="alone", declared_size=1)
    first = [opened(1), declared, ReturnCodeIssued(code_hash="b" * 64), NoteAdded(text=SEALED)]
    return stored_log("FIRST", first) + stored_log("SECOND", [opened(2), declared], 5)


def checks(log: list[StoredMessage], last: int | None = None) -> list[str]:
    findings = Findings()
    for check in (DigestCheck(RolledDigest("the log"), findings), CaseLogs(findings)):
        for stored in log:
            check.take([stored])
        check.end(log[-1].sequence if last is None else last)
    return [f"{one.check}: {one.what}" for one in findings.kept]


def without(position: int) -> list[StoredMessage]:
    log = good_log()
    return log[:position] + log[position + 1 :]


def changed(position: int, change: Callable[[StoredMessage], StoredMessage]) -> list[StoredMessage]:
    log = good_log()
    log[position] = change(log[position])
    return log


def test_a_good_log_has_no_findings() -> None:
    assert checks(good_log()) == []


def test_a_missing_event_is_found_by_sequence_and_version() -> None:
    found = checks(without(1))
    assert found[0] == "contiguous sequences: missing: 2 to 2"
    assert found[1] == "versions 1..n: follows version 1 of its case"


def test_a_log_that_ends_too_early_is_found() -> None:
    assert checks(good_log(), last=9) == ["contiguous sequences: the log continues to 9"]


def test_a_changed_event_breaks_the_chain_at_the_next() -> None:
    flipped = changed(1, lambda one: one._replace(body=one.body.replace(b"alone", b"group")))
    assert checks(flipped) == ["chain: prevhash doesn't fit the event before it"]


def test_an_event_under_another_subject_is_found() -> None:
    moved = changed(5, lambda one: one._replace(subject=one.subject.replace("SECOND", "FIRST")))
    assert checks(moved) == ["readable: it is stored under another event's subject"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"type":"passage.Unknown.v1"}', b"\xff\xfe"]
)
def test_what_is_no_event_is_found(body: bytes) -> None:
    found = checks(changed(5, lambda one: one._replace(body=body)))
    assert len(found) == 1
    assert found[0].startswith("readable: ")


def test_an_event_of_another_service_is_found() -> None:
    forged = changed(
        5, lambda one: one._replace(body=one.body.replace(b"/services/intake", b"/services/query"))
    )
    assert checks(forged) == ["transitions: SurrenderDeclared is not from /services/intake"]


def test_a_case_that_begins_with_another_event_is_found() -> None:
    log = stored_log("FIRST", [SurrenderDeclared(party="alone", declared_size=1)])
    assert checks(log) == ["transitions: its log doesn't begin with CaseOpened"]


def test_logs_of_shifts_and_exports_are_good_and_no_cases() -> None:
    started, *_, ended, exported = of_shifts()
    shift = stored_log("SHIFT-night", [started, ended], 7)
    findings, promises = Findings(), list[Promise]()
    logs = CaseLogs(findings, promise=promises.extend)
    logs.take([*good_log(), *shift, *stored_log("EXPORT-1", [exported], 9)])
    assert all(one.sequence < 7 for one in promises)
    assert findings.kept == []
    assert logs.cases == 2
    assert logs.knows("SHIFT-night")


def _from_intake(log: list[StoredMessage]) -> list[StoredMessage]:
    return [
        one._replace(body=one.body.replace(b"/services/desk", b"/services/intake")) for one in log
    ]


def test_shifts_that_intake_recorded_before_desk_did_are_good() -> None:
    before = _from_intake(stored_log("SHIFT-night", [of_shifts()[0]]))
    assert checks(before) == []
    after = _from_intake(stored_log("SHIFT-day", [of_shifts()[0]], 2))
    by_desk = stored_log("EXPORT-1", [of_shifts()[-1]])
    assert checks([*by_desk, *after]) == ["transitions: ShiftStarted is not from /services/desk"]


@pytest.mark.parametrize(
    ("log_id", "position", "first"),
    [
        ("SHIFT-night", 4, "ShiftStarted"),
        ("EXPORT-1", 0, "StatisticsExported"),
        ("FIRST", 0, "CaseOpened"),
    ],
)
def test_a_log_that_begins_as_another_kind_does_is_found(
    log_id: str, position: int, first: str
) -> None:
    found = checks(stored_log(log_id, [of_shifts()[position]]))
    assert f"transitions: its log doesn't begin with {first}" in found


def test_an_event_of_the_desk_in_the_log_of_a_case_is_found() -> None:
    log = stored_log("FIRST", [opened(1), of_shifts()[0]])
    assert checks(log) == ["transitions: ShiftStarted in the log of a case"]


def entry(key: str, case_id: str, at: datetime = NOW) -> StoredMessage:
    text = at.isoformat().replace("+00:00", ".0Z")
    return StoredMessage(0, f"$KV.INDEX.{key}", f'{{"case_id":"{case_id}"}}'.encode(), text)


def index_findings(
    folder: Path, promises: list[Promise], entries: list[StoredMessage]
) -> list[tuple[str, str]]:
    findings = Findings()
    with closing(IndexCheck(folder, findings)) as index:
        index.promise(promises)
        for sequence, one in enumerate(entries, start=1):
            index.take([one._replace(sequence=one.sequence or sequence)])
        index.compare(NOW + timedelta(minutes=6), lambda case_id: case_id == "FIRST")
    return [(one.severity, one.what) for one in findings.kept]


def promised(log: list[StoredMessage]) -> list[Promise]:
    found = list[Promise]()
    CaseLogs(Findings(), promise=found.extend).take(log)
    return found


def test_the_index_agrees_with_a_good_log(tmp_path: Path) -> None:
    log = good_log()
    entries = [entry(one.key, one.case_id) for one in promised(log)]
    assert {one.key.partition(".")[0] for one in promised(log)} == {"call", "caller", "code"}
    assert index_findings(tmp_path, promised(log), entries) == []


def test_a_call_is_promised_by_channel_and_id_and_a_withheld_number_by_no_caller() -> None:
    known, unknown = (promised(stored_log("A", [one])) for one in (opened(1), withheld(1)))
    assert [one.key for one in known] == ["call.phone.call-1", f"caller.{1:064x}"]
    assert [one.key for one in unknown] == ["call.phone.call-1"]


def test_a_number_that_may_be_several_is_promised_under_none_of_them() -> None:
    doubtful = opened(1).model_copy(update={"reading_keys": ("c" * 64, "d" * 64)})
    assert [one.key for one in promised(stored_log("A", [doubtful]))] == ["call.phone.call-1"]


def test_what_the_index_lacks_or_names_otherwise_is_found(tmp_path: Path) -> None:
    promises = [Promise("call.phone.a", "FIRST", 1), Promise("code.b", "FIRST", 2)]
    found = index_findings(tmp_path, promises, [entry("code.b", "SECOND")])
    assert found == [
        ("error", "call.phone.a is not in the index"),
        ("error", "code.b names another case"),
    ]


def test_a_call_in_two_events_is_counted_twice(tmp_path: Path) -> None:
    promises = [Promise("call.phone.a", "FIRST", 1), Promise("call.phone.a", "FIRST", 9)]
    found = index_findings(tmp_path, promises, [entry("call.phone.a", "FIRST")])
    assert found == [("error", "call.phone.a is recorded 2 times")]


def test_an_old_reservation_without_event_is_a_warning_and_a_young_one_nothing(
    tmp_path: Path,
) -> None:
    young = NOW + timedelta(minutes=4)
    entries = [
        entry("call.phone.old", "NOWHERE"),
        entry("call.phone.young", "NOWHERE", young),
        *(entry(f"{kind}.known", "FIRST") for kind in ("caller", "maybe", "read")),
    ]
    assert index_findings(tmp_path, [], entries) == [("warning", "reservation without event")]


ANNAS = [
    Promise("caller.anna", "FIRST", 1),
    Promise("next.FIRST", "SECOND", 5),
    Promise("caller.anna", "SECOND", 5),
    Promise("caller.anna", "OTHER", 9, by_code=True),
]
NEXT = entry("next.FIRST", "SECOND")


def test_a_caller_is_known_by_his_first_case_whatever_episode_or_code_came_later(
    tmp_path: Path,
) -> None:
    assert index_findings(tmp_path, ANNAS, [entry("caller.anna", "FIRST"), NEXT]) == []


@pytest.mark.parametrize("case_id", ["SECOND", "OTHER", "ELSEWHERE"])
def test_a_caller_who_was_led_to_another_case_is_found(tmp_path: Path, case_id: str) -> None:
    found = index_findings(tmp_path, ANNAS, [entry("caller.anna", case_id), NEXT])
    assert found == [("error", "caller.anna names a case other than its caller's first")]


def test_a_caller_known_by_codes_alone_has_one_of_their_cases(tmp_path: Path) -> None:
    codes = [Promise("caller.anna", name, 9, by_code=True) for name in ("FIRST", "SECOND")]
    assert index_findings(tmp_path, codes, [entry("caller.anna", "FIRST")]) == []
    (tmp_path / "again").mkdir()
    found = index_findings(tmp_path / "again", codes, [entry("caller.anna", "ELSEWHERE")])
    assert found == [("error", "caller.anna names a case other than its caller's first")]


def test_an_episode_that_does_not_follow_its_case_is_found(tmp_path: Path) -> None:
    found = index_findings(tmp_path, [], [entry("next.OTHER", "FIRST")])
    assert found == [("error", "names a case that doesn't follow it")]


def test_episodes_in_a_circle_are_found(tmp_path: Path) -> None:
    circle = [entry("next.A", "B"), entry("next.B", "C"), entry("next.C", "B")]
    found = index_findings(tmp_path, [], circle)
    assert found.count(("error", "the episodes after it lead back to it")) == 2


def test_an_entry_that_was_written_again_leaves_a_hole(tmp_path: Path) -> None:
    entries = [entry("next.FIRST", "SECOND"), entry("code.b", "FIRST")._replace(sequence=3)]
    promises = [Promise("next.FIRST", "SECOND", 1), Promise("code.b", "FIRST", 2)]
    assert index_findings(tmp_path, promises, entries) == [
        ("error", "missing in the index: 2 to 2; an entry was overwritten or removed")
    ]


def test_the_duress_twin_of_a_code_stands_in_the_index_too() -> None:
    code = ReturnCodeIssued(code_hash="a" * 64, duress_hash="b" * 64)
    found = promised(stored_log("A", [withheld(1), code]))
    assert [one.key for one in found][1:] == [f"code.{'a' * 64}", f"code.{'b' * 64}"]


def test_a_case_that_was_split_from_another_has_nothing_in_the_index() -> None:
    split = opened(1).model_copy(update={"split_from": "OTHER"})
    assert promised(stored_log("A", [split])) == []
