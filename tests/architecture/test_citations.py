"""What a document cites is there: linked files, files named by their path, and modules to run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, name_of

CITING = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("shared/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*\.(?:py|md|toml|yml|html|txt|csv))`")
FOLDER = re.compile(rf"`((?:\.\./)?(?:{'|'.join(PACKAGES)}|docs|deploy)(?:/[\w-]+)+)/?`")
MODULE = re.compile(rf"python -m ((?:{'|'.join(PACKAGES)})(?:\.\w+)*)")
OF_THE_READER = {"PAIRS.csv", "persons.csv"}
"""Files that a command is given or makes; none of them is the project's."""


def missing_in(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    missing = [one for one in LINK.findall(text) if not (document.parent / one).exists()]
    for one in (*FILE.findall(text), *FOLDER.findall(text)):
        if one not in OF_THE_READER and not any(
            (at / one).exists() for at in (ROOT, document.parent)
        ):
            missing.append(one)
    for one in MODULE.findall(text):
        path = ROOT / one.replace(".", "/")
        if not (path.is_dir() or path.with_suffix(".py").exists()):
            missing.append(one)
    return missing


@pytest.mark.parametrize("document", CITING, ids=[name_of(path) for path in CITING])
def test_what_a_document_cites_is_there(document: Path) -> None:
    assert missing_in(document) == []


def test_what_is_missing_is_found(tmp_path: Path) -> None:
    document = tmp_path / "one.md"
    document.write_text(
        "[a](gone.md#x) [b](one.md) `security.md` `../shared/nowhere` `tests/nowhere` `README.md`\n"
        "`tests/golden` python -m tests.gone, python -m tests.journey.kill_drill",
        encoding="utf-8",
    )
    missing = ["gone.md", "security.md", "../shared/nowhere", "tests/nowhere", "tests.gone"]
    assert missing_in(document) == missing
