"""The address that people's browsers show: passkeys belong to its host name, and sign it."""

from typing import NamedTuple
from urllib.parse import urlsplit

from shared.settings import Settings


class Site(NamedTuple):
    origin: str
    """Scheme, host and port, as a browser says them: `https://passage.example`."""
    rp_id: str
    """The host name for which passkeys are made; no IP address can be one (WebAuthn)."""

    def link(self, account: str, token: str) -> str:
        """The address at which a person registers a key, by a token that was offered them."""
        return f"{self.origin}/enrol/{account}.{token}"


def site_of(settings: Settings) -> Site:
    origin = settings.site or _here(settings)
    return Site(origin, urlsplit(origin).hostname or "")


def _here(settings: Settings) -> str:
    scheme = "http" if settings.http_certificate is None else "https"
    return f"{scheme}://localhost:{settings.http.rpartition(':')[2]}"
