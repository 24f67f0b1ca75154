"""Why nats-server and a process don't accept each other, and what would help; waiting doesn't."""

import ssl
from collections.abc import Mapping

NOT_SIGNED = "its certificate isn't signed by the authority in PASSAGE_NATS_CA"
OTHER_NAME = "its certificate is for other names than the one in PASSAGE_NATS_URL"
NOT_NOW = "its certificate isn't valid by this clock"
NO_TLS = "it doesn't speak TLS 1.3"
UNKNOWN = "it doesn't know this nkey"
REFUSALS: Mapping[str, str] = {
    NOT_SIGNED: "give this process the ca.pem that was made with nats-server's certificate",
    OTHER_NAME: "use a name that its certificate has, or make a certificate for this name: "
    "`passage init --nats NAME`",
    NOT_NOW: "look at the clocks; if they are right, replace the certificate",
    NO_TLS: "give it its certificate, or unset PASSAGE_NATS_CA where all is on loopback",
    UNKNOWN: "give it the accounts.conf that was made with this nkey, and restart it",
}
"""What is wrong, and what would fix it."""
_NAMES = {62, 64}
_TIMES = {9, 10}
"""OpenSSL's error numbers: hostname, address; not yet valid, expired."""


def refusal(error: BaseException) -> str | None:
    """Which of `REFUSALS` a connection error means; None if waiting may help."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NAMES:
            return OTHER_NAME
        return NOT_NOW if error.verify_code in _TIMES else NOT_SIGNED
    if isinstance(error, ssl.SSLError):
        return NO_TLS
    # nats-py has an error type for it, but only after a first connection.
    return UNKNOWN if "authorization violation" in str(error).lower() else None
