"""How a process authenticates to nats-server, and verifies the server: nats-py's options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faststream.nats.security import NatsNKey, NatsSecurity

from shared.jetstream.tls import tls_context, tls_options
from shared.keys.keyfiles import require_closed
from shared.settings import Settings
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


def broker_options(settings: Settings) -> dict[str, Any]:
    context = None if settings.nats_ca is None else tls_context(str(settings.nats_ca))
    first = context is not None
    options: dict[str, Any] = {"js_options": {"prefix": api_prefix(settings.identity)}}
    if settings.nats_nkey is not None:
        require_closed(settings.nats_nkey)
        options["security"] = NatsNKey.from_file(
            settings.nats_nkey, ssl_context=context, tls_handshake_first=first
        )
        options["inbox_prefix"] = inbox(settings.identity)
    elif context is not None:
        options["security"] = NatsSecurity(ssl_context=context, tls_handshake_first=first)
    return options


def api_prefix(identity: str) -> str:
    """The API prefix for an identity: services have it from another account."""
    return LOG_API if identity not in {"", KEEPER} else SERVER_API
