"""Generations of the read models: a changed fingerprint is built beside what is served, and then
swapped in.

The old generation is served meanwhile, unless it lacks a table or column that this program reads;
then nothing is served until the new one has caught up.
"""

from sqlalchemy import Connection, delete, insert, inspect, select, text, update
from sqlalchemy.schema import CreateIndex, CreateTable

from services.query.feed.database import Database
from services.query.feed.read_model import ReadModel
from services.query.feed.tables import META, READ_MODELS, fingerprint, prefix_of, tables_for

BUILDING = "building"
SERVING = "serving"


class Generations:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.following = ReadModel(database, fingerprint(database.writer.dialect))
        self.served = self.following

    def open(self) -> None:
        """Finds or makes this program's generation, and decides which one is read meanwhile."""
        own = self.following.fingerprint
        with self.database.writer.begin() as connection:
            META.create_all(connection)
            states = _states(connection)
            if own not in states:
                connection.execute(
                    insert(READ_MODELS).values(
                        fingerprint=own, prefix=prefix_of(own), state=BUILDING, sequence=0
                    )
                )
            for table in self.following.tables.by_name.values():
                connection.execute(CreateTable(table, if_not_exists=True))
            old = [one for one, state in states.items() if state == SERVING and one != own]
            readable = [one for one in old if _is_readable(connection, one)]
        serves_own = states.get(own) == SERVING or not readable
        self.served = self.following if serves_own else ReadModel(self.database, readable[0])

    @property
    def rebuilding(self) -> bool:
        return self.served is not self.following

    def swap(self) -> None:
        """Serves the generation that follows the log; drops all others."""
        own = self.following.fingerprint
        with self.database.writer.begin() as connection:
            if _states(connection) != {own: SERVING}:
                self._take_over(connection, own)
        self.served = self.following

    def _take_over(self, connection: Connection, own: str) -> None:
        others = [one for one in _states(connection) if one != own]
        for name, table in self.following.tables.by_name.items():
            # Made over all rows at once, an index is sorted first; row by row, each goes to another
            # page.
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
            connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
            connection.execute(text(f"CREATE VIEW {name} AS SELECT * FROM {table.name}"))  # noqa: S608
        for other in others:
            tables_for(prefix_of(other)).metadata.drop_all(connection)
            # Tables that only an older program knew.
            for name in inspect(connection).get_table_names():
                if name.startswith(prefix_of(other)):
                    connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        connection.execute(delete(READ_MODELS).where(READ_MODELS.c.fingerprint != own))
        connection.execute(
            update(READ_MODELS).where(READ_MODELS.c.fingerprint == own).values(state=SERVING)
        )


def _states(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(READ_MODELS.c.fingerprint, READ_MODELS.c.state)).all()
    return {str(row[0]): str(row[1]) for row in rows}


def _is_readable(connection: Connection, generation: str) -> bool:
    """Whether an older generation has every table and column that this program reads."""
    inspector = inspect(connection)
    return all(
        inspector.has_table(table.name)
        and {*table.columns.keys()} <= {one["name"] for one in inspector.get_columns(table.name)}
        for table in tables_for(prefix_of(generation)).by_name.values()
    )
