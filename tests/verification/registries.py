"""Registries as the tests of verification fill them."""

from __future__ import annotations

from pathlib import Path

from services.verification.registry import Loaded, SqliteRegistry, load_csv

HEADER = "surname,first_names,patronymic,rank,date_of_birth,service_number,unit\n"


def registry_of(folder: Path, rows: str, header: str = HEADER) -> SqliteRegistry:
    load_text(folder, header + rows)
    return SqliteRegistry(folder / "registry.db")


def load_text(folder: Path, text: str, encoding: str = "utf-8", named: str | None = None) -> Loaded:
    source = folder / "rows.csv"
    source.write_bytes(text.encode(encoding))
    return load_csv(folder / "registry.db", source, named)
