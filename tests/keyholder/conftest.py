"""A ring of keys over a bucket in memory, and values sealed and opened with it."""

from pathlib import Path

import pytest

from services.keyholder.holder import Holder
from services.keyholder.ring import KeyRing
from services.keyholder.secrets import make_key_files, read_secrets
from shared.keys.messages import KeysChecked, OpenedValue, Rotated, SealedValue
from shared.keys.sealing import Spot
from tests.contexts import MemoryBucket

CASE = "7KQ2M9XW4TRD"
NAME = "Vzorov"
FIRST, SECOND = "e1", "e2"
"""Ids of erasures."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_key_files(tmp_path)
    return tmp_path


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def ring(bucket: MemoryBucket, folder: Path) -> KeyRing:
    """A ring as a key holder that starts now has it: nothing in memory."""
    return KeyRing(bucket, read_secrets(folder))


@pytest.fixture
def keys(bucket: MemoryBucket, folder: Path) -> KeyRing:
    return ring(bucket, folder)


def sealed(ring: KeyRing, case_id: str = CASE, version: int = 1, erasure: str = "") -> SealedValue:
    key = ring.for_sealing(case_id, version, erasure)["narrative"].sealing
    spot = Spot(case_id, version, "NoteAdded", "text", "narrative")
    return SealedValue(
        case_id=case_id,
        version=version,
        type_name="NoteAdded",
        field="text",
        sealed=key.seal(spot, NAME),
    )


def opened(ring: KeyRing, value: SealedValue) -> OpenedValue:
    return Holder(ring).open([value], "Olena Example", "a test")[0]


def counts(said: KeysChecked | Rotated) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    return said.cases, said.damaged, said.dropped
