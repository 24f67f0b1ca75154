"""The tables are made of the models' rows, and are what installations have."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url

from services.query.feed.tables import statements, versions

GOLDEN = Path(__file__).parent.parent / "golden" / "read_models" / "tables.sql"


def test_the_tables_and_their_versions_are_those_that_installations_have() -> None:
    made = [f"-- {one}" for one in versions()]
    for name in ("sqlite", "postgresql+psycopg"):
        dialect = make_url(f"{name}://").get_dialect()()
        made += [f"-- {dialect.name}", *(f"{one.strip()};" for one in statements(dialect))]
    lines = "\n".join(made).splitlines()
    assert [one.rstrip() for one in lines] == GOLDEN.read_text().splitlines()
