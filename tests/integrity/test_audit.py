"""The record of access can't be changed without `passage verify` finding it; on a real server."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from passage.connecting import connected
from passage.install.provisioning import ask
from passage.integrity.gate import Succession, check_gate, succeed, witnessed_of
from passage.integrity.verify.everything import verify
from passage.runner.own_server import stopped_log_of
from passage.running import Running
from services.witness.signing import AuditTrail, Signer
from shared import subjects
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stream import Stream
from shared.keys.access import AccessRecord
from shared.log.case_log import CaseLog, Fold, jetstream_env
from shared.settings import Settings
from shared.witnesses.checkpoints import read_signing_key
from tests.contexts import access_record
from tests.integrity.prepared import prepare, some_log
from tests.integrity.test_incarnation import Witnessing
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wire

LOG = some_log(2, 4)
RECORDS = 5


def record(number: int, by: str = "olena") -> AccessRecord:
    return access_record("CASE0001", hours=number, by=by)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """An installation with records of access, signed after the third and at the end."""
    site = await asyncio.to_thread(prepare, tmp_path / "data", LOG, ended=False)
    with stopped_log_of(site) as found:
        await write(found, [record(number) for number in range(3)])
        await asyncio.to_thread(witness, found)
        await write(found, [record(number) for number in range(3, RECORDS)])
        await asyncio.to_thread(witness, found)
        yield found


async def write(running: Running, records: list[AccessRecord]) -> None:
    async with connected(running) as client:
        for one in records:
            await client.jetstream(timeout=WITHIN_S).publish(
                one.subject, one.model_dump_json().encode()
            )


def witness(running: Running) -> None:
    log: CaseLog[int] = CaseLog(
        Fold(0, lambda count, _: count + 1), jetstream_env(Settings(nats_url=running.nats), "test")
    )
    try:
        one = Witnessing(running, log, interval_s=0.01)
        audit = Stream(log.connection, subjects.AUDIT, WITHIN_S, WITHIN_S)
        key = read_signing_key(running.keys)
        one.follower._signer = Signer(key, running.witnesses, AuditTrail(audit))
        lines = witnessed_of(running).lines
        before = lines[-1].number + 1 if lines else 1  # It may sign as soon as it runs.
        one.thread.start()
        signed = wait_for_line(running, before, audit.last_sequence())
        assert signed, "AUDIT was not signed"
        one.stop.set()
        one.thread.join(WITHIN_S)
        assert one.follower.alarm is None
    finally:
        log.close()


def wait_for_line(running: Running, before: int, audit_sequence: int) -> bool:
    pause = threading.Event()
    for _ in range(3_000):
        newest = witnessed_of(running).newest
        if newest and newest.number >= before and newest.audit_sequence == audit_sequence:
            return True
        pause.wait(0.02)
    return False


async def found(running: Running) -> list[str]:
    checked = await verify(running, lambda *_: None)
    return [one.what for one in checked.findings.kept if one.check == "audit"]


async def remade(client: RawClient, records: list[AccessRecord]) -> None:
    config = (await ask(client, "STREAM.INFO.AUDIT", None))["config"]
    await ask(client, "STREAM.DELETE.AUDIT", None)
    await ask(client, "STREAM.CREATE.AUDIT", {**config, "deny_delete": False})
    for one in records:
        await client.jetstream(timeout=WITHIN_S).publish(
            one.subject, one.model_dump_json().encode()
        )


async def test_a_whole_record_of_access_has_no_findings(running: Running) -> None:
    assert await found(running) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: [], f"AUDIT ends at 0, but a checkpoint was signed at {RECORDS}"),
        (lambda all_: all_[:-1], f"AUDIT ends at 4, but a checkpoint was signed at {RECORDS}"),
        (lambda all_: [*all_[1:], record(9)], "another digest than checkpoint"),
        (lambda all_: [*all_[:-1], record(4, "somebody")], "another digest than checkpoint"),
    ],
)
async def test_a_record_of_access_that_was_made_anew_is_found(
    running: Running,
    change: Callable[[list[AccessRecord]], list[AccessRecord]],
    expected: str,
) -> None:
    async with connected(running) as client:
        await remade(client, change([record(number) for number in range(RECORDS)]))
    assert any(expected in one for one in await found(running))


async def test_a_record_that_was_removed_or_is_none_and_a_missing_stream_are_found(
    running: Running,
) -> None:
    async with connected(running) as client:
        await remade(client, [record(number) for number in range(RECORDS)])
        await ask(client, "STREAM.MSG.DELETE.AUDIT", {"seq": 2})
        await client.jetstream(timeout=WITHIN_S).publish(subjects.audit("CASE0002"), b"torn")
        what = await found(running)
        await ask(client, "STREAM.DELETE.AUDIT", None)
        assert any("there is no stream AUDIT" in one for one in await found(running))
    assert "missing: 2 to 2" in what
    assert "it isn't a record of access, or is stored under another one's subject" in what


async def test_the_witness_signs_on_over_another_record_of_access_and_it_is_found(
    running: Running,
) -> None:
    async with connected(running) as client:
        await remade(client, [record(number, "somebody") for number in range(RECORDS + 1)])
    await asyncio.to_thread(witness, running)
    assert any("another digest than checkpoint" in one for one in await found(running))


async def test_after_a_succession_the_comparison_begins_anew(running: Running) -> None:
    before = await check_gate(running)
    async with connected(running) as client:
        await remade(client, [record(1)])
        config = (await ask(client, "STREAM.INFO.CASES", None))["config"]
        new = {**config["metadata"], subjects.INCARNATION: "f" * 32}
        await ask(client, "STREAM.UPDATE.CASES", {**config, "metadata": new})
    gate = await check_gate(running)
    lost = Succession(before.incarnation, len(LOG), 1, "restored from a backup")
    succeed(gate.held, running, lost)
    assert await found(running) == []
    await asyncio.to_thread(witness, running)
    assert await found(running) == []
    async with connected(running) as client:
        await remade(client, [])
    assert await found(running) == ["AUDIT ends at 0, but a checkpoint was signed at 1"]


async def test_an_index_entry_that_was_written_again_is_found(running: Running) -> None:
    caller = f"caller.{1:064x}"
    async with connected(running) as client:
        await client.jetstream(timeout=WITHIN_S).publish(
            f"$KV.INDEX.{caller}", b'{"case_id":"CASE0002"}'
        )
    checked = await verify(running, lambda *_: None)
    what = [one.what for one in checked.findings.kept if one.check == "index"]
    assert f"{caller[:23]} names a case other than its caller's first" in what
    assert any("an entry was overwritten or removed" in one for one in what)
