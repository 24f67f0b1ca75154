"""`passage init` by root makes everything for the folder's owner, and again changes no owner."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from passage.install.backup_keys import PUBLIC, SECRET, read_recipient
from passage.install.host_names import IN_COMPOSE
from passage.install.installation import ACCOUNTS_FILE, make_installation

USER = 10_001
IS_ROOT = os.geteuid() == 0


def owners(folder: Path) -> dict[str, int]:
    return {str(one.relative_to(folder)): one.stat().st_uid for one in folder.rglob("*")}


@pytest.mark.skipif(not IS_ROOT, reason="only root makes files for others")
def test_what_root_makes_is_the_folders_owners_at_once_and_again(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    os.chown(keys, USER, USER)
    make_installation(keys, IN_COMPOSE)
    assert set(owners(keys).values()) == {USER}
    (keys / "nkeys" / "query.nk").unlink()
    (keys / "tls" / "server.pem").unlink()
    (keys / "tls" / "server.key").unlink()
    make_installation(keys, IN_COMPOSE)
    assert set(owners(keys).values()) == {USER}


@pytest.mark.skipif(not IS_ROOT, reason="only root makes files for others")
def test_a_file_that_is_written_anew_keeps_the_owner_that_it_had(tmp_path: Path) -> None:
    make_installation(tmp_path / "keys", IN_COMPOSE)
    accounts = tmp_path / "keys" / ACCOUNTS_FILE
    os.chown(accounts, USER, USER)
    make_installation(tmp_path / "keys", IN_COMPOSE)
    assert accounts.stat().st_uid == USER


def test_it_makes_the_pair_by_which_backups_are_sealed_and_opened(tmp_path: Path) -> None:
    make_installation(tmp_path)
    read_recipient(tmp_path)
    made = (tmp_path / PUBLIC).read_bytes()
    (tmp_path / SECRET).unlink()  # Taken elsewhere, as it should be.
    make_installation(tmp_path)
    assert (tmp_path / PUBLIC).read_bytes() == made
    assert not (tmp_path / SECRET).exists()
