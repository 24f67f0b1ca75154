"""A backup or restore whose server says nothing for too long ends, and leaves nothing half done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nats.aio.client import Client

from passage.exits import Exit, VerbEndedError
from passage.install.backup_keys import ensure_backup_keys
from passage.install.provisioning import ask
from passage.integrity.backup import snapshots
from passage.integrity.backup.taking import write_backup
from passage.runner.nats_server import NatsServer
from tests.late import TOO_SHORT_S, answered

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
