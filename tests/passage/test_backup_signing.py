"""A backup: whose it is, what it holds and documents say of that, and how it ends in a pause."""

import asyncio
import json
import re
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client

from passage.backup_errors import BackupDamagedError, BackupForgedError, BackupIncompleteError
from passage.exits import Exit, VerbEndedError
from passage.install.backup_keys import ensure_backup_keys
from passage.install.definitions import streams
from passage.install.installation import make_installation
from passage.install.provisioning import ask
from passage.integrity.backup import snapshots
from passage.integrity.backup.checking import check, signature_of
from passage.integrity.backup.durable import HashedFile, remove_abandoned
from passage.integrity.backup.manifest import MANIFEST, NOT_COPIED, SIGNATURE
from passage.integrity.backup.sealed_file import Member
from passage.integrity.backup.taking import write_backup
from passage.integrity.backup.witnesses import files_to_copy, newest_checkpoint
from passage.runner.nats_server import NatsServer
from tests.architecture.sources import ROOT
from tests.backups import new_identity, silent, with_manifest, write_members
from tests.late import TOO_SHORT_S, answered
from tests.passage.test_backup_files import manifest, some_members


@pytest.fixture(scope="module")
def identity() -> Any:
    return new_identity()


SITE = Ed25519PrivateKey.generate()
OTHER_SITE = Ed25519PrivateKey.generate()


def signed_by(key: Ed25519PrivateKey, members: list[Member]) -> list[Member]:
    return [*members, Member(SIGNATURE, signature_of(key, members[-1].content))]


def written(path: Path, identity: Any, members: list[Member]) -> Path:
    write_members(path, identity, members)
    return path


def test_a_backup_that_this_site_signed_is_taken(tmp_path: Path, identity: Any) -> None:
    path = written(tmp_path / "passage-1.age", identity, signed_by(SITE, some_members()))
    assert check(path, identity, silent, SITE.public_key()) == manifest()
    assert check(path, identity, silent) == manifest()


def forged_members() -> list[Member]:
    """Another content with its own good manifest, and the signature of the right one."""
    *_, right = signed_by(SITE, some_members())
    forged = manifest(incarnation="f" * 32)
    return [*with_manifest(some_members(), forged), right]


@pytest.mark.parametrize(
    "members",
    [
        some_members(),
        signed_by(OTHER_SITE, some_members()),
        forged_members(),
        [*some_members(), Member(SIGNATURE, b"")],
        [*some_members(), Member(SIGNATURE, SITE.sign(some_members()[-1].content))],
    ],
    ids=["unsigned", "another site's", "forged", "empty", "signed as something else"],
)
def test_whoever_has_only_the_public_key_makes_no_backup_that_is_taken(
    tmp_path: Path, identity: Any, members: list[Member]
) -> None:
    path = written(tmp_path / "passage-1.age", identity, members)
    with pytest.raises(BackupForgedError, match="sign"):
        check(path, identity, silent, SITE.public_key())


@pytest.mark.parametrize(
    "name",
    [
        "streams/CASES/\x1b[2J\x1b[31mALL IS WELL",
        "streams/CASES/a\nb",
        "streams/\u202eSESAC",
        "streams/../../etc/passwd",
        "/etc/passwd",
        "streams//x",
        "x" * 301,
    ],
)
def test_a_member_of_a_strange_name_is_refused_and_its_name_not_printed(
    tmp_path: Path, identity: Any, name: str
) -> None:
    members = [*some_members()[:-1], Member(name, b"x"), some_members()[-1]]
    path = written(tmp_path / "passage-1.age", identity, members)
    with pytest.raises(BackupDamagedError) as error:
        check(path, identity, silent)
    assert name not in str(error.value)
    assert str(error.value).isprintable()


def test_a_strange_name_in_the_manifest_is_not_printed_either(
    tmp_path: Path, identity: Any
) -> None:
    content = manifest().model_dump_json().replace('"CASES"', '"\\u001b[2J"').encode()
    members = [*some_members()[:-1], Member(MANIFEST, content)]
    path = written(tmp_path / "passage-1.age", identity, members)
    with pytest.raises(BackupIncompleteError) as error:
        check(path, identity, silent)
    assert "\x1b" not in str(error.value)


def test_a_draft_that_nobody_writes_any_more_is_removed(tmp_path: Path) -> None:
    abandoned, written_now = tmp_path / "passage-1.age.draft", tmp_path / "passage-2.age.draft"
    HashedFile(abandoned, 0o600).close()
    with closing(HashedFile(written_now, 0o600)):
        remove_abandoned(sorted(tmp_path.iterdir()))
        assert [one.name for one in tmp_path.iterdir()] == [written_now.name]
    remove_abandoned([written_now, tmp_path / "gone.draft"])
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_tar_is_refused_however_long_it_is(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "passage-2.age"
    path.write_bytes(pyrage.encrypt(b"no tar" * 200_000, [identity.to_public()]))
    with pytest.raises(BackupDamagedError):
        check(path, identity, silent)


STATE = b'{"state": {"messages": 1, "first_seq": 1, "last_seq": 1}}'


async def test_a_backup_of_which_no_next_piece_comes_leaves_no_file(
    client: Client, server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(client, "STREAM.CREATE.T", {"name": "T", "subjects": ["t"]})
    keys, backups = tmp_path / "keys", tmp_path / "backups"
    ensure_backup_keys(keys)
    monkeypatch.setenv("PASSAGE_NATS_URL", server.url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(keys))
    monkeypatch.setattr(snapshots, "CHUNK_TIMEOUT_S", 0.0)  # Even what is there comes too late.
    with pytest.raises(VerbEndedError, match=r"the copy of T stopped \(TimeoutError\)") as ended:
        await asyncio.to_thread(write_backup, tmp_path / "data", backups)
    assert ended.value.code == Exit.UNAVAILABLE
    assert list(backups.iterdir()) == []


async def test_a_restore_ends_where_a_piece_is_not_taken_in_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    restoring = snapshots.Restoring(client, "T", "restoring")
    await answered(client, "restoring", b"")
    await restoring.put(b"piece")
    monkeypatch.setattr(snapshots, "CHUNK_TIMEOUT_S", TOO_SHORT_S)
    with pytest.raises(VerbEndedError, match=r"restoring T stopped \(TimeoutError\)") as ended:
        await restoring.put(b"piece")
    assert ended.value.code == Exit.UNAVAILABLE


async def test_after_the_last_piece_the_server_has_a_time_of_its_own(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    restoring = snapshots.Restoring(client, "T", "restoring")
    await answered(client, "restoring", STATE)
    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "CHUNK_TIMEOUT_S", TOO_SHORT_S)
        assert (await restoring.end()).messages == 1
    monkeypatch.setattr(snapshots, "LAST_TIMEOUT_S", TOO_SHORT_S)
    with pytest.raises(VerbEndedError, match=r"restoring T stopped \(TimeoutError\)") as ended:
        await restoring.end()
    assert ended.value.code == Exit.UNAVAILABLE


def test_the_newest_checkpoint_is_the_newest_incarnations() -> None:
    lines = [
        {"number": 1, "incarnation": "1", "sequence": 90},
        {"number": 2, "incarnation": "1", "sequence": 100},
        {"number": 3, "incarnation": "2", "sequence": 60, "previous": "1", "kept": 60},
        {"number": 4, "incarnation": "2", "sequence": 61},
    ]
    pieces = [json.dumps(one).encode() + b"\n" for one in lines]
    assert newest_checkpoint(pieces) == newest_checkpoint([b"".join(pieces)]) == 61
    assert newest_checkpoint(pieces[:2]) == 100
    assert newest_checkpoint([b"7\n", b"[1]\n", b'{"sequence": "9"}\n', b"\xff\n"]) is None


def test_every_named_file_is_taken_once_under_a_name_of_its_own(tmp_path: Path) -> None:
    folder, other = tmp_path / "data.witness", tmp_path / "other"
    for path in (folder / "checkpoints.jsonl", folder / "kept.jsonl", other / "checkpoints.jsonl"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (folder / ".checkpoints.jsonl.thinned").touch()
    named = [other / "checkpoints.jsonl", folder / "checkpoints.jsonl", tmp_path / "away"]
    assert files_to_copy(folder, named) == {
        "checkpoints.jsonl": other / "checkpoints.jsonl",
        "checkpoints-2.jsonl": folder / "checkpoints.jsonl",
        "kept.jsonl": folder / "kept.jsonl",
    }
    assert files_to_copy(tmp_path / "nowhere", []) == {}


HEAD = "| what | in the backup | also keep |\n|---|---|---|\n"
BUCKET = "KV_"


def rows() -> list[tuple[str, bool]]:
    """What each row is about, and whether it says that a backup holds it."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    table = text.partition(HEAD)[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()]
    return [(what, held.startswith("yes")) for what, held, _ in cells]


def said_of(name: str) -> list[bool]:
    return [held for what, held in rows() if name in re.findall(r"\w+", what)]


def test_each_stream_and_bucket_has_one_row_that_says_what_is_done() -> None:
    names = [one.name for one in streams(1)]
    found = {name: said_of(name.removeprefix(BUCKET)) for name in names}
    assert found == {name: [name not in NOT_COPIED] for name in names}


def test_each_file_of_the_key_folder_has_one_row_and_none_is_in_the_backup(tmp_path: Path) -> None:
    make_installation(tmp_path)
    ensure_backup_keys(tmp_path)
    patterns = [re.findall(r"`([^`]+)`", what) for what, held in rows() if not held]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            name = path.relative_to(tmp_path)
            folders = {f"{one}/" for one in name.parents}
            matching = [
                one for one in patterns if any(p in folders or fnmatch(str(name), p) for p in one)
            ]
            assert len(matching) == 1, name


def test_what_a_row_names_of_the_key_holder_is_all_there_is(tmp_path: Path) -> None:
    make_installation(tmp_path)
    (row,) = [re.findall(r"`([^`]+)`", what) for what, _ in rows() if "holder/" in what]
    made = [path.name for path in (tmp_path / "holder").iterdir()]
    assert [one for one in made if not any(fnmatch(one, p) for p in row)] == []
