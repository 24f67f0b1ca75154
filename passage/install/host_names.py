"""Host names and addresses as certificates spell them."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
NAME_MAX = 253
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass(frozen=True)
class Names:
    """The host names or addresses of each role, besides loopback."""

    nats: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    postgres: tuple[str, ...] = ()

    @classmethod
    def of(cls, nats: Iterable[str], query: Iterable[str], postgres: Iterable[str]) -> "Names":
        """Raises ValueError, which says what a name must be."""
        read = cls(*(tuple(dict.fromkeys(map(_host_name, one))) for one in (nats, query, postgres)))
        named = Counter((*read.nats, *read.query, *read.postgres))
        twice = [one for one, count in named.items() if count > 1 and one not in LOOPBACK_NAMES]
        if twice:
            raise ValueError(
                f"{', '.join(twice)} is named for two roles: whoever has the key of one could "
                "impersonate the other; give each a name of its own"
            )
        return read


IN_COMPOSE = Names(("nats-1", "nats-2", "nats-3"), ("query",), ("postgres",))
"""The names of docker-compose.yml."""


def _host_name(given: str) -> str:
    text = given.strip()
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    try:
        # The spelling on the wire, also by browsers.
        name = text.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    labels = name.split(".")
    # Digits alone would be an address, and an invalid one.
    is_name = all(map(LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    if not is_name or len(name) > NAME_MAX:
        raise ValueError(
            f"{given!r} must be a host name or address, such as nats-1, desk.example.org or "
            "10.0.0.5, "
            "without scheme, port or pattern"
        )
    return name
