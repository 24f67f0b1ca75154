"""Whose backup it is: the manifest's signature, names that can't be printed, and drafts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passage.backup_errors import BackupDamagedError, BackupForgedError, BackupIncompleteError
from passage.integrity.backup.checking import check, signature_of
from passage.integrity.backup.durable import HashedFile, remove_abandoned
from passage.integrity.backup.manifest import MANIFEST, SIGNATURE
from passage.integrity.backup.sealed_file import Member
from tests.backups import new_identity, silent, with_manifest, write_members
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
