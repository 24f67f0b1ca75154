"""TLS as connections to NATS use it: version 1.3, one authority to trust, the name checked."""

import ssl
from typing import Any


def tls_context(ca_file: str) -> ssl.SSLContext:
    """TLS that trusts one authority; `OSError` if its file can't be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # It checks names and certificates.
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cafile=ca_file)
    return context


def tls_options(ca_file: str) -> dict[str, Any]:
    """nats-py's options for it.

    The handshake goes first: nats-py would speak in the clear to a server that greets without
    asking for TLS, so whoever sits in between could talk it out of TLS.
    """
    return {"tls": tls_context(ca_file), "tls_handshake_first": True}
