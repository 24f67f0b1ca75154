"""What signatures cost in processor time: to prove one, and to prove them all again when a whole
log is verified.

The log has a signed decision in two hundred events, as a million with 5,000 would. It is verified
with and without looking at who signed and who might, in turns; everything else is the same.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

from typing_extensions import override

from benchmarks import signed_log
from benchmarks.figures import MICROSECONDS, Bench, Measured, compared, take_turns
from benchmarks.filling import send
from benchmarks.read_model import follow
from benchmarks.signed_log import KEY_FILE, OLENA, PASSKEY, SIGNED_IN, by_file, by_passkey, key_of
from benchmarks.site import RELAXED, SYNCED, site_in
from passage.integrity.verify import case_logs
from passage.integrity.verify.everything import verify
from passage.integrity.verify.signers import Signers
from passage.running import Running
from shared.events.base import CaseEvent
from shared.jetstream.stored import StoredMessage
from shared.people.signatures import canonical_of, require_proof
from shared.witnesses.checkpoints import make_witness_keys

PROOFS, EVENTS, ROUNDS = 2_000, 200_000, 3
AIM = "<= 1.1 (signed / unlooked)"


class Unlooked(Signers):
    """Believes everything."""

    @override
    def broken(self, stored: StoredMessage, event: CaseEvent[Any]) -> Iterator[str]:
        return iter(())

    @override
    def beyond_role(self, stored: StoredMessage, event: CaseEvent[Any]) -> Iterator[str]:
        return iter(())


def run(bench: Bench) -> Iterator[Measured]:
    asked = signed_log.command("case", "first")
    canonical = canonical_of(asked, (), OLENA, "nonce", signed_log.SITE)
    proofs = bench.count(PROOFS, 10)
    figures = {
        kind: _timed(
            partial(require_proof, sign(canonical), key_of(registered), signed_log.SITE), proofs
        )
        for kind, sign, registered in (
            ("passkey", by_passkey, PASSKEY),
            ("key file", by_file, KEY_FILE),
        )
    }
    yield Measured("signing/proof", figures, "us", notes={"proofs": proofs})
    yield _of_a_log(bench, bench.count(EVENTS, 400))


def _of_a_log(bench: Bench, events: int) -> Measured:
    folder = bench.folder_for("signing")
    with site_in(folder) as site:
        keys, url = site.settings.keys_dir, site.settings.database_url
        site.restart(RELAXED)
        asyncio.run(send(site, signed_log.messages(events)))
        site.restart(SYNCED)
        make_witness_keys(keys)
        follow(site, url, events + 3)
        where = {"keys": keys, "database": url, "witnesses": (folder / "none",)}
        running = Running.bare(site.server.url).model_copy(update=where)
        sides = {"signed": partial(_cpu_s, running), "unlooked": partial(_cpu_s, running, Unlooked)}
        rounds = take_turns(sides, bench.rounds(ROUNDS))
    notes = {"events": events, "decisions": events // SIGNED_IN}
    return compared("signing/verify", rounds, "s", aim=AIM, **notes)


def _timed(prove: Callable[[], object], count: int) -> float:
    prove()
    began = time.process_time()
    for _ in range(count):
        prove()
    return (time.process_time() - began) / count * MICROSECONDS


def _cpu_s(running: Running, signers: type[Signers] = Signers) -> float:
    """Of `passage verify`, in this process."""
    with patch.object(case_logs, Signers.__name__, signers):
        began = time.process_time()
        checked = asyncio.run(verify(running, lambda *_: None))
        taken = time.process_time() - began
    of_signatures = {("signatures", "error"), ("roles", "error")} & checked.findings.counts.keys()
    if of_signatures:
        raise RuntimeError("a right signature was not believed")
    return taken
