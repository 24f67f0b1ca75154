"""Passkeys at a site of its own name, by TLS, on an address that isn't loopback's."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Error, async_playwright

from passage.install.certificates import QUERY
from passage.install.host_names import Names
from passage.install.installation import make_installation
from shared.people.site import site_of
from shared.servers.certificates import read_certificate
from tests.browser.conftest import CHROMIUM, NO_BROWSER, House, launched
from tests.elsewhere import own_address
from tests.wire.conftest import Site
from tests.wire.serving import serving, settings_at

NAME = "desk.passage.example"


@asynccontextmanager
async def elsewhere(site: Site, folder: Path, *, is_trusted: bool) -> AsyncIterator[House]:
    """A house with a certificate that its browser trusts, or not."""
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    host, keys = own_address(), folder / "certified"
    make_installation(keys, Names(query=(NAME,)))
    here = settings_at(site, folder, "query")
    more = {
        "http": f"{host}:{here.http.rpartition(':')[2]}",
        "http_certificate": QUERY.certificate(keys),
        "http_key": QUERY.key(keys),
        "site": "",
    }
    settings = here.model_copy(update=more)
    origin = site_of(settings).origin
    site.settings = site.settings.model_copy(update={"site": origin})
    arguments = [f"--host-resolver-rules=MAP {NAME} {host}"]
    if is_trusted:  # As if its authority were installed.
        arguments.append(f"--ignore-certificate-errors-spki-list={key_of(keys)}")
    async with (
        site.service("desk"),
        serving(settings) as query,
        async_playwright() as playwright,
        await launched(playwright, *arguments) as browser,
    ):
        house = House(site, browser, origin, [query])
        yield house
        for context in house.contexts:
            await context.close()


def key_of(keys: Path) -> str:
    key = read_certificate(QUERY.certificate(keys)).public_key()
    return b64encode(
        sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    ).decode()


async def test_a_passkey_is_made_for_the_name_and_logs_in(site: Site, tmp_path: Path) -> None:
    async with elsewhere(site, tmp_path, is_trusted=True) as house:
        olena = await house.logged_in("olena", "operator")
        assert olena.page.url == f"{house.origin}/"
        cookies = await olena.page.context.cookies()
        (held,) = house.person("olena").keys.values()
    assert house.origin.startswith(f"https://{NAME}:")
    assert held.rp_id == NAME
    assert [(one["name"], one["secure"], one["domain"]) for one in cookies] == [
        ("__Host-passage", True, NAME)
    ]


async def test_a_certificate_of_no_trusted_authority_lets_nobody_in(
    site: Site, tmp_path: Path
) -> None:
    # Whoever passes over the warning gets no passkey in a browser, but does here: browsers don't
    # look at the certificate where the authenticator is a virtual one.
    async with elsewhere(site, tmp_path, is_trusted=False) as house:
        link, person = house.add("olena", "operator"), await house.somebody()
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            await person.page.goto(link)
        assert not house.person("olena").keys
