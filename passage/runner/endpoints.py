"""HOST:PORT of what `passage up` opens: the one that is named, else the usual or a free port."""

import contextlib
import errno
import socket
from dataclasses import dataclass

from typing_extensions import override

from passage.exits import Exit, VerbEndedError

PORT_MAX = 65_535
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared


@dataclass(frozen=True)
class Endpoint:
    host: str
    port: int

    @property
    def reached_at(self) -> "Endpoint":
        """Where this machine reaches it: a wildcard address can't be connected to."""
        return Endpoint(EVERYWHERE.get(self.host, self.host), self.port)

    @override
    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(option: str, text: str) -> Endpoint:
    """HOST:PORT. Raises VerbEndedError (2)."""
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
        raise VerbEndedError(
            Exit.USAGE, f"{option}: {text!r} must be HOST:PORT, such as 127.0.0.1:8080"
        )
    return Endpoint("127.0.0.1" if host == "localhost" else host, int(port))


def choose_endpoint(
    option: str,
    given: str | None,
    usual: Endpoint,
    besides: Endpoint | None = None,
) -> tuple[Endpoint, bool]:
    """The address to use, and whether it differs from the usual one, which is taken.

    `besides` is in use for something else. Raises VerbEndedError: 1 if a given address is taken,
    2 if it is `besides`.
    """
    if given is not None:
        endpoint = parse_endpoint(option, given)
        if besides is not None and endpoint.port == besides.port:
            raise VerbEndedError(
                Exit.USAGE, f"{option}: port {endpoint.port} is the API's; choose another port"
            )
        if not is_free(endpoint):
            raise VerbEndedError(
                Exit.FAILED,
                f"{option}: {endpoint} is taken by another process; choose another port",
            )
        return endpoint, False
    if is_free(usual) and (besides is None or usual.port != besides.port):
        return usual, False
    return Endpoint(usual.host, free_port(usual.host)), True


def is_free(endpoint: Endpoint) -> bool:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    with socket.socket(family) as probe:
        # The servers do the same: a port in TIME_WAIT from an earlier run is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise VerbEndedError(
                Exit.USAGE, f"{endpoint}: can't listen there ({error.strerror}); name another"
            ) from None
    return True


def free_port(host: str) -> int:
    return free_ports(host, 1)[0]


def free_ports(host: str, count: int) -> list[int]:
    """No two are the same."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((host, 0))
        return [probe.getsockname()[1] for probe in probes]
