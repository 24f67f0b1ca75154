"""How a process authenticates to nats-server, and verifies the server: nats-py's options."""

from pathlib import Path
from typing import Any

from shared.jetstream.tls import tls_options
from shared.keys.keyfiles import require_closed
from shared.subjects import KEEPER, LOG_API, inbox

SERVER_API = "$JS.API"


def connect_options(nkey: Path | None, ca: Path | None) -> dict[str, Any]:
    """The options for an identity's seed and the authority to trust; either may be missing.

    Raises OSError if the authority's file can't be read, and KeyFilesOpenError.
    """
    options: dict[str, Any] = {} if ca is None else tls_options(str(ca))
    if nkey is not None:
        require_closed(nkey)
        options["nkeys_seed"] = str(nkey)
        options["inbox_prefix"] = inbox(nkey.stem)
    return options


def api_prefix(identity: str) -> str:
    """The API prefix for an identity: services have it from another account."""
    return LOG_API if identity not in {"", KEEPER} else SERVER_API
