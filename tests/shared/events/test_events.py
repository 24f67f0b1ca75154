"""The published language: golden files, upcasting, and how bad bytes are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.events.base import CallEnvelope, CaseEvent, type_of
from shared.events.calls import CallReceived
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import Plain
from shared.events.intake import CallTriaged, NoteAdded
from shared.events.parsing import UnreadableEventError, read_case_event
from tests.examples import CaseBook, note_added
from tests.rarer_examples import every_event, signature

GOLDEN = Path(__file__).parents[2] / "golden" / "events"


def golden(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GOLDEN / name).read_bytes())
    return loaded


def changed(name: str, **changes: Any) -> bytes:
    return json.dumps({**golden(name), **changes}).encode()


@pytest.mark.parametrize("name", sorted(CASE_EVENTS))
def test_every_event_has_a_golden_file_of_its_current_version_that_reads_back(name: str) -> None:
    event_type = CASE_EVENTS[name]
    stored = golden(f"{name}.v{event_type.VERSION}.json")
    event = read_case_event(json.dumps(stored).encode(), name)
    assert json.loads(event.model_dump_json(exclude_none=True)) == stored


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.name)
def test_every_golden_file_still_reads(path: Path) -> None:
    if path.name.startswith("CallReceived"):
        CallEnvelope[CallReceived].model_validate_json(path.read_bytes())
    else:
        event = read_case_event(path.read_bytes())
        assert event.type == type_of(CASE_EVENTS[event.type_name])


def test_every_released_version_keeps_its_golden_file() -> None:
    for name, event_type in CASE_EVENTS.items():
        for version in range(1, event_type.VERSION + 1):
            assert (GOLDEN / f"{name}.v{version}.json").exists()


def test_an_event_of_version_one_is_raised_to_the_current_one() -> None:
    event = read_case_event((GOLDEN / "CallTriaged.v1.json").read_bytes(), "CallTriaged")
    assert isinstance(event.data, CallTriaged)
    assert event.data.situation == "unknown"
    assert event.type == "passage.CallTriaged.v2"


@pytest.mark.parametrize(
    ("stored", "reason", "field"),
    [
        (b"\xff\x00 not json", "not_json", ""),
        (b"[1]", "not_json", ""),
        (b"[" * 100_000, "not_json", ""),
        (b"{}", "wrong_envelope", "type"),
        (changed("NoteAdded.v1.json", type="passage.Forged.v1"), "unknown_type", "type"),
        (changed("NoteAdded.v1.json", type="passage.NoteAdded.v9"), "unknown_version", "type"),
        (changed("NoteAdded.v1.json", time="2026-02-30T00:00:00Z"), "wrong_envelope", "time"),
        (changed("NoteAdded.v1.json", subject="no.token"), "wrong_envelope", "subject"),
        (changed("NoteAdded.v1.json", data={"text": "in the clear"}), "wrong_data", "data.text"),
        (changed("NoteAdded.v1.json", data={}), "wrong_data", "data.text"),
        (changed("NoteAdded.v1.json", signatures="[]"), "wrong_envelope", "signatures"),
        (changed("NoteAdded.v1.json", signatures="[" * 100_000), "wrong_envelope", "signatures"),
        (
            changed("NoteAdded.v1.json", signatures='[{"person":"olena"}]'),
            "wrong_envelope",
            "signatures.0.key_id",
        ),
        (changed("NoteAdded.v1.json", extra=1), "wrong_envelope", "(unknown field)"),
    ],
)
def test_what_is_no_event_is_refused_with_reason_and_field(
    stored: bytes, reason: str, field: str
) -> None:
    with pytest.raises(UnreadableEventError) as refused:
        read_case_event(stored)
    assert (refused.value.reason, refused.value.field) == (reason, field)
    assert "in the clear" not in str(refused.value)


@pytest.mark.parametrize(
    "classes", [[], ["narrative", "identity"], ["identity", "identity"], ["everything"]]
)
def test_erased_classes_are_sorted_and_each_is_named_once(classes: list[str]) -> None:
    data = {**golden("PersonalDataErased.v1.json")["data"], "classes": classes}
    with pytest.raises(UnreadableEventError) as refused:
        read_case_event(changed("PersonalDataErased.v1.json", data=data))
    assert refused.value.field.startswith("data.classes")


def test_hashes_of_the_first_pepper_and_of_later_ones_are_read() -> None:
    for name in ("ReturnCodeIssued.v1.json", "ReturnCodeIssued.v1.second_pepper.json"):
        event = read_case_event((GOLDEN / name).read_bytes())
        assert event.data.code_hash == golden(name)["data"]["code_hash"]


def test_a_personal_value_can_not_be_written_before_it_is_sealed() -> None:
    secret = NoteAdded(text=Plain("Vzorov"))
    assert "Vzorov" not in repr(secret)
    with pytest.raises(Exception, match="must be sealed"):
        secret.model_dump_json()


def test_stored_bytes_are_a_cloudevent_by_the_reference_library() -> None:
    book = CaseBook()
    for event in every_event():
        book.add(event)
    book.add(note_added(), signature("olena"), signature("petro"))
    for _, body in book.stored:
        read = JSONFormat().read(CloudEvent, body)
        assert read.get_type().startswith("passage.")
        assert read.get_extension("prevhash")


def test_an_envelope_is_frozen_and_names_its_type() -> None:
    envelope: CaseEvent[NoteAdded] = CaseBook().add(note_added())
    assert envelope.type_name == "NoteAdded"
    with pytest.raises(ValueError, match="frozen"):
        envelope.caseversion = 2  # type: ignore[misc]
