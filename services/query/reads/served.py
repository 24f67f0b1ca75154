"""Reads the generation that is served; each answer comes from one transaction."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, FromClause, Select, func, select
from sqlalchemy.exc import DBAPIError

from services.query.feed.generations import Generations
from services.query.feed.read_model import sequence_of
from services.query.feed.tables import Tables

FoundT = TypeVar("FoundT")
RowT = TypeVar("RowT", bound=NamedTuple)
ServedT = TypeVar("ServedT", bound="Served")
P = ParamSpec("P")


class ReadModelUnavailableError(Exception):
    """The database doesn't answer, or its tables aren't made yet."""


class Answer(NamedTuple, Generic[FoundT]):
    found: FoundT
    sequence: int


class Listed(NamedTuple, Generic[FoundT]):
    """The first rows of a list; `in_all` is how many there are."""

    rows: Sequence[FoundT]
    in_all: int


class Snapshot(NamedTuple):
    """The tables of the generation that is served, in one transaction."""

    connection: Connection
    tables: Tables

    def rows(self, query: Select[Any], row: type[RowT]) -> list[RowT]:
        return [row._make(one) for one in self.connection.execute(query)]

    def how_many(self, rows: FromClause) -> int:
        return self.connection.execute(select(func.count()).select_from(rows)).scalar_one()


class Served:
    def __init__(self, generations: Generations) -> None:
        self.generations = generations


def answered(
    read: Callable[Concatenate[ServedT, Snapshot, P], FoundT],
) -> Callable[Concatenate[ServedT, P], Answer[FoundT]]:
    """Opens the transaction for a read method, which then raises ReadModelUnavailableError."""

    @wraps(read)
    def answer(self: ServedT, /, *args: P.args, **kwargs: P.kwargs) -> Answer[FoundT]:
        while True:
            served = self.generations.served
            try:
                with self.generations.database.reader.begin() as connection:
                    sequence = sequence_of(connection, served.fingerprint)
                    found = read(self, Snapshot(connection, served.tables), *args, **kwargs)
                    return Answer(found, sequence)
            except DBAPIError as error:
                # A swap may just have dropped its tables; then the new ones will do.
                if self.generations.served is served:
                    raise ReadModelUnavailableError(type(error).__name__) from None

    return answer
