"""A name is believed of whoever shows the certificate of that role, and of no other role's."""

import contextlib
import ssl
from pathlib import Path

import pytest

from passage.install.certificates import POSTGRES, QUERY, ROLES, SERVER, Role, authority_of
from passage.install.host_names import IN_COMPOSE
from passage.install.installation import make_installation
from shared.jetstream.tls import tls_context


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("believed") / "keys"
    make_installation(folder, IN_COMPOSE)
    return folder


@pytest.mark.parametrize("shown", ROLES, ids=lambda role: role.name)
@pytest.mark.parametrize(
    ("name", "whose"), [("nats-1", SERVER), ("query", QUERY), ("postgres", POSTGRES)]
)
def test_a_name_is_believed_of_its_own_role_only(
    keys: Path, shown: Role, name: str, whose: Role
) -> None:
    if shown is whose:
        greet(keys, shown, name)
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            greet(keys, shown, name)


def greet(keys: Path, shown: Role, name: str) -> None:
    """A client's handshake with who shows a role's certificate; raises where it isn't believed."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(shown.certificate(keys), shown.key(keys))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls_context(str(authority_of(keys))).wrap_bio(back, there, server_hostname=name)
    answering = server.wrap_bio(there, back, server_side=True)
    while True:
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            with contextlib.suppress(ssl.SSLWantReadError):
                answering.do_handshake()
        else:
            return
