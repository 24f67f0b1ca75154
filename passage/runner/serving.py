"""How the API of `passage up` is served: its address, its site, and the certificate it shows."""

from dataclasses import dataclass
from pathlib import Path

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders
from passage.install.certificates import QUERY
from passage.runner.endpoints import Endpoint
from shared.keys.keyfiles import KeyFilesError
from shared.people.site import SiteError, require_certified, site_of
from shared.servers.certificates import require_key_of
from shared.settings import Settings
from shared.site_names import is_loopback


@dataclass(frozen=True)
class Served:
    endpoint: Endpoint
    site: str
    """The address that people's browsers show."""
    certificate: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        return f"{'http' if self.certificate is None else 'https'}://{self.endpoint.reached_at}"

    @property
    def environment(self) -> dict[str, str]:
        """query's; of these the other services get the site alone."""
        shown = {"PASSAGE_HTTP_CERTIFICATE": self.certificate, "PASSAGE_HTTP_KEY": self.key}
        given = {name: str(path) for name, path in shown.items() if path is not None}
        return {"PASSAGE_HTTP": str(self.endpoint), **given}


def served_at(folders: Folders, endpoint: Endpoint, settings: Settings) -> Served:
    """Off loopback with TLS only: by the certificate that is set, else the installation's own.

    Raises VerbEndedError (1) if there is none, or it is good for no site.
    """
    certificate, key = settings.http_certificate, settings.http_key
    own = f"`passage init {folders.keys} --query NAME`"
    if certificate is None and not is_loopback(endpoint.host):
        certificate, key = QUERY.certificate(folders.keys), QUERY.key(folders.keys)
        if not certificate.exists():
            raise VerbEndedError(
                Exit.FAILED,
                f"--http: {endpoint.host} isn't loopback, and elsewhere the API needs TLS: set "
                "PASSAGE_HTTP_CERTIFICATE and PASSAGE_HTTP_KEY, or make a certificate with "
                f"{own}, NAME as people's browsers will show it",
            )
        own = f"move tls/{QUERY.name}.pem and .key in {folders.keys} aside and run {own}"
    so = settings.model_copy(update={"http": str(endpoint), "http_certificate": certificate})
    try:
        if certificate is not None and key is not None:
            require_key_of(certificate, key)
        site = site_of(so)
        require_certified(so, site)
    except SiteError as error:
        raise VerbEndedError(Exit.FAILED, f"{certificate}: {error}; {own} makes one") from None
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    return Served(endpoint, site.origin, certificate, key)
