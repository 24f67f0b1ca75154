"""HOST:PORT of what `passage up` opens: a free port, on loopback unless it uses TLS."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from typing_extensions import override

from passage.exits import Exit, VerbEndedError
from passage.runner.ports import free_port

PORT_MAX = 65_535
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @property
    def reached_at(self) -> Address:
        """Where this machine reaches it: a wildcard address can't be connected to."""
        return Address(EVERYWHERE.get(self.host, self.host), self.port)

    @override
    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(option: str, text: str, with_tls: bool = False) -> Address:
    """HOST:PORT. Raises VerbEndedError (2) unless it is on loopback or uses TLS."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if (
        not host
        or (":" in host and not bracketed)
        or not port.isdecimal()
        or len(port) > len(f"{PORT_MAX}")  # Python reads no number of 5,000 digits.
        or not 1 <= int(port) <= PORT_MAX
    ):
        raise VerbEndedError(Exit.USAGE, f"{option}: {text!r} must be HOST:PORT, as 127.0.0.1:8080")
    if not is_loopback(host) and not with_tls:
        raise VerbEndedError(
            Exit.USAGE,
            f"{option}: {host!r} must be a loopback address, 127.0.0.1 or ::1: the API has no "
            "logins yet",
        )
    return Address("127.0.0.1" if host == "localhost" else host, int(port))


def choose_address(
    option: str,
    given: str | None,
    usual: Address,
    with_tls: bool = False,
    besides: Address | None = None,
) -> tuple[Address, bool]:
    """The address to use, and whether it differs from the usual one, which is taken.

    `besides` is in use for something else. Raises VerbEndedError: 1 if a given address is taken,
    2 if it is `besides`.
    """
    if given is not None:
        address = parse_address(option, given, with_tls)
        if besides is not None and address.port == besides.port:
            raise VerbEndedError(
                Exit.USAGE, f"{option}: port {address.port} is the API's; choose another port"
            )
        if not is_free(address):
            raise VerbEndedError(
                Exit.FAILED, f"{option}: {address} is taken by another process; choose another port"
            )
        return address, False
    if is_free(usual) and (besides is None or usual.port != besides.port):
        return usual, False
    return Address(usual.host, free_port(usual.host)), True


def is_free(address: Address) -> bool:
    """Whether the port can be listened on now."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as probe:
        # The servers do the same: a port in TIME_WAIT from an earlier run is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise VerbEndedError(
                Exit.USAGE, f"{address}: can't listen there ({error.strerror}); name another"
            ) from None
    return True


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
