"""Keys that are lost: dropped with their epoch, damaged, newer than the key files."""

import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest

from services.keyholder.ring import KeyRing
from services.keyholder.secrets import EPOCHS_KEPT
from shared.jetstream.buckets import BucketEntry
from shared.keys.messages import SealedValue
from shared.keys.sealing import SealBrokenError
from tests.contexts import MemoryBucket
from tests.keyholder.conftest import CASE, FIRST, NAME, counts, opened, ring, sealed


def test_keys_of_a_dropped_epoch_are_erased_and_the_case_goes_on(
    keys: KeyRing, bucket: MemoryBucket, folder: Path
) -> None:
    old, other = sealed(keys), sealed(keys, "OTHER")
    copy = bucket.kept[CASE].value
    for _ in range(EPOCHS_KEPT):
        keys.rotate(folder)
    bucket.kept[CASE] = BucketEntry(copy, bucket.kept[CASE].revision)
    again = ring(bucket, folder)
    assert counts(again.check()) == (2, (), (CASE,))
    assert opened(again, old).state == "erased"
    new = sealed(again, version=2)
    assert (opened(again, old).state, opened(again, new).text) == ("erased", NAME)
    assert counts(again.check()) == (2, (), ())
    bucket.kept[CASE] = BucketEntry(copy, bucket.kept[CASE].revision)
    assert counts(ring(bucket, folder).rotate(folder)) == (1, (), (CASE,))
    assert counts(ring(bucket, folder).check()) == (2, (), ())
    assert opened(ring(bucket, folder), old).state == "erased"
    assert opened(ring(bucket, folder), other).text == NAME


def test_a_damaged_key_stops_no_writing_and_is_not_shown_as_erased(
    bucket: MemoryBucket, folder: Path
) -> None:
    first = ring(bucket, folder)
    old, identity = sealed(first), bucket.kept[CASE].value
    entry = json.loads(identity)
    entry["keys"]["narrative"]["wrapped"] = entry["keys"]["identity"]["wrapped"]
    bucket.kept[CASE] = BucketEntry(json.dumps(entry).encode(), bucket.kept[CASE].revision)
    keys = ring(bucket, folder)
    assert counts(keys.rotate(folder)) == (0, (CASE,), ())
    assert opened(keys, old).state == "broken"
    new = sealed(keys, version=2)
    for _ in range(EPOCHS_KEPT):
        keys.rotate(folder)
    assert (opened(keys, old).state, opened(keys, new).text) == ("broken", NAME)
    assert counts(keys.check()) == (1, (CASE,), ())
    assert ring(bucket, folder).for_sealing(CASE, 3, "")["identity"].key_id == 1
    keys.destroy(CASE, ["narrative"], FIRST)
    assert {opened(keys, value).state for value in (old, new)} == {"erased"}
    assert counts(keys.check()) == (1, (), ())


def test_an_entry_newer_than_the_key_files_is_left_as_it_is(
    bucket: MemoryBucket, folder: Path
) -> None:
    keys, old_files = ring(bucket, folder), ring(bucket, folder)
    sealed(keys)
    keys.rotate(folder)
    there = bucket.kept[CASE]
    with pytest.raises(SealBrokenError):
        sealed(old_files, version=2)
    assert counts(old_files.check()) == (1, (CASE,), ())
    assert bucket.kept[CASE] == there


def with_header(value: SealedValue, key_id: int, class_code: int = 3) -> SealedValue:
    raw = bytearray(urlsafe_b64decode(value.sealed.removeprefix("1.") + "=="))
    raw[2:5] = struct.pack(">HB", key_id, class_code)
    said = "1." + urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    return value.model_copy(update={"sealed": said})


@pytest.mark.parametrize(
    ("key_id", "class_code", "state"),
    [(1, 3, "erased"), (0, 3, "broken"), (2, 3, "broken"), (3, 3, "broken"), (1, 9, "broken")],
)
def test_an_altered_value_is_erased_only_where_that_very_key_is_destroyed(
    keys: KeyRing, key_id: int, class_code: int, state: str
) -> None:
    value = sealed(keys)
    keys.destroy(CASE, ["narrative"], FIRST)
    sealed(keys, version=3, erasure=FIRST)
    assert opened(keys, with_header(value, key_id, class_code)).state == state


def test_nothing_of_a_case_without_keys_is_shown_as_erased(
    bucket: MemoryBucket, folder: Path
) -> None:
    value = sealed(ring(bucket, folder))
    assert opened(ring(MemoryBucket(), folder), value).state == "broken"
