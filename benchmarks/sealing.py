"""What sealing costs: the lifecycle with it, beside the same with values left open.

Without: a stand-in gives texts the form of sealed ones and no keys are made, so that log, read
model and all else are the same work.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typing_extensions import override

from benchmarks.figures import Bench, Measured
from benchmarks.lifecycle import ROUNDS, measure, writers_on
from benchmarks.site import query_process, site_in
from shared.events.fields import Sealed
from shared.keys.client import RemoteKeys, SealingKeys
from shared.keys.sealing import SealingKey, Spot
from shared.log.transact import Writer

IN_FLIGHT, CASES = 64, 192
AIM = ">= 0.85"
FORM = b"\0" * 64
"""As long as the smallest sealed value."""


class OpenKey(SealingKey):
    """Texts in the form of sealed ones, open to everybody."""

    @override
    def seal(self, spot: Spot, plaintext: str) -> Sealed:
        text = plaintext.encode() + FORM
        return Sealed("1." + urlsafe_b64encode(text).decode().rstrip("="))


OPEN_KEY = OpenKey(0, 0, X25519PrivateKey.generate().public_key())


class OpenKeys(RemoteKeys):
    """The key holder, except for sealing, which it isn't asked for."""

    @override
    def for_sealing(self, case_id: str, version: int, erasure: str) -> SealingKeys:
        return {"identity": OPEN_KEY, "location": OPEN_KEY, "narrative": OPEN_KEY}


def run(bench: Bench) -> Iterator[Measured]:
    with ExitStack() as stack:
        site = stack.enter_context(site_in(bench.folder_for("sealing")))
        query = stack.enter_context(query_process(site, bench.folder_for("sealing-query")))
        sealed = writers_on(site, stack)
        timeout_s = site.settings.request_timeout_s
        unsealed = {
            name: Writer(writer.log, OpenKeys(writer.log.connection, name, timeout_s))
            for name, writer in sealed.items()
        }
        sides = {"sealed": (sealed, query.wait), "unsealed": (unsealed, query.wait)}
        cases, rounds = bench.count(CASES, IN_FLIGHT), bench.rounds(2 * ROUNDS)
        yield measure("sealing", sides, IN_FLIGHT, cases, rounds, AIM)
