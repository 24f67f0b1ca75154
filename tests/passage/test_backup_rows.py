"""docs/operating.md says of everything that an installation has whether a backup holds it."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from passage.install.backup_keys import ensure_backup_keys
from passage.install.definitions import streams
from passage.install.installation import make_installation
from passage.integrity.backup.manifest import NOT_COPIED
from tests.architecture.sources import ROOT

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
