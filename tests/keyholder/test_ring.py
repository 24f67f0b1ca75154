"""The ring of keys: made once, destroyed for good, wrapped anew, found again by any pepper."""

from pathlib import Path

import pytest
from typing_extensions import override

from services.keyholder.ring import CHANGED_AT_ONCE, ErasurePendingError, ForgottenError, KeyRing
from services.keyholder.secrets import EPOCHS_KEPT, Secrets, held, read_secrets
from shared.events.fields import PersonalClass
from shared.jetstream.buckets import BucketEntry
from shared.keys.keyfiles import KeyFilesError
from tests.contexts import MemoryBucket
from tests.keyholder.conftest import CASE, FIRST, NAME, SECOND, counts, opened, ring, sealed


def test_what_was_sealed_opens_after_a_restart(bucket: MemoryBucket, folder: Path) -> None:
    value = sealed(ring(bucket, folder))
    assert opened(ring(bucket, folder), value).text == NAME


def test_an_erased_class_opens_nowhere_and_the_others_stay(
    bucket: MemoryBucket, folder: Path
) -> None:
    first = ring(bucket, folder)
    value = sealed(first)
    first.destroy(CASE, ["location", "identity"], FIRST)
    assert opened(first, value).text == NAME
    first.destroy(CASE, ["narrative"], SECOND)
    assert opened(first, value).state == "erased"
    assert opened(ring(bucket, folder), value).state == "erased"


def test_an_erasure_delivered_again_destroys_nothing_that_was_given_since(
    keys: KeyRing, bucket: MemoryBucket, folder: Path
) -> None:
    before = sealed(keys)
    keys.destroy(CASE, ["narrative"], FIRST)
    after = sealed(keys, version=3, erasure=FIRST)
    assert (opened(keys, before).state, opened(keys, after).text) == ("erased", NAME)
    ring(bucket, folder).destroy(CASE, ["narrative"], FIRST)
    assert opened(ring(bucket, folder), after).text == NAME
    keys.destroy(CASE, ["narrative"], SECOND)
    assert opened(keys, after).state == "erased"


def test_nothing_is_sealed_to_a_key_that_a_known_erasure_will_destroy(keys: KeyRing) -> None:
    sealed(keys)
    with pytest.raises(ErasurePendingError, match=CASE):
        keys.for_sealing(CASE, 3, FIRST)
    keys.destroy(CASE, ["identity"], FIRST)
    assert keys.for_sealing(CASE, 3, FIRST)


def test_an_erasure_of_a_case_without_keys_is_remembered(keys: KeyRing) -> None:
    keys.destroy(CASE, ["identity"], FIRST)
    assert opened(keys, sealed(keys, version=3, erasure=FIRST)).text == NAME


def test_a_rotation_wraps_every_key_anew_and_all_open(
    keys: KeyRing, bucket: MemoryBucket, folder: Path
) -> None:
    values = [sealed(keys, f"CASE{number}") for number in range(CHANGED_AT_ONCE + 3)]
    keys.destroy("CASE1", ["narrative"], FIRST)
    done = keys.rotate(folder)
    assert (done.cases, done.damaged, done.epoch) == (len(values), (), 2)
    again = ring(bucket, folder)
    states = [opened(again, value).state for value in values]
    assert states == ["open", "erased", *["open"] * (len(values) - 2)]


def test_keys_of_what_is_no_case_are_wrapped_anew_and_not_counted(
    bucket: MemoryBucket, keys: KeyRing, folder: Path
) -> None:
    of_desk = ("PERSON-olena", "DECISION-1", "SHIFT-1", "EXPORT-1")
    values = [sealed(keys, log_id) for log_id in (CASE, *of_desk)]
    before = {log_id: bucket.kept[log_id].value for log_id in of_desk}
    assert keys.rotate(folder).cases == 1
    assert keys.check().cases == 1
    assert all(bucket.kept[log_id].value != value for log_id, value in before.items())
    assert {opened(ring(bucket, folder), value).text for value in values} == {NAME}


def test_after_the_third_rotation_an_older_copy_of_the_keys_opens_nothing(
    keys: KeyRing, bucket: MemoryBucket, folder: Path
) -> None:
    value = sealed(keys)
    copy = bucket.kept[CASE].value.decode()
    keys.destroy(CASE, ["identity", "location", "narrative"], FIRST)
    for rotation in range(1, EPOCHS_KEPT + 1):
        still = {one.personal_class for one in keys.opening(CASE, [copy])}
        assert still == {"identity", "location", "narrative"}, rotation
        keys.rotate(folder)
    assert list(keys.opening(CASE, [copy])) == []
    assert sorted(read_secrets(folder).keks) == [2, 3, 4]
    bucket = MemoryBucket()
    bucket.create(CASE, copy.encode())
    assert opened(ring(bucket, folder), value).state == "erased"


class _FailsOnce(MemoryBucket):
    def __init__(self) -> None:
        super().__init__()
        self.left = 1

    @override
    def change(self, changes: object) -> list[int]:
        self.left -= 1
        if self.left < 0:
            raise TimeoutError
        return super().change(changes)  # type: ignore[arg-type]


def test_an_interrupted_rotation_loses_nothing_and_the_next_one_finishes(folder: Path) -> None:
    bucket = _FailsOnce()
    keys = ring(bucket, folder)
    values = [sealed(keys, f"CASE{number}") for number in range(2 * CHANGED_AT_ONCE)]
    with pytest.raises(TimeoutError):
        keys.rotate(folder)
    bucket.left = 10**6
    again = ring(bucket, folder)
    assert {opened(again, value).state for value in values} == {"open"}
    assert again.rotate(folder).cases == len(values)
    assert {opened(ring(bucket, folder), value).state for value in values} == {"open"}


def test_a_damaged_entry_is_named_and_stops_no_rotation(
    keys: KeyRing, bucket: MemoryBucket, folder: Path
) -> None:
    sealed(keys, "GOOD")
    sealed(keys, "BAD")
    swapped = bucket.kept["GOOD"].value
    bucket.kept["BAD"] = BucketEntry(swapped, bucket.kept["BAD"].revision)
    assert counts(keys.check()) == (2, ("BAD",), ())
    assert counts(keys.rotate(folder)) == (1, ("BAD",), ())


def test_a_later_erasure_at_a_version_used_before_destroys_too(
    keys: KeyRing,
) -> None:  # The log was cut and went on: its versions were given again.
    keys.destroy(CASE, ["narrative"], FIRST)
    given = sealed(keys, version=16, erasure=FIRST)
    with pytest.raises(ErasurePendingError):
        keys.for_sealing(CASE, 18, SECOND)
    keys.destroy(CASE, ["narrative"], SECOND)
    keys.destroy(CASE, ["narrative"], FIRST)
    after = sealed(keys, version=18, erasure=SECOND)
    keys.destroy(CASE, ["narrative"], FIRST)
    assert (opened(keys, given).state, opened(keys, after).text) == ("erased", NAME)


class _ErasedWhileMade(MemoryBucket):
    ring: KeyRing | None = None

    @override
    def create(self, key: str, value: bytes) -> int:
        revision = super().create(key, value)
        if self.ring is not None:
            self.ring.destroy(key, ["narrative"], FIRST)
        return revision


def test_keys_destroyed_while_they_are_made_are_not_kept_in_memory(folder: Path) -> None:
    bucket = _ErasedWhileMade()
    keys = bucket.ring = ring(bucket, folder)
    key = keys.for_sealing(CASE, 1, "")["narrative"]
    assert key.key_id == 2
    assert keys.knows(CASE, FIRST)


CLASSES: tuple[PersonalClass, ...] = ("identity", "location", "narrative")


@pytest.mark.parametrize("other", ["case", "class"])
def test_a_wrapped_key_moved_to_another_case_or_class_does_not_unwrap(
    keys: KeyRing, bucket: MemoryBucket, folder: Path, other: str
) -> None:
    value = sealed(keys)
    entry = bucket.kept[CASE].value.decode()
    moved = (
        entry.replace("identity", "x").replace("narrative", "identity").replace("x", "narrative")
    )
    case_id, kept = {"case": ("OTHER", entry), "class": (CASE, moved)}[other]
    elsewhere = MemoryBucket()
    elsewhere.create(case_id, kept.encode())
    moved_value = value.model_copy(update={"case_id": case_id})
    assert opened(ring(elsewhere, folder), moved_value).state == "broken"


def test_a_new_pepper_hashes_from_now_on_and_old_hashes_are_still_given(
    keys: KeyRing, folder: Path
) -> None:
    (before,) = keys.secrets.hashes("caller-phone", "+380440000001")
    assert keys.renew_pepper(folder) == 2
    now, old = read_secrets(folder).hashes("caller-phone", "+380440000001")
    assert old == before
    assert now.startswith("2-")
    assert now.removeprefix("2-") != before


def test_a_ring_that_forgot_all_opens_nothing(keys: KeyRing) -> None:
    value = sealed(keys)
    keys.forget_all()
    with pytest.raises(ForgottenError):
        opened(keys, value)
    with pytest.raises(ForgottenError):
        sealed(keys, version=2)
    assert keys.secrets.keks == {}


def test_two_key_holders_never_work_with_the_same_secrets(folder: Path) -> None:
    with held(folder), pytest.raises(KeyFilesError, match="held by another process"), held(folder):
        raise AssertionError("both hold them")
    with held(folder):
        pass


def test_secrets_show_nothing_of_themselves(folder: Path) -> None:
    secrets: Secrets = read_secrets(folder)
    assert "kek" not in repr(secrets)
    assert repr(secrets) == "Secrets()"
