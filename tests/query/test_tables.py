"""The tables are made of the models' rows, and are what installations have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Dialect
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex, CreateTable

from services.query.feed.tables import tables_for

GOLDEN = Path(__file__).parent.parent / "golden" / "read_models" / "tables.sql"


def statements(dialect: Dialect) -> Iterator[str]:
    yield f"-- {dialect.name}"
    for table in tables_for("").by_name.values():
        yield f"{str(CreateTable(table).compile(dialect=dialect)).strip()};"
        yield from sorted(f"{CreateIndex(one).compile(dialect=dialect)};" for one in table.indexes)


def test_the_tables_are_those_that_installations_have() -> None:
    dialects = [make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql+psycopg")]
    made = "\n".join(one for dialect in dialects for one in statements(dialect))
    assert [one.rstrip() for one in made.splitlines()] == GOLDEN.read_text().splitlines()
