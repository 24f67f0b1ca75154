"""Backups of an installation: nothing personal in the clear, calls go on, all or nothing."""

import asyncio
import base64
import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import passage.integrity.backup.durable
from passage.backup_errors import (
    BackupDamagedError,
    BackupError,
    BackupForgedError,
    BackupKeyError,
    TargetNotEmptyError,
)
from passage.cli.backup import check_verb as check
from passage.cli.restore import restore_verb
from passage.connecting import connected
from passage.folders import folders_of
from passage.install.backup_keys import SECRET, ensure_backup_keys
from passage.install.definitions import streams
from passage.install.provisioning import ask
from passage.integrity.backup.taking import Written, stream_names, write_backup
from passage.runner.nats_server import NatsServer
from shared.commands.intake import ProvidePersonalData
from shared.events.fields import Identity
from shared.witnesses.checkpoints import PUBLIC_NAME, make_witness_keys
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

CANARIES = ("Канарейченко", "Kanarienvogel", "CANARY-000123", "+380441234567")
TEXT = "Kanarienvogel is waiting"


@pytest.fixture
def place(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which the verbs find the installation; its keys are made."""
    ensure_backup_keys(site.settings.keys_dir)
    monkeypatch.setenv("PASSAGE_NATS_URL", site.server.url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(site.settings.keys_dir))
    monkeypatch.setenv("PASSAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'query.db'}")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield tmp_path / "place"
    assert list(temporary.iterdir()) == []


async def back_up(place: Path) -> Written:
    return await asyncio.to_thread(write_backup, place / "data", place / "backups")


async def restore(place: Path, file: Path, **other: Any) -> None:
    key = place.parent / "keys" / SECRET
    options = {"source": file, "data": place / "new", "key": key, "as_json": True, **other}
    await asyncio.to_thread(restore_verb, **options)


def restored_server(place: Path) -> NatsServer:
    """The restored streams, which belong to the account of the log, for whoever connects."""
    anyone = "accounts { PASSAGE { jetstream: enabled, users: [{user: any, password: any}] } }"
    config = f"{anyone}\nno_auth_user: any"
    return NatsServer(folders_of(place / "new").nats, extra_config=config)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def encodings(text: str) -> list[bytes]:
    plain = text.encode()
    made = [plain, text.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode()]
    made += [base64.b64encode(b"x" * skip + plain)[4:-4] for skip in range(3)]
    return [*made, gzip.compress(plain)[10:-8]]


def hits(folder: Path) -> list[str]:
    """The files in which a canary stands."""
    needles = [one for canary in CANARIES for one in encodings(canary)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(n in path.read_bytes() for n in needles)]


async def one_person(site: Site) -> str:
    """Has one case with everything personal, and gives its number."""
    async with site.service("intake"):
        await site.call(CANARIES[3], TEXT)
        case_id = (await site.next_event()).subject
        identity = Identity(
            surname=CANARIES[0], first_names=CANARIES[1], service_number=CANARIES[2]
        )
        await site.record(ProvidePersonalData, case_id, identity=identity.model_dump())
    return str(case_id)


async def test_calls_that_waited_become_cases_after_the_restore(site: Site, place: Path) -> None:
    await one_person(site)
    waiting = [await site.call(f"+38044000000{number}") for number in range(1, 4)]
    written = await back_up(place)
    await restore(place, written.path)
    with restored_server(place) as server:
        settings = site.settings.model_copy(update={"nats_url": server.url})
        async with connected(server.url) as client:
            new = Site(settings, server, client, seen_sequence=2)
            async with new.service("keyholder"), new.service("intake"):
                opened = [(await new.next_event("CaseOpened")).data.call_id for _ in waiting]
                assert sorted(opened) == sorted(waiting)
                assert await new.calls_left() == 0


async def test_no_personal_value_is_in_the_backup_or_beside_it(site: Site, place: Path) -> None:
    await one_person(site)
    await site.call(CANARIES[3], TEXT)
    written = await back_up(place)
    await restore(place, written.path)
    assert hits(place) == []
    assert [path.name for path in (place / "backups").iterdir()] == [written.path.name]
    (place / "control").write_text(f"... {TEXT}")
    assert hits(place) == ["control"]


async def test_it_is_taken_without_the_key_that_opens_it(site: Site, place: Path) -> None:
    await one_person(site)
    key = site.settings.keys_dir / SECRET
    key.rename(place.parent / "elsewhere")
    written = await back_up(place)
    assert not written.opened
    with pytest.raises(BackupKeyError):
        await asyncio.to_thread(check, written.path, data=place / "data", as_json=True)
    await restore(place, written.path, key=place.parent / "elsewhere")
    assert (place / "new" / "nats").is_dir()


async def many_calls(site: Site) -> None:
    for number in range(30):
        await site.call(f"+3804400000{number:02}", text=os.urandom(2_000).hex())


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def cut(content: bytes) -> bytes:
    return content[: len(content) * 3 // 4]


@pytest.mark.parametrize("harm", [flip, cut])
async def test_a_damaged_backup_leaves_nothing_half_restored(
    site: Site, place: Path, harm: Callable[[bytes], bytes]
) -> None:
    await many_calls(site)
    written = await back_up(place)
    good = written.path.read_bytes()
    written.path.write_bytes(harm(good))
    with pytest.raises(BackupDamagedError):
        await restore(place, written.path)
    assert names(place) == ["backups"]
    written.path.write_bytes(good)
    await restore(place, written.path)
    assert (place / "new" / "nats").is_dir()


async def test_only_a_backup_that_this_site_signed_is_restored(site: Site, place: Path) -> None:
    keys, other = site.settings.keys_dir, place.parent / "other-keys"
    make_witness_keys(other)
    await one_person(site)
    unsigned = await back_up(place)
    make_witness_keys(keys)
    signed = await back_up(place)
    assert (unsigned.is_signed, signed.is_signed) == (False, True)
    for file, signer in ((signed.path, other), (unsigned.path, keys)):
        with pytest.raises(BackupForgedError):
            await restore(place, file, signer=signer / PUBLIC_NAME)
        assert not (place / "new").exists()
    await restore(place, signed.path, signer=keys / PUBLIC_NAME)
    assert (place / "new").is_dir()


async def test_a_folder_that_is_not_empty_is_left_alone(place: Path) -> None:
    written = await back_up(place)
    (place / "new").mkdir()
    (place / "new" / "something").touch()
    with pytest.raises(BackupError, match="not empty"):
        await restore(place, written.path)
    assert [path.name for path in (place / "new").iterdir()] == ["something"]


async def test_what_a_killed_restore_left_is_no_hindrance(place: Path) -> None:
    written = await back_up(place)
    left = place / ".new.restoring"
    (left / "nats" / "jetstream").mkdir(parents=True)
    (left / "query.db").write_text("half")
    await restore(place, written.path)
    assert names(place) == ["backups", "new"]
    assert names(place / "new") == ["lock", "logs", "nats"]


async def test_a_disk_that_lies_is_found(
    site: Site, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site.settings.keys_dir / SECRET).unlink()  # So that only the bytes can be looked at.
    end = passage.integrity.backup.durable.HashedFile.end

    def end_damaged(file: passage.integrity.backup.durable.HashedFile) -> str:
        digest = end(file)
        draft = next((place / "backups").glob("*.draft"))
        draft.write_bytes(flip(draft.read_bytes()))
        return digest

    monkeypatch.setattr(passage.integrity.backup.durable.HashedFile, "end", end_damaged)
    with pytest.raises(BackupDamagedError):
        await back_up(place)
    assert list((place / "backups").iterdir()) == []


async def test_running_servers_are_filled_whole_or_not_at_all(
    site: Site, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So much in the last stream that the damage is found when others were restored already.
    await ask(site.client, "STREAM.CREATE.ZULU", {"name": "ZULU", "subjects": ["zulu"]})
    for _ in range(3):
        await site.client.request("zulu", os.urandom(100_000), timeout=WITHIN_S)
    written = await back_up(place)
    good = written.path.read_bytes()
    with NatsServer(tmp_path / "empty", sync_interval='"1m"') as server:
        monkeypatch.setenv("PASSAGE_NATS_URL", server.url)
        async with connected(server.url) as client:
            written.path.write_bytes(good[:-20])
            with pytest.raises(BackupDamagedError):
                await restore(place, written.path, into_running=True)
            assert await stream_names(client) == []
            written.path.write_bytes(good)
            await restore(place, written.path, into_running=True)
            assert len(await stream_names(client)) == len(streams(1)) + 1
            with pytest.raises(TargetNotEmptyError):
                await restore(place, written.path, into_running=True)
            assert len(await stream_names(client)) == len(streams(1)) + 1
