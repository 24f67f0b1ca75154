"""Sealing: what was sealed for one spot opens there and nowhere else."""

from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox
from pydantic import ValidationError

from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import PersonalClass, Sealed
from shared.keys.access import AccessRecord
from shared.keys.boxes import BoxBrokenError, box_up, unbox
from shared.keys.padding import padded, unpadded
from shared.keys.sealing import DataKey, SealBrokenError, Spot
from tests.contexts import access_record
from tests.examples import CASE, OTHER_CASE

KEY = DataKey(1, 1, X25519PrivateKey.from_private_bytes(bytes(range(32))))
SPOT = Spot("7KQ2M9XW4TRD", 3, "NoteAdded", "text", "narrative")


@given(st.text())
def test_every_text_opens_where_it_was_sealed(text: str) -> None:
    sealed = KEY.sealing.seal(SPOT, text)
    assert Sealed.PATTERN.match(sealed)
    assert KEY.open(SPOT, sealed) == text


def elsewhere(number: int) -> Spot:
    """Another spot of one of the five kinds there are."""
    fields = ("remark", "reason", "place", "identity")
    classes: tuple[PersonalClass, ...] = ("identity", "location")
    return (
        SPOT._replace(case_id=f"CASE{number}"),
        SPOT._replace(version=4 + number),
        SPOT._replace(type_name=f"{sorted(CASE_EVENTS)[number % len(CASE_EVENTS)]}"),
        SPOT._replace(field=fields[number % len(fields)]),
        SPOT._replace(personal_class=classes[number % len(classes)]),
    )[number % 5]


def test_ciphertext_moved_to_another_case_version_type_field_or_class_does_not_open() -> None:
    refused = 0
    for number in range(4_000):
        spot = elsewhere(number)
        if spot == SPOT:
            spot = SPOT._replace(type_name="CaseOpened")
        try:
            KEY.open(spot, KEY.sealing.seal(SPOT, f"Vzorov {number}"))
        except SealBrokenError:
            refused += 1
    assert refused == 4_000


@given(st.integers(min_value=2), st.integers(min_value=1, max_value=63))
def test_any_altered_character_is_noticed(position: int, change: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    sealed = KEY.sealing.seal(SPOT, "Vzorov" * 20)
    # The last character carries unused bits, which base64 doesn't read.
    position = 2 + position % (len(sealed) - 3)
    other = alphabet[(alphabet.index(sealed[position]) + change) % 64]
    with pytest.raises(SealBrokenError):
        KEY.open(SPOT, sealed[:position] + other + sealed[position + 1 :])


def test_lengths_show_in_steps_only() -> None:
    lengths = {len(KEY.sealing.seal(SPOT, "x" * length)) for length in range(63)}
    assert len(lengths) == 1


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBrokenError):
        DataKey(1, 1, X25519PrivateKey.generate()).open(SPOT, KEY.sealing.seal(SPOT, "Vzorov"))


def test_boxes_show_lengths_in_steps_only() -> None:
    public = PrivateKey.generate().public_key
    assert len({len(box_up(public, b"x" * length)) for length in range(64)}) == 1
    assert len(box_up(public, b"x" * 64)) > len(box_up(public, b"x" * 63))


def test_a_box_of_what_was_not_padded_does_not_open() -> None:
    private = PrivateKey.generate()
    raw = SealedBox(private.public_key).encrypt(b"Vzorov")
    with pytest.raises(BoxBrokenError):
        unbox(private, "box1." + urlsafe_b64encode(raw).decode())


@given(st.binary(max_size=300))
def test_what_is_padded_comes_back(plain: bytes) -> None:
    assert unpadded(padded(plain)) == plain


def test_a_box_opens_with_the_private_key_alone() -> None:
    private = PrivateKey.generate()
    box = box_up(private.public_key, b"Vzorov")
    assert unbox(private, box) == b"Vzorov"
    with pytest.raises(BoxBrokenError):
        unbox(PrivateKey.generate(), box)
    with pytest.raises(BoxBrokenError):
        unbox(private, "box1.%%%%")


def test_it_stands_under_its_case_or_under_many() -> None:
    assert access_record(CASE).subject == f"audit.{CASE}"
    assert access_record(CASE, OTHER_CASE).subject == "audit.many"
    assert [one.case_id for one in access_record(CASE, OTHER_CASE).values_of(CASE)] == [CASE]


def test_it_reads_back_as_written() -> None:
    written = access_record(CASE, OTHER_CASE)
    assert AccessRecord.model_validate_json(written.model_dump_json()) == written


def test_a_place_that_cannot_be_is_refused() -> None:
    body = access_record(CASE).model_dump(mode="json")
    body["values"] = [{**body["values"][0], "version": 0}]
    with pytest.raises(ValidationError):
        AccessRecord.model_validate(body)
