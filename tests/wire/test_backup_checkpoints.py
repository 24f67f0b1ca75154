"""Checkpoints in backups: the files that are named, of any size; the gate is open afterwards."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from passage.backup_errors import BackupError
from passage.folders import folders_of
from passage.install.backup_keys import ensure_backup_keys
from passage.install.identities import make_identities
from passage.integrity.backup import sealed_file
from passage.integrity.gate import Gate, check_gate, open_gate
from passage.runner.nats_server import NatsServer
from passage.runner.own_server import stopped_log_of
from passage.running import from_environment
from shared.witnesses.checkpoints import make_witness_keys
from tests.wire.conftest import Site
from tests.wire.test_backups import back_up, one_person, restore

DAYS, LINE_BYTES = 110, 432
"""A witness signs a line a minute; backups stopped on the 108th day."""


@pytest.fixture
def place(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the verbs find the installation; its keys are made."""
    ensure_backup_keys(site.settings.keys_dir)
    make_witness_keys(site.settings.keys_dir)
    monkeypatch.setenv("PASSAGE_NATS_URL", site.server.url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(site.settings.keys_dir))
    monkeypatch.setenv("PASSAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'query.db'}")
    return tmp_path / "place"


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two witness files on two disks, of one name, that the setting names."""
    paths = [tmp_path / disk / "checkpoints.jsonl" for disk in ("one", "two")]
    monkeypatch.setenv("PASSAGE_WITNESS_FILES", ",".join(map(str, paths)))
    return paths


async def signed() -> Gate:
    """Has a line signed into every witness file, as the gate does."""
    running = from_environment()
    gate = await check_gate(running)
    open_gate(gate, running)
    return gate


async def gate_of(place: Path) -> Gate:
    """Reads what was restored as `passage up` does."""
    folders = folders_of(place / "new")
    make_identities(folders.keys)

    def read() -> Gate:
        with stopped_log_of(folders) as running:
            return asyncio.run(check_gate(running))

    return await asyncio.to_thread(read)


def bring_keys(place: Path) -> None:
    shutil.copytree(place.parent / "keys", folders_of(place / "new").keys)


def remove(path: Path) -> None:
    path.unlink()


def keep(_: Path) -> None:
    return


@pytest.mark.parametrize(("first", "second"), [(remove, remove), (keep, remove), (keep, keep)])
async def test_the_gate_is_open_after_a_restore_wherever_the_files_are(
    site: Site,
    place: Path,
    named: list[Path],
    first: Callable[[Path], None],
    second: Callable[[Path], None],
) -> None:
    await one_person(site)
    await signed()
    before = named[0].read_bytes()
    written = await back_up(place)
    assert written.as_json()["checkpoints_missing"] == []
    first(named[0])
    second(named[1])
    bring_keys(place)
    await restore(place, written.path)
    assert [path.read_bytes() for path in named] == [before, before]
    gate = await gate_of(place)
    assert (gate.findings.kept, len(gate.witnessed.lines)) == ([], 1)
    assert gate.heads.sequence > 0


async def test_files_that_each_lack_lines_come_back_as_one(
    site: Site, place: Path, named: list[Path]
) -> None:
    await one_person(site)
    await signed()
    first = named[1].read_bytes()
    await signed()
    named[1].write_bytes(first)  # It was away.
    named[0].write_bytes(named[0].read_bytes().removeprefix(first))  # And this one before.
    written = await back_up(place)
    for path in named:
        path.unlink()
    bring_keys(place)
    await restore(place, written.path)
    gate = await gate_of(place)
    assert (gate.findings.kept, len(gate.witnessed.lines)) == ([], 2)


@pytest.mark.parametrize("one_is_left", [True, False])
async def test_the_gate_is_open_where_events_were_lost(
    site: Site,
    place: Path,
    named: list[Path],
    capsys: pytest.CaptureFixture[str],
    *,
    one_is_left: bool,
) -> None:
    await one_person(site)
    await signed()
    written = await back_up(place)
    await one_person(site)
    later = await signed()
    newest = shutil.copy(named[0], place / "newest.jsonl")
    for path in named[one_is_left:]:
        path.unlink()
    bring_keys(place)
    await restore(place, written.path, witness=[Path(newest)])
    assert f'"last": {later.heads.sequence}' in capsys.readouterr().out
    gate = await gate_of(place)
    assert gate.findings.kept == []
    assert [one.kind for one in gate.witnessed.lines][-1] == "succession"


async def test_running_servers_get_the_files_that_are_named(
    site: Site, place: Path, named: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_person(site)
    await signed()
    before = named[0].read_bytes()
    written = await back_up(place)
    for path in named:
        path.unlink()
    (tmp_path / "query.db").unlink(missing_ok=True)
    with NatsServer(tmp_path / "empty", sync_interval='"1m"') as server:
        monkeypatch.setenv("PASSAGE_NATS_URL", server.url)
        await restore(place, written.path, into_running=True)
        assert (await check_gate(from_environment())).findings.kept == []
    assert [path.read_bytes() for path in named] == [before, before]
    assert [one.name for one in named[0].parent.iterdir()] == [named[0].name]


async def test_a_witness_file_that_is_away_is_named_and_the_rest_is_copied(
    site: Site, place: Path, named: list[Path]
) -> None:
    await one_person(site)
    await signed()
    named[1].unlink()
    written = await back_up(place)
    assert written.as_json()["checkpoints_missing"] == [f"{named[1]}: not there"]
    named[0].unlink()
    bring_keys(place)
    await restore(place, written.path)
    assert (await gate_of(place)).findings.kept == []


async def test_a_place_that_takes_no_checkpoints_is_named_and_nothing_is_restored(
    site: Site, place: Path, named: list[Path]
) -> None:
    await one_person(site)
    await signed()
    written = await back_up(place)
    shutil.rmtree(named[1].parent)
    named[1].parent.touch()
    bring_keys(place)
    with pytest.raises(BackupError, match=r"two/checkpoints\.jsonl .*PASSAGE_WITNESS_FILES"):
        await restore(place, written.path)
    assert not (place / "new").exists()


async def test_backups_go_on_after_a_hundred_and_eight_days(place: Path) -> None:
    path = place / "data.witness" / "checkpoints.jsonl"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, DAYS * 24 * 60 + 1):
            line = f'{{"number": {number}, "sequence": 0, "incarnation": "1", "pad": "'
            file.write(f'{line:x<{LINE_BYTES - 3}}"}}\n')
    assert path.stat().st_size == DAYS * 24 * 60 * LINE_BYTES > 64 * 2**20
    written = await back_up(place)
    assert written.opened
    bring_keys(place)
    await restore(place, written.path)
    restored = place / "new.witness" / path.name
    assert restored.stat().st_size == path.stat().st_size > 8 * sealed_file.PIECE_BYTES
    with path.open("rb") as one, restored.open("rb") as other:
        while piece := one.read(2**20):
            assert other.read(2**20) == piece
