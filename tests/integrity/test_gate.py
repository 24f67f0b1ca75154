"""The gate, repair and the drill on a stopped installation with a real nats-server."""

import asyncio
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from typer.testing import CliRunner

from passage.__main__ import command_line
from passage.exits import VerbEndedError
from passage.folders import Folders
from passage.integrity.gate import Gate, check_gate
from passage.integrity.repair import anew
from passage.runner.own_server import stopped_log_of
from services.query.feed.database import open_database
from services.query.feed.tables import fingerprint, prefix_of, tables_for
from shared.events.parsing import read_case_event
from shared.jetstream.stored import StoredMessage
from shared.log.case_log import CaseLog, Fold, jetstream_env
from shared.settings import Settings
from tests.integrity.attacks import Record, message_folder, read_records, rewrite, write_records
from tests.integrity.prepared import contents, prepare, some_log
from tests.integrity.tamper_drill import copied, drill

pytestmark = pytest.mark.wire

LOG = some_log(4, 6)
COUNT = len(LOG)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return prepare(tmp_path_factory.mktemp("prepared") / "data", LOG)


@pytest.fixture
def site(prepared: Folders, tmp_path: Path) -> Folders:
    return copied(prepared, tmp_path / "data")


def gate_of(site: Folders) -> Gate:
    with stopped_log_of(site) as running:
        return asyncio.run(check_gate(running))


def found(site: Folders) -> set[str]:
    return {one.check for one in gate_of(site).findings.kept if one.severity == "error"}


def what(site: Folders) -> str:
    return " | ".join(one.what for one in gate_of(site).findings.kept)


def events(site: Folders) -> list[tuple[int, str, bytes]]:
    with stopped_log_of(site) as running:
        return asyncio.run(contents(running))


def cut(site: Folders, keep: int) -> None:
    folder = message_folder(site.nats)
    write_records(folder, read_records(folder)[:keep])


def forge(site: Folders, seed: int = 1) -> None:
    folder = message_folder(site.nats)
    write_records(folder, rewrite(read_records(folder), random.Random(seed)))  # noqa: S311


def rewrite_archive(site: Folders) -> None:
    """Makes the archive what the log is now, as one who has the whole data folder can."""
    database = open_database(site.database_url)
    table = tables_for(prefix_of(fingerprint(database.writer.dialect))).archive
    with database.writer.begin() as connection:
        for one in read_records(message_folder(site.nats)):
            connection.execute(
                update(table).where(table.c.sequence == one.sequence).values(body=one.body)
            )
    database.dispose()


def forget_archive(site: Folders, above: int) -> None:
    database = open_database(site.database_url)
    table = tables_for(prefix_of(fingerprint(database.writer.dialect))).archive
    with database.writer.begin() as connection:
        connection.execute(delete(table).where(table.c.sequence > above))
    database.dispose()


def verb(site: Folders, *words: str) -> tuple[int, Any]:
    done = CliRunner().invoke(
        command_line(words[0]), [*words, "--data", str(site.data), "--json"], catch_exceptions=True
    )
    if isinstance(done.exception, VerbEndedError):
        return int(done.exception.code), str(done.exception)
    start = done.stdout.find("{")
    return done.exit_code, json.loads(done.stdout[start:]) if start >= 0 else done.stdout


def test_a_sound_log_opens_the_gate(site: Folders) -> None:
    gate = gate_of(site)
    assert (gate.is_open, gate.heads.sequence, gate.archive.last) == (True, COUNT, COUNT)


def test_a_log_cut_together_with_its_archive_is_behind_its_checkpoints(site: Folders) -> None:
    cut(site, COUNT - 2)
    forget_archive(site, COUNT - 2)
    assert found(site) == {"witness"}
    assert f"a checkpoint was signed at {COUNT}" in what(site)


def test_a_log_rewritten_together_with_its_archive_has_another_digest(site: Folders) -> None:
    forge(site)
    rewrite_archive(site)
    assert found(site) == {"witness"}
    before = events(site)
    code, text = verb(site, "repair")
    assert code == 1
    assert "the archive isn't a sound copy either" in text
    assert events(site) == before


def test_a_log_rewritten_after_the_witness_files_were_lost_differs_from_the_archive(
    site: Folders,
) -> None:
    forge(site)
    shutil.rmtree(site.witness)
    assert found(site) == {"archive", "incarnation"}


def test_a_sound_log_without_its_witness_files_is_not_believed_until_a_person_says_so(
    site: Folders,
) -> None:
    shutil.rmtree(site.witness)
    assert found(site) == {"incarnation"}
    begin = ["witness", "begin", "--data", str(site.data)]
    assert CliRunner().invoke(command_line("witness"), begin).exit_code == 0
    assert found(site) == set()


def test_one_lost_witness_file_of_two_is_a_warning(
    site: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.jsonl"
    monkeypatch.setenv("PASSAGE_WITNESS_FILES", f"{site.witness / 'checkpoints.jsonl'},{other}")
    gate = gate_of(site)
    assert gate.is_open
    assert [one.severity for one in gate.findings.kept] == ["warning"]


def test_a_witness_file_whose_lines_were_changed_is_refused(site: Folders) -> None:
    path = site.witness / "checkpoints.jsonl"
    path.write_text(path.read_text().replace('"kind":"ended"', '"kind":"opened"'))
    assert found(site) == {"witness"}


def test_an_event_added_after_the_end_is_found_though_it_fits_everything(site: Folders) -> None:
    forget_archive(site, COUNT - 1)  # What comes now is newer than the archive.
    folder = message_folder(site.nats)
    records = read_records(folder)
    later = some_log(4, 7)[COUNT]
    last = records[-1]
    extra = Record(COUNT + 1, last.time_ns + 1, later.subject, b"", later.body)
    write_records(folder, [*records, extra])
    assert found(site) == {"witness"}
    assert "ended properly" in what(site)
    code, done = verb(site, "repair")
    assert (code, done["lost"], done["events"]) == (0, 0, COUNT)
    assert found(site) == set()


def test_an_empty_stream_under_an_old_archive_is_refused_and_made_whole(site: Folders) -> None:
    before = events(site)
    shutil.rmtree(message_folder(site.nats).parent)
    code, done = verb(site, "repair")
    assert (code, done["counts"]) == (0, {"archive; the stream had none": COUNT})
    assert events(site) == before
    assert found(site) == set()


def test_a_dry_run_says_all_and_changes_nothing(site: Folders) -> None:
    cut(site, 10)
    before = events(site)
    code, said = verb(site, "repair", "--dry-run")
    assert (code, said["repaired"], said["events"]) == (0, False, COUNT)
    assert [one["what"] for one in said["taken"]] == [
        "as it was",
        "archive; the stream had none",
    ]
    assert events(site) == before
    assert not any(site.damaged.iterdir())


def test_a_repair_that_would_lose_events_is_a_persons_decision(site: Folders) -> None:
    forget_archive(site, COUNT - 4)
    cut(site, COUNT - 2)
    code, text = verb(site, "repair")
    assert code == 1
    assert "2 events can't be brought back" in text
    code, done = verb(site, "repair", "--accept-loss", "--reason", "drill")
    assert (code, done["lost"], done["kept"]) == (0, 2, COUNT - 2)
    assert found(site) == set()  # The signed succession says that they are gone.
    assert "drill" in (site.witness / "checkpoints.jsonl").read_text()


def test_a_repair_that_was_cut_short_goes_on_from_what_it_kept(
    site: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_archive(site, COUNT - 4)  # So that the end of the log stands in the stream alone.
    before = events(site)
    folder = message_folder(site.nats)
    records = read_records(folder)
    write_records(folder, [*records[:5], *records[6:]])

    async def fail(*_: object) -> None:
        raise VerbEndedError(1, "cut short")  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("passage.integrity.repair.anew.store", fail)
        assert verb(site, "repair") == (1, "cut short")
    assert not gate_of(site).is_open
    code, done = verb(site, "repair")
    assert (code, done["lost"]) == (0, 0)
    assert events(site) == before
    assert found(site) == set()


def test_a_repaired_event_has_the_headers_that_the_recorder_gave_it(site: Folders) -> None:
    later = some_log(4, 7)[COUNT]
    event = read_case_event(later.body)
    with stopped_log_of(site) as running:
        log = CaseLog(
            Fold(0, lambda count, _: count),
            jetstream_env(Settings(nats_url=running.nats), "test"),
        )
        log.recorder.insert_events([log.mapper.to_stored_event(event)], message_ids=[event.id])
        log.close()
    stored = read_records(message_folder(site.nats))[-1]
    said = dict(line.split(": ") for line in stored.headers.decode().splitlines()[1:] if line)
    assert said == anew._headers(StoredMessage(COUNT + 1, stored.subject, stored.body))


def test_a_log_that_is_sound_is_not_repaired(site: Folders) -> None:
    assert verb(site, "repair")[1].startswith("nothing to repair")


async def test_durables_go_on_after_what_they_had_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[str, object]] = []

    async def note(_client: object, wanted: Any, config: Any, _action: str) -> None:
        made.append((wanted.name, config.get("opt_start_seq")))

    monkeypatch.setattr(anew, "put_consumer", note)
    name = anew._durables()[0].name
    await anew.make_durables(None, {name: 7}, 5)  # type: ignore[arg-type]
    assert dict(made)[name] == 6


def test_every_kind_of_tampering_is_detected_and_repaired(tmp_path: Path) -> None:
    for name, counts in drill(tmp_path, 1, seed=3).items():
        assert counts.trials == counts.detected == counts.repaired == 1, (name, counts.wrong)


def test_the_newest_message_follows_from_nothing_and_nobody_else_knows_it(site: Folders) -> None:
    forget_archive(site, COUNT - 1)
    lines = (site.witness / "checkpoints.jsonl").read_text().splitlines(keepends=True)
    (site.witness / "checkpoints.jsonl").write_text("".join(lines[:-2]))  # Those at the end.
    folder = message_folder(site.nats)
    records = read_records(folder)
    write_records(folder, [*records[:-1], replace(records[-1], body=records[-1].body[:-9])])
    assert found(site) == {"readable"}
    assert "neither the archive nor a checkpoint knows it" in what(site)
    assert "1 event can't be brought back" in verb(site, "repair")[1]
    code, done = verb(site, "repair", "--accept-loss")
    assert (code, done["events"]) == (0, COUNT - 1)
