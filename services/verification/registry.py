"""The personnel registry: a port, and its implementation over a local SQLite file.

A registry answers with names of fields that agree and conflict, never with values.
"""

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from services.verification import registry_store
from services.verification.registry_answers import RegistryAnswer, answer_from
from services.verification.registry_file.parsing import Recognised, RegistryFile
from services.verification.registry_file.problems import refuse
from services.verification.registry_store import Filled, remove_drafts
from shared.matching import Stated, names

BUSY_TIMEOUT_S = 2.0


class Registry(Protocol):
    name: str

    def look_up(self, stated: Stated) -> RegistryAnswer:
        """Answers `unavailable` rather than raise."""


class SqliteRegistry:
    """A local SQLite file that `passage registry load` filled."""

    name = "local"

    def __init__(self, path: Path) -> None:
        self._path = path

    def look_up(self, stated: Stated) -> RegistryAnswer:
        try:
            with closing(self._connect()) as connection:
                has_number = registry_store.by_number(connection, stated)
                namesakes = partial(registry_store.by_name, connection, stated)
                return answer_from(stated, has_number, namesakes)
        except sqlite3.Error:
            return RegistryAnswer("unavailable")
        finally:
            names.forget()  # What a caller said of himself stays in no memory.

    def _connect(self) -> sqlite3.Connection:
        # Read-only: a missing file is an unavailable registry, not a new, empty one.
        return sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S
        )


@dataclass(frozen=True)
class Loaded:
    recognised: Recognised
    filled: Filled

    @property
    def persons(self) -> int:
        return self.filled.persons


STANDARD_INPUT = Path("-")


def load_csv(
    path: Path, rows_file: Path, encoding: str | None = None, *, dry_run: bool = False
) -> Loaded:
    """Replaces the registry at `path` by the rows of a file; see docs/operating.md.

    Raises RegistryFileError, which leaves the registry as it was, as does a dry run.
    """
    if not dry_run:
        remove_drafts(path)
    try:
        data = sys.stdin.buffer.read() if rows_file == STANDARD_INPUT else rows_file.read_bytes()
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror})") from None
    source = RegistryFile(data, encoding)
    with closing(sqlite3.connect(":memory:")) as connection:
        filled = registry_store.fill(connection, source.persons())
        if not dry_run:
            registry_store.replace(path, connection.serialize())
    return Loaded(source.recognised, filled)
