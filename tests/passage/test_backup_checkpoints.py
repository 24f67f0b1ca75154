"""Which witness files a backup takes, and what they say of a log that came back."""

from __future__ import annotations

import json
from pathlib import Path

from passage.integrity.backup.witnesses import files_to_copy, newest_checkpoint


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
