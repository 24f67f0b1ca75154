"""What a nats-server's report and a disk say about storing."""

import json
from pathlib import Path

import pytest

from shared.servers.stores import MIB, Disk, Refusing, disks_of, read_report

FULL = (
    "JetStream stream 'PASSAGE > CALLS_web' write error: write /data/nats/jetstream/PASSAGE/"
    "streams/CALLS_web/msgs/3.blk: no space left on device"
)
GIB = 1024 * MIB


def report(*errors: dict[str, str]) -> bytes:
    data = {"status": "error" if errors else "ok", "errors": list(errors)}
    return json.dumps({"server": {"name": "n1"}, "data": data}).encode()


def test_a_stream_that_is_not_written_is_named_with_its_server_and_why() -> None:
    (found,) = read_report(report({"type": "STREAM", "stream": "CALLS_web", "error": FULL}))
    assert found == Refusing("n1", "CALLS_web", "no_space")
    assert str(found) == "nats-server n1 can't write CALLS_web: no space left on device"


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        ("disk quota exceeded", "quota"),
        ("read-only file system", "read_only"),
        ("input/output error", "io"),
        ("file too large", "other"),
    ],
)
def test_whatever_the_write_failed_for_shows(end: str, cause: str) -> None:
    text = FULL.replace("no space left on device", end)
    (found,) = read_report(report({"type": "STREAM", "stream": "CASES", "error": text}))
    assert found.cause == cause


def test_a_server_that_turned_jetstream_off_writes_no_stream() -> None:
    off = {"type": "JETSTREAM", "error": "JetStream not enabled"}
    (found,) = read_report(report(off))
    assert str(found) == "nats-server n1 can't write any stream: its log says why"


def test_what_heals_by_itself_is_no_write_that_failed() -> None:
    lags = {"type": "STREAM", "stream": "CASES", "error": "stream is not current"}
    assert read_report(report(lags)) == []
    assert read_report(report()) == []


def test_a_server_whose_limit_is_used_up_refuses_everything() -> None:
    data = {"storage": 99, "config": {"max_storage": 100}}
    (found,) = read_report(json.dumps({"server": {"name": "n1"}, "data": data}).encode())
    assert found == Refusing("n1", "", "limit")
    data["storage"] = 90
    assert read_report(json.dumps({"server": {"name": "n1"}, "data": data}).encode()) == []


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"server": {"name": "n1"}}', b'{"data": {}}']
)
def test_what_is_no_report_says_nothing(body: bytes) -> None:
    assert read_report(body) == []


@pytest.mark.parametrize(
    ("free", "size", "files", "is_full", "is_low"),
    [
        (31 * MIB, 100 * GIB, None, True, True),
        (33 * MIB, 100 * GIB, None, False, True),
        (33 * MIB, 250 * MIB, None, False, False),
        (3 * GIB, 100 * GIB, None, False, False),
        (90 * GIB, 100 * GIB, 3, True, False),
    ],
)
def test_a_disk_is_low_before_it_is_full(
    free: int, size: int, files: int | None, *, is_full: bool, is_low: bool
) -> None:
    disk = Disk(Path("data"), free, size, files)
    assert (disk.is_full, disk.is_low) == (is_full, is_low)


def test_a_disk_is_looked_at_once_and_where_a_folder_is_not_yet_there(tmp_path: Path) -> None:
    (found,) = disks_of([tmp_path, tmp_path / "not" / "yet"])
    assert found.folder == tmp_path
    assert 0 < found.free <= found.size


def test_a_disk_without_files_left_is_said_to_be_so() -> None:
    assert str(Disk(Path("data"), GIB, GIB, 3)) == "the disk of data takes only 3 more files"
