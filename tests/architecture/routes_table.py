"""The table of routes in docs/api.md, as the app itself describes them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.architecture.sources import with_part
from tests.query.asking import asked
from tests.query.stage import MemoryLog

COMMANDS = "/api/commands/"
OF_COMMANDS = f"| `POST {COMMANDS}<Command>` | any of the [commands](commands.md) |"


def table() -> str:
    """The table of all routes; those of commands as one."""
    rows = [
        f"| `{method.upper()} {path}` | {_gives(operation)} |"
        for path, operations in asyncio.run(_described())["paths"].items()
        for method, operation in operations.items()
        if not path.startswith(COMMANDS)
    ]
    return "\n".join(["| route | what it gives |", "|---|---|", *sorted(rows), OF_COMMANDS, ""])


def written(text: str) -> str:
    return with_part(text, "routes", table())


def _gives(operation: dict[str, Any]) -> str:
    text = operation.get("description") or operation["summary"]
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


async def _described() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        async with asked(MemoryLog(), Path(folder)) as desk:
            described: dict[str, Any] = (await desk.http.get("/openapi.json")).json()
            return described
