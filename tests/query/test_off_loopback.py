"""query as a process on an address of this machine that isn't loopback's: by TLS, logged in."""

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from benchmarks.sessions import session_on
from passage.install.certificates import QUERY, authority_of
from passage.install.host_names import Names
from passage.install.installation import make_installation
from passage.runner.endpoints import free_port
from passage.runner.nats_server import NatsServer
from passage.running import pinning
from services.query.main import WRONG_SETTING
from shared.jetstream.tls import tls_context
from shared.site_names import BY_TLS, NEEDS_A_NAME, NEEDS_ITS_NAME, NO_ADDRESS
from tests import examples as e
from tests.elsewhere import own_address
from tests.query.stage import ServerLog, book_with, settings_for
from tests.waiting import WITHIN_S

NAME = "desk.passage.example"


@dataclass
class Place:
    server: NatsServer
    folder: Path
    host: str

    def certified(self, *names: str) -> dict[str, str]:
        keys = self.folder / "certified"
        make_installation(keys, Names(query=names))
        files = {"CERTIFICATE": QUERY.certificate(keys), "KEY": QUERY.key(keys)}
        return {f"PASSAGE_HTTP_{name}": str(path) for name, path in files.items()}

    @contextmanager
    def query(self, port: int, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        settings = settings_for(self.server.url, self.folder, f"sqlite:///{self.folder}/query.db")
        environment = {
            "PASSAGE_NATS_URL": self.server.url,
            "PASSAGE_KEYS_DIR": str(settings.keys_dir),
            "PASSAGE_DATABASE_URL": settings.database_url,
            "PASSAGE_HTTP": f"{self.host}:{port}",
            **more,
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "services.query"],
                env={**os.environ, **environment},
                stderr=log,
                stdout=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(WITHIN_S)

    @property
    def log(self) -> Path:
        return self.folder / "query.log"

    def refused(self, more: dict[str, str], code: int = WRONG_SETTING) -> str:
        """What it says when it ends because of its settings."""
        with self.query(free_port(self.host), **more) as process:
            assert process.wait(WITHIN_S) == code
        return self.log.read_text("utf-8")


@pytest.fixture
def place(server: NatsServer, tmp_path: Path) -> Place:
    return Place(server, tmp_path, own_address())


def asked(url: str, believed: ssl.SSLContext, path: str, **headers: str) -> httpx.Response:
    """As soon as it is ready, by the name in its certificate, though no name leads here."""
    until = time.monotonic() + WITHIN_S
    given = {"host": NAME, **headers}
    with httpx.Client(base_url=url, verify=believed, trust_env=False) as http:
        while True:
            try:
                extensions = {"sni_hostname": NAME}
                if http.get("/readyz", headers={"host": NAME}, extensions=extensions).is_success:
                    return http.get(path, headers=given, extensions=extensions)
            except httpx.ConnectError:
                pass
            assert time.monotonic() < until, path


def test_whoever_is_logged_in_is_answered_by_tls_under_its_own_name(
    place: Place, server_log: ServerLog
) -> None:
    server_log.write(book_with(e.whole_way()))
    own = place.certified(NAME)
    believed = tls_context(str(authority_of(place.folder / "certified")))
    port = free_port(place.host)
    url = f"https://{place.host}:{port}"
    with place.query(port, **own):
        who = session_on(settings_for(place.server.url, place.folder, "sqlite:///x.db"))
        without = asked(url, believed, "/api/cases")
        found = asked(url, believed, "/api/cases", **who)
        foreign = asked(url, believed, "/api/cases", **{**who, "host": "rebound.example"})
        site = asked(url, believed, "/livez", host=f"{NAME}:{port}")
        pinned = asked(url, pinning(Path(own["PASSAGE_HTTP_CERTIFICATE"])), "/livez")
        with pytest.raises(httpx.ConnectError):  # Another's certificate isn't believed.
            make_installation(place.folder / "other", Names(query=(NAME,)))
            other = pinning(QUERY.certificate(place.folder / "other"))
            httpx.get(f"{url}/livez", verify=other, trust_env=False)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://{place.host}:{port}/livez", trust_env=False)
    assert [one.status_code for one in (without, found, foreign, site, pinned)] == [
        *(401, 200, 421, 200, 200)
    ]
    # The time during which browsers come by TLS alone.
    assert found.headers["strict-transport-security"] == "max-age=31536000"
    assert foreign.headers["strict-transport-security"] == "max-age=31536000"


def test_passkeys_are_made_for_the_certificates_name(place: Place, server_log: ServerLog) -> None:
    server_log.write(book_with(e.whole_way()))
    port = free_port(place.host)
    own = place.certified(NAME)
    believed = tls_context(str(authority_of(place.folder / "certified")))
    url = f"https://{place.host}:{port}"
    with place.query(port, **own):
        asked(url, believed, "/livez")
        with httpx.Client(base_url=url, verify=believed, trust_env=False) as http:
            headers, extensions = {"host": f"{NAME}:{port}"}, {"sni_hostname": NAME}
            given = http.post(
                "/api/login/passkey/options", headers=headers, extensions=extensions
            ).json()
            by_key = http.post(
                "/api/login/key/options",
                json={"account": "olena"},
                headers=headers,
                extensions=extensions,
            ).json()
    assert given["rpId"] == NAME
    assert by_key["site"] == f"https://{NAME}:{port}"


def test_without_a_certificate_it_is_refused(place: Place) -> None:
    assert "address_without_tls" in place.refused({})


def test_a_certificate_for_addresses_alone_is_refused(place: Place) -> None:
    said = place.refused(place.certified(place.host))
    assert "site_not_certified" in said
    assert NEEDS_A_NAME in said


def test_a_certificate_that_is_not_good_for_the_site_is_refused(place: Place) -> None:
    said = place.refused({**place.certified(NAME), "PASSAGE_SITE": "https://other.example"})
    assert NEEDS_ITS_NAME in said


@pytest.mark.parametrize("site", ["https://192.0.2.2:8443", "http://desk.passage.example"])
def test_a_site_without_a_name_or_tls_is_refused(place: Place, site: str) -> None:
    said = place.refused({**place.certified(NAME), "PASSAGE_SITE": site}, code=1)
    assert '"settings": ["site"]' in said
    assert (NO_ADDRESS if "192" in site else BY_TLS) in said
