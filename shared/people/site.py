"""The address that people's browsers show: passkeys belong to its host name, and sign it."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.servers.certificates import names_in
from shared.settings import Settings
from shared.site_names import (
    LOCALHOST,
    NEEDS_A_NAME,
    NEEDS_ITS_NAME,
    is_address,
    is_loopback,
    site_at,
)


class SiteError(ValueError):
    """No browser could use passkeys at this site; the text says what would do."""


class Site(NamedTuple):
    origin: str
    """Scheme, host and port, as a browser says them: `https://passage.example`."""
    rp_id: str
    """The host name for which passkeys are made; no IP address can be one (WebAuthn)."""

    @classmethod
    def at(cls, origin: str) -> "Site":
        return cls(origin, urlsplit(origin).hostname or "")

    @property
    def is_here(self) -> bool:
        """Whether only browsers on this machine can show it."""
        return self.rp_id == LOCALHOST

    def link(self, account: str, token: str) -> str:
        """The address at which a person registers a key, by a token that was offered them."""
        return f"{self.origin}/enrol/{account}.{token}"


def site_of(settings: Settings) -> Site:
    """The one that is set, else the certificate's first name, else this machine.

    Raises SiteError if the certificate names no host, SecretUnusableError if it can't be read.
    """
    if settings.site:
        return Site.at(settings.site)
    host, _, port = settings.http.rpartition(":")
    if settings.http_certificate is None:
        return Site.at(site_at("http", LOCALHOST, port))
    name = first_name(names_in(settings.http_certificate), is_here=is_loopback(host.strip("[]")))
    if name is None:
        raise SiteError(NEEDS_A_NAME)
    return Site.at(site_at("https", name, port))


def first_name(names: Iterable[str], *, is_here: bool) -> str | None:
    """The first host name among a certificate's, and no pattern; `localhost` only for `is_here`."""
    hosts = [one.lower() for one in names if not is_address(one) and "*" not in one]
    if is_here and LOCALHOST in hosts:
        return LOCALHOST
    return next((one for one in hosts if one != LOCALHOST), None)


def is_good_for(names: Iterable[str], host: str) -> bool:
    """Whether a certificate of these names is believed to be `host`'s, as browsers judge it."""
    above = host.partition(".")[2]
    return any(one.lower() in (host, f"*.{above}") for one in names)


def require_certified(settings: Settings, site: Site) -> None:
    """Raises SiteError if browsers would refuse the API's certificate at its own site."""
    certificate = settings.http_certificate
    if certificate is not None and not is_good_for(names_in(certificate), site.rp_id):
        raise SiteError(NEEDS_ITS_NAME)
