"""A service that knew one CASES writes nothing into another one; the witness signs neither."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from passage.connecting import connected
from passage.folders import Folders
from passage.install.definitions import streams
from passage.install.provisioning import ask, incarnated, provision
from passage.integrity.gate import check_gate
from passage.runner.own_server import stopped_log_of
from passage.running import Running
from services.witness.following import Follower
from services.witness.signing import Signer
from shared.events.parsing import read_case_event
from shared.jetstream import JetStreamApplicationRecorder
from shared.log.case_log import CaseLog, Fold, LogError, jetstream_env
from shared.log.incarnation import IncarnationCheck, OtherIncarnationError
from shared.settings import Settings
from shared.witnesses.checkpoints import read_signing_key
from shared.witnesses.files import read_witness_files
from tests.integrity.prepared import prepare, some_log
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wire

LOG = some_log(3, 5)
COUNT = len(LOG)
COUNTING: Fold[int] = Fold(0, lambda count, _: count + 1)


@pytest.fixture
def site(tmp_path: Path) -> Folders:
    return prepare(tmp_path / "data", LOG, ended=False)


@pytest.fixture
def running(site: Folders) -> Iterator[Running]:
    with stopped_log_of(site) as found:
        yield found


@pytest.fixture
def log(running: Running) -> Iterator[CaseLog[int]]:
    found = CaseLog(COUNTING, jetstream_env(Settings(nats_url=running.nats), "test"))
    yield found
    found.close()


async def replace_stream(running: Running) -> None:
    async with connected(running) as client:
        await ask(client, "STREAM.DELETE.CASES", None)
        await provision(client, 1)


async def test_a_stream_in_the_place_of_the_known_one_is_refused_for_good(
    running: Running, log: CaseLog[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.log.incarnation.LOOK_AGAIN_AFTER_S", 0.0)
    log.check_incarnation()
    assert log.is_connected()
    async with connected(running) as client:
        old = (await ask(client, "STREAM.INFO.CASES", None))["config"]
        await replace_stream(running)
        with pytest.raises(OtherIncarnationError, match="passage gate"):
            log.check_incarnation()
        assert not log.is_connected()
        await ask(client, "STREAM.DELETE.CASES", None)
        await ask(client, "STREAM.CREATE.CASES", old)
    with pytest.raises(OtherIncarnationError):  # Only a restart, after the gate, ends it.
        log.check_incarnation()


async def test_the_one_that_the_gate_named_is_the_only_one(running: Running) -> None:
    settings = Settings(nats_url=running.nats, incarnation="f" * 32)
    log = CaseLog(COUNTING, jetstream_env(settings, "test"))
    try:
        with pytest.raises(LogError):
            log.check_incarnation()
    finally:
        log.close()


async def test_provisioning_gives_cases_an_incarnation_once(running: Running) -> None:
    async with connected(running) as client:
        first = (await ask(client, "STREAM.INFO.CASES", None))["config"]["metadata"]
        await provision(client, 1, update=True)
        again = (await ask(client, "STREAM.INFO.CASES", None))["config"]["metadata"]
        assert first["passage_incarnation"] == again["passage_incarnation"]


async def test_a_log_of_an_older_version_gets_one_by_update(running: Running) -> None:
    async with connected(running) as client:
        config = (await ask(client, "STREAM.INFO.CASES", None))["config"]
        await ask(client, "STREAM.DELETE.CASES", None)
        await ask(client, "STREAM.CREATE.CASES", {**config, "metadata": {}})
        done = {one.name: one for one in await provision(client, 1)}
        assert done["CASES"].state == "differs"
        done = {one.name: one for one in await provision(client, 1, update=True)}
        assert done["CASES"].state == "updated"
        config = (await ask(client, "STREAM.INFO.CASES", None))["config"]
        assert len(config["metadata"]["passage_incarnation"]) == 32


class Witnessing:
    """A follower in a thread, as the service runs it."""

    def __init__(self, running: Running, log: CaseLog[Any], interval_s: float = 0.01) -> None:
        key = read_signing_key(running.keys)
        self.paths, self.public = running.witnesses, key.public_key()
        recorder = log.recorder
        assert isinstance(recorder, JetStreamApplicationRecorder)
        self.follower = Follower(
            recorder,
            lambda: read_witness_files(self.paths, self.public),
            Signer(key, self.paths),
            IncarnationCheck(recorder.log.stream),
            interval_s,
        )
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.follower.run, args=(self.stop,), daemon=True)

    def run(self) -> None:
        self.thread.start()
        self.thread.join(WITHIN_S)
        assert not self.thread.is_alive()

    def lines(self) -> list[tuple[str, int]]:
        found = read_witness_files(self.paths, self.public)
        return [(line.kind, line.sequence) for line in found.lines]

    def wait_for(self, line: tuple[str, int]) -> None:
        pause = threading.Event()
        for _ in range(int(WITHIN_S / 0.02)):
            if self.lines()[-1] == line:
                return
            pause.wait(0.02)
        raise AssertionError(f"{line} is not the newest of {self.lines()}")


def test_the_witness_signs_what_is_new_and_at_the_end_that_it_is_the_end(
    running: Running, log: CaseLog[int]
) -> None:
    witness = Witnessing(running, log)
    witness.thread.start()
    longer = some_log(3, 6)[COUNT]
    log.recorder.insert_events([log.mapper.to_stored_event(_event(longer.body))])
    witness.wait_for(("checkpoint", COUNT + 1))
    witness.follower.end_log()
    witness.stop.set()
    witness.thread.join(WITHIN_S)
    assert witness.lines()[-1] == ("ended", COUNT + 1)
    assert witness.follower.alarm is None
    again = Witnessing(running, log)
    again.thread.start()
    again.wait_for(("opened", COUNT + 1))
    again.stop.set()
    again.thread.join(WITHIN_S)


async def test_the_witness_alarms_and_signs_nothing_in_another_stream(
    running: Running, log: CaseLog[int]
) -> None:
    await replace_stream(running)
    witness = Witnessing(running, log)
    before = witness.lines()
    witness.run()
    assert "which no witness file knows" in str(witness.follower.alarm)
    assert witness.lines() == before


async def test_the_witness_signs_a_message_that_is_no_event_as_it_was_stored(
    running: Running, log: CaseLog[int]
) -> None:
    async with connected(running) as client:
        await client.publish("cases.CASE0001.9.NoteAdded", b'{"subject":"CASE0001"}')
        await client.publish("cases.CASE0001.x.NoteAdded", b"{}")
        await client.publish("cases.CASE0001.0.cases%2ECASE0001", b"{}")
        await client.flush()
    witness = Witnessing(running, log)
    witness.thread.start()
    witness.wait_for(("checkpoint", COUNT + 3))
    witness.stop.set()
    witness.thread.join(WITHIN_S)
    assert witness.follower.alarm is None
    gate = await check_gate(running)
    assert (gate.is_open, gate.heads.certified) == (True, COUNT + 3)
    assert [one.where for one in gate.findings.kept if one.check == "put aside"] == [
        f"sequence {COUNT + number}" for number in (1, 2, 3)
    ]


def test_the_witness_alarms_once_a_line_turns_out_to_be_signed_by_nobody(
    running: Running, log: CaseLog[int]
) -> None:
    witness = Witnessing(running, log)
    witness.follower.doubt("checkpoints.jsonl, line 7: its signature doesn't fit witness.pub")
    before = witness.lines()
    witness.run()
    assert "line 7" in str(witness.follower.alarm)
    assert witness.lines() == before


async def test_the_witness_alarms_where_a_checkpoint_says_otherwise(
    running: Running, log: CaseLog[int]
) -> None:
    async with connected(running) as client:
        config = (await ask(client, "STREAM.INFO.CASES", None))["config"]
        await ask(client, "STREAM.DELETE.CASES", None)
        await ask(client, "STREAM.CREATE.CASES", config)
        for one in LOG[: COUNT - 3]:
            await client.publish(one.subject, one.body)
        await client.flush()
    witness = Witnessing(running, log)
    witness.run()
    assert f"a checkpoint was signed at {COUNT}" in str(witness.follower.alarm)


def _event(body: bytes) -> Any:
    return read_case_event(body)


def test_a_new_definition_has_an_incarnation_of_its_own() -> None:
    cases = next(one for one in streams(1) if one.name == "CASES")
    made = {incarnated(cases)["metadata"]["passage_incarnation"] for _ in range(3)}
    assert len(made) == 3
