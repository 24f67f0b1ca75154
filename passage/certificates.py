"""A small certificate authority of the installation's own, and the certificate of its servers.

Whoever connects trusts `ca.pem` alone and checks the server's name. The authority's key is needed
again only to renew: keep it elsewhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.keyfiles import make_folder, require_closed, write_new

FOLDER = "tls"
CA_FILE, CA_KEY_FILE = "ca.pem", "ca.key"
SERVER_FILE, SERVER_KEY_FILE = "server.pem", "server.key"
POSTGRES = "postgres"
"""The host name of PostgreSQL in docker-compose.yml."""
POSTGRES_FILE = f"{POSTGRES}.pem"
CA_DAYS = 3_650
SERVER_DAYS = 825
"""What clients accept at most of a server's certificate."""
CLOCK_LEEWAY = timedelta(hours=1)
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def make_certificates(keys: Path, names: Iterable[str] = ()) -> None:
    """Makes authority and servers' certificates where they are missing; those there stay.

    The certificate is good for loopback and for `names`, host names or addresses.
    """
    folder = keys / FOLDER
    make_folder(folder)
    if not (folder / CA_FILE).exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_new(folder / CA_KEY_FILE, _key_text(key))
        write_new(folder / CA_FILE, _authority(key))
    # PostgreSQL has a certificate of its own: it reads a key only if its user owns the file.
    wanted = {SERVER_FILE: (*LOOPBACK_NAMES, *names), POSTGRES_FILE: (POSTGRES,)}
    for file_name, its_names in wanted.items():
        if not (folder / file_name).exists():
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _certificate(folder, key, its_names)
            write_new((folder / file_name).with_suffix(".key"), _key_text(key))
            write_new(folder / file_name, certificate)


def names_of(keys: Path) -> tuple[str, ...]:
    """Gives the names and addresses that the server certificate is good for."""
    read = x509.load_pem_x509_certificate((keys / FOLDER / SERVER_FILE).read_bytes())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(one.value) for one in names)


def _authority(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Passage CA")])
    builder = (
        _builder(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _certificate(folder: Path, key: ec.EllipticCurvePrivateKey, names: Iterable[str]) -> bytes:
    authority = x509.load_pem_x509_certificate((folder / CA_FILE).read_bytes())
    require_closed(folder / CA_KEY_FILE)
    signer = serialization.load_pem_private_key((folder / CA_KEY_FILE).read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it above
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Passage server")])
    # Servers of a cluster connect to each other, so the certificate is a client's too.
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(name, authority.subject, key.public_key(), SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(one) for one in dict.fromkeys(names)]),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_LEEWAY)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
