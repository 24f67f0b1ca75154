"""How far down in a registry's file its header is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.verification.registry_file.header import ROWS_BEFORE_MAX
from services.verification.registry_file.problems import RegistryFileError
from tests.verification.registries import load_text
from tests.verification.test_registry_files import IN_RUSSIAN, MEN


def test_a_header_stands_among_so_many_rows(tmp_path: Path) -> None:
    title = "Список;;;;;;\n"
    last = load_text(tmp_path, title * (ROWS_BEFORE_MAX - 1) + IN_RUSSIAN + MEN)
    assert last.recognised.header_line == ROWS_BEFORE_MAX
    with pytest.raises(RegistryFileError, match=r"header|column"):
        load_text(tmp_path, title * ROWS_BEFORE_MAX + IN_RUSSIAN + MEN)
