"""What bounds signatures: how many, how many nonces, and how often a contended one is tried."""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError
from typing_extensions import override

from passage.install.definitions import NANOSECONDS, streams
from shared import subjects
from shared.commands.handover import ApproveRendezvous
from shared.events.signatures import SIGNATURES_MAX
from shared.jetstream.buckets import Change, TakenError
from shared.people.state import Key, Moment
from shared.refusals import RefusedError
from shared.skeleton.signing import (
    NONCES_KEPT_S,
    NONCES_MAX,
    SPENDING_ATTEMPTS,
    Counters,
    Nonces,
)
from tests.contexts import NOW, MemoryBucket
from tests.signing_place import ASKED, OLENA, SigningPlace, with_signatures


class Contended(MemoryBucket):
    """Somebody else is always faster."""

    tries = 0

    @override
    def change(self, changes: Sequence[Change]) -> list[int]:
        self.tries += 1
        raise TakenError(changes[0].key)


def test_a_command_has_so_many_signatures() -> None:
    place = SigningPlace()
    command = ASKED["approve"]("first")
    signature = place.signed(command, place.passkeys[OLENA])
    said = with_signatures(command, *[signature] * SIGNATURES_MAX).model_dump()
    ApproveRendezvous.model_validate(said)
    with pytest.raises(ValidationError, match="signatures"):
        ApproveRendezvous.model_validate(
            {**said, "signatures": [*said["signatures"], signature.model_dump()]}
        )


def test_a_nonce_that_is_always_taken_is_refused() -> None:
    bucket = Contended()
    nonces = Nonces(bucket, "place", lambda: NOW)
    nonce = nonces.issue()
    with pytest.raises(RefusedError, match="nonce_unused"):
        nonces.spend(nonce, "cause")
    assert bucket.tries == SPENDING_ATTEMPTS


def test_a_counter_that_is_always_taken_is_refused() -> None:
    bucket = Contended()
    key = Key("a2V5", "passkey", "cHVi", "key", 0, False, "localhost", Moment(1, NOW))
    counters = Counters(bucket)
    counters.advance(OLENA, key, 1)
    with pytest.raises(RefusedError, match="counter_ahead"):
        counters.advance(OLENA, key, 2)
    assert bucket.tries == SPENDING_ATTEMPTS


def test_the_bucket_of_nonces_forgets() -> None:
    (bucket,) = [one for one in streams(1) if one.stream == f"KV_{subjects.NONCES_BUCKET}"]
    assert bucket.config["max_msgs"] == NONCES_MAX
    assert bucket.config["max_age"] == NONCES_KEPT_S * NANOSECONDS
    assert bucket.config["discard"] == "old"
