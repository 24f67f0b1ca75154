"""What can be the address of a site: the host names for which browsers make passkeys."""

import ipaddress
import re
from urllib.parse import urlsplit

LOCALHOST = "localhost"
USUAL_PORTS = {"https": "443", "http": "80"}
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NEEDS_A_NAME = (
    "use a certificate for a host name, such as passage.example, or set PASSAGE_SITE: passkeys "
    "are made for a name, and an IP address is none"
)
NEEDS_ITS_NAME = (
    "use a certificate that is good for the host of PASSAGE_SITE: browsers allow no passkeys where "
    "it is wrong"
)
MUST_BE = "must be https://NAME or https://NAME:PORT, or http://localhost:PORT on one machine"
NO_ADDRESS = f"{MUST_BE}; passkeys are made for host names, and an IP address is none"
BY_TLS = f"{MUST_BE}; browsers allow passkeys elsewhere with TLS only"
NO_SITES = (MUST_BE, NO_ADDRESS, BY_TLS)


def site_at(scheme: str, host: str, port: str) -> str:
    """As browsers write it: without the port that is the scheme's own."""
    return f"{scheme}://{host}" + ("" if port == USUAL_PORTS[scheme] else f":{port}")


def read_site(text: str) -> str:
    """An origin in the one spelling that browsers use. Raises ValueError, without the text."""
    try:
        parts = urlsplit(text.strip().lower().removesuffix("/"))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(MUST_BE) from None
    if is_address(host):
        raise ValueError(NO_ADDRESS)
    if parts.scheme == "http" and host != LOCALHOST:
        raise ValueError(BY_TLS)
    is_bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    is_name = all(map(LABEL.fullmatch, host.split("."))) and port != 0
    if parts.scheme not in USUAL_PORTS or not is_bare or not is_name:
        raise ValueError(MUST_BE)
    return site_at(parts.scheme, host, f"{port or USUAL_PORTS[parts.scheme]}")


def is_loopback(host: str) -> bool:
    if host == LOCALHOST:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Also one that is written as no longer usual: browsers read `127.1` as an address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None
    return True
