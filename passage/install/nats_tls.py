"""The `tls` blocks of nats-server's configuration."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tls:
    certificate: Path
    key: Path
    ca: Path

    def towards_clients(self) -> list[str]:
        """The `tls` block for clients, with the handshake before the greeting."""
        return self.block("handshake_first: true")

    def block(self, *more: str) -> list[str]:
        files = {"cert_file": self.certificate, "key_file": self.key}
        named = (f"{name}: {json.dumps(str(path))}" for name, path in files.items())
        lines = (*named, 'min_version: "1.3"', *more)
        return ["tls {", *(f"  {line}" for line in lines), "}"]
