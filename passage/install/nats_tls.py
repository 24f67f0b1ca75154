"""TLS as nats-server's configuration has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tls:
    """The files of a certificate, and of what whoever checks it trusts."""

    certificate: Path
    key: Path
    ca: Path

    def towards_clients(self) -> list[str]:
        """The `tls` block under which the handshake comes before the greeting."""
        return self._block("handshake_first: true")

    def between_servers(self) -> list[str]:
        """The `tls` block under which both ends show a certificate."""
        return self._block(f"ca_file: {json.dumps(str(self.ca))}", "verify: true")

    def _block(self, *more: str) -> list[str]:
        files = {"cert_file": self.certificate, "key_file": self.key}
        named = (f"{name}: {json.dumps(str(path))}" for name, path in files.items())
        lines = (*named, 'min_version: "1.3"', *more)
        return ["tls {", *(f"  {line}" for line in lines), "}"]
