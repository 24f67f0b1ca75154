"""A backup's file: it opens with one key only, and whatever is done to it shows."""

import io
import stat
import tarfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]
import pytest

from passage import backup_errors
from passage.folders import FILE_MODE
from passage.install import backup_keys
from passage.install.definitions import streams
from passage.integrity.backup import manifest as manifests
from passage.integrity.backup.checking import check, newest_of
from passage.integrity.backup.durable import HashedFile
from passage.integrity.backup.sealed_file import PIECE_BYTES, Member, sealed
from passage.integrity.backup.taking import ORDER
from passage.integrity.backup.witnesses import lost_against, newest_checkpoint, read_witness
from tests.backups import members_of, new_identity, silent, with_manifest, write_members

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NAMES = tuple(one.name for one in streams(1) if one.name not in manifests.NOT_COPIED)
PIECE = 15_000
"""How often a name stands in a piece: more than the 64 KiB that age authenticates at once."""


HEAD = (
    manifests.Header(passage_version="0", started_at=NOW, positions={}).model_dump_json().encode()
)
PIECES = [Member(f"streams/{name}/begin.json", name.encode() * PIECE) for name in NAMES]


def some_members() -> list[Member]:
    return with_manifest([Member(manifests.HEADER, HEAD), *PIECES], manifest())


def manifest(**other: Any) -> manifests.Manifest:
    tally = manifests.Tally()
    for member in (Member(manifests.HEADER, HEAD), *PIECES):
        tally.take(*member)
    parts = tuple(
        manifests.StreamPart(name=name, messages=1, first_sequence=1, last_sequence=1)
        for name in NAMES
    )
    fields: dict[str, Any] = {
        "passage_version": "0",
        "nats_server_version": "0",
        "started_at": NOW,
        "ended_at": NOW,
        "incarnation": None,
        "replicas": 1,
        "streams": parts,
        "read_models": None,
        "newest_checkpoint": None,
        "parts": tally.parts(),
    }
    return manifests.Manifest(**{**fields, **other})


@pytest.fixture
def backup(tmp_path: Path, identity: Any) -> Path:
    path = tmp_path / "passage-1.age"
    write_members(path, identity, some_members())
    return path


def test_a_backup_opens_with_its_key(backup: Path, identity: Any) -> None:
    assert check(backup, identity, silent) == manifest()
    assert members_of(backup, identity) == some_members()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_backup_does_not_open_with_another_key(backup: Path) -> None:
    with pytest.raises(backup_errors.BackupKeyError):
        check(backup, new_identity(), silent)


def test_nothing_of_the_content_stands_in_the_file(backup: Path) -> None:
    content = backup.read_bytes()
    assert not [name for name in (*NAMES, manifests.HEADER, "manifest") if name.encode() in content]


@pytest.mark.parametrize("place", [0.0, 0.001, 0.2, 0.5, 0.8, 0.999])
def test_one_flipped_bit_is_found(backup: Path, identity: Any, place: float) -> None:
    content = bytearray(backup.read_bytes())
    content[int(place * len(content))] ^= 1
    backup.write_bytes(content)
    # In the head it can't be told from another key's file.
    with pytest.raises((backup_errors.BackupDamagedError, backup_errors.BackupKeyError)):
        check(backup, identity, silent)


@pytest.mark.parametrize("left", [0, 10, 100, 65_736, 200_000, -65_600, -2_000, -1])
def test_a_truncated_file_is_found(backup: Path, identity: Any, left: int) -> None:
    backup.write_bytes(backup.read_bytes()[:left])
    with pytest.raises(backup_errors.BackupDamagedError):
        check(backup, identity, silent)


def test_a_file_without_its_last_piece_is_found_though_all_members_are_there(
    tmp_path: Path, identity: Any
) -> None:
    # The members and the tar's end fill two pieces of age; the third holds the tar's padding.
    members = [Member("one", b"x" * 129_024)]
    path = tmp_path / "passage-2.age"
    write_members(path, identity, members)
    assert members_of(path, identity) == members
    path.write_bytes(path.read_bytes()[:-2_064])
    with pytest.raises(backup_errors.BackupDamagedError):
        members_of(path, identity)


def test_more_behind_the_last_member_holds_nothing_up(tmp_path: Path, identity: Any) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w|") as tar:
        tar.addfile(tarfile.TarInfo("one"))
    path = tmp_path / "passage-2.age"
    path.write_bytes(pyrage.encrypt(plain.getvalue() + bytes(1_000_000), [identity.to_public()]))
    assert members_of(path, identity) == [Member("one", b"")]


def test_what_is_behind_the_end_is_found(backup: Path, identity: Any) -> None:
    backup.write_bytes(backup.read_bytes() + b"more")
    with pytest.raises(backup_errors.BackupDamagedError):
        check(backup, identity, silent)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_or_its_manifest_without_a_stream_is_refused(
    tmp_path: Path, identity: Any, name: str
) -> None:
    parts = tuple(one for one in manifest().streams if one.name != name)
    without_part = with_manifest(some_members(), manifest(streams=parts))
    without_stream = [one for one in some_members() if f"/{name}/" not in one.name]
    path = tmp_path / "passage-2.age"
    for members in (without_part, without_stream):
        write_members(path, identity, members)
        with pytest.raises(backup_errors.BackupIncompleteError, match=name):
            check(path, identity, silent)
        path.unlink()


LARGE = 3 * PIECE_BYTES + 5


@pytest.mark.parametrize(
    "content",
    [
        b"line\n" * (LARGE // 5),
        b"line\n" * (PIECE_BYTES // 5) + b"x" * (PIECE_BYTES % 5),
        b"x" * LARGE,
        b"x" * PIECE_BYTES,
        b"x" * (PIECE_BYTES - 1) + b"\n",
    ],
    ids=["lines", "a piece of lines", "one long line", "a piece", "a piece with an end"],
)
def test_a_member_of_any_size_comes_in_pieces(
    tmp_path: Path, identity: Any, content: bytes
) -> None:
    made = tmp_path / "made"
    made.write_bytes(content)
    path, tally = tmp_path / "passage-2.age", manifests.Tally()
    with (
        closing(HashedFile(path, FILE_MODE)) as file,
        made.open("rb") as source,
        sealed(file, identity.to_public()) as writer,
    ):
        writer.put("witness/before", b"")
        writer.put_file("witness/large", source, len(content))
        writer.put("streams/CASES/00000000", content)
    members = members_of(path, identity)
    for name in ("witness/large", "streams/CASES/00000000"):
        pieces = [one.content for one in members if one.name == name]
        assert b"".join(pieces) == content
        assert max(map(len, pieces)) <= 2 * PIECE_BYTES
        assert all(one.endswith(b"\n") for one in pieces[:-1] if b"\n" in one)
    for member in members:
        tally.take(*member)
    assert tally.parts() == writer.tally.parts()
    assert tally.parts()["witness"].members == 2


@pytest.mark.parametrize("name", [manifests.HEADER, manifests.MANIFEST, "streams/CASES/begin.json"])
def test_a_small_member_that_is_large_is_not_ours(tmp_path: Path, identity: Any, name: str) -> None:
    path = tmp_path / "passage-2.age"
    write_members(path, identity, [Member(name, bytes(PIECE_BYTES))])
    with pytest.raises(backup_errors.BackupDamagedError, match="too large to be ours"):
        members_of(path, identity)


def test_a_member_whose_name_is_longer_than_ours_is_refused(tmp_path: Path, identity: Any) -> None:
    longest = "streams/".ljust(manifests.NAME_MAX_CHARACTERS, "x")
    write_members(tmp_path / "ours.age", identity, [Member(longest, b"")])
    assert members_of(tmp_path / "ours.age", identity) == [Member(longest, b"")]
    write_members(tmp_path / "longer.age", identity, [Member(f"{longest}x", b"")])
    with pytest.raises(
        backup_errors.BackupDamagedError, match="a member with a name that Passage doesn't use"
    ):
        members_of(tmp_path / "longer.age", identity)


def test_a_changed_piece_is_refused(tmp_path: Path, identity: Any) -> None:
    members = [one._replace(content=one.content[:-1]) for one in some_members()[1:-1]]
    path = tmp_path / "passage-2.age"
    write_members(path, identity, [some_members()[0], *members, some_members()[-1]])
    with pytest.raises(backup_errors.BackupIncompleteError, match="CASES"):
        check(path, identity, silent)


def test_a_file_without_manifest_is_refused(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "passage-2.age"
    write_members(path, identity, some_members()[:-1])
    with pytest.raises(backup_errors.BackupIncompleteError, match="no manifest"):
        check(path, identity, silent)


def test_the_key_that_opens_backups_may_be_taken_elsewhere(tmp_path: Path) -> None:
    backup_keys.ensure_backup_keys(tmp_path)
    public = (tmp_path / backup_keys.PUBLIC).read_text()
    assert (
        str(backup_keys.read_identity(tmp_path / backup_keys.SECRET).to_public()) == public.strip()
    )
    (tmp_path / backup_keys.SECRET).rename(tmp_path / "elsewhere")
    backup_keys.ensure_backup_keys(tmp_path)
    assert not (tmp_path / backup_keys.SECRET).exists()
    assert str(backup_keys.read_recipient(tmp_path)) == public.strip()
    with pytest.raises(backup_errors.BackupKeyError, match="--key"):
        backup_keys.read_identity(tmp_path / backup_keys.SECRET)


def test_a_damaged_key_is_refused_without_quoting_it(tmp_path: Path) -> None:
    path = tmp_path / backup_keys.SECRET
    path.write_text("AGE-SECRET-KEY-1CANARY")
    with pytest.raises(backup_errors.BackupKeyError) as refused:
        backup_keys.read_identity(path)
    assert "CANARY" not in str(refused.value)


def test_every_stream_has_its_place_in_the_order() -> None:
    assert set(NAMES) <= set(ORDER)


def test_the_newest_of_a_folder_is_taken_and_drafts_are_not(tmp_path: Path) -> None:
    for name in ("passage-1.age", "passage-2.age", "passage-3.age.draft"):
        (tmp_path / name).touch()
    assert newest_of(tmp_path).name == "passage-2.age"


def test_a_checkpoint_says_how_many_events_are_lost(tmp_path: Path) -> None:
    lines = b'{"sequence": 7, "sig": "x"}\nno json\n{"other": 1}\n[]\n{"sequence": 12}\n'
    assert newest_checkpoint([lines, b""]) == 12
    assert lost_against(12, 9) == (3, 10, 12)
    assert lost_against(12, 12) == lost_against(None, 5) == (0, 0, 0)
    path = tmp_path / "witness"
    path.write_bytes(b"{}\n")
    with pytest.raises(backup_errors.WitnessUnreadableError):
        read_witness(path)


def test_for_a_day_a_restore_says_that_messages_may_go_twice() -> None:
    made = manifest(ended_at=NOW)
    said = manifests.warning_of_messages(made, NOW + timedelta(days=1, seconds=-1))
    assert said is not None
    assert "until 2026-05-02 12:00:00" in said
    assert manifests.warning_of_messages(made, NOW + timedelta(days=1)) is None
