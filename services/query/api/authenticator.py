"""The secret of one's authenticator app as a QR code, for a page that shows it.

The secret is made in the browser; it comes here to be drawn, and isn't kept.
"""

from urllib.parse import quote

import segno
from fastapi import APIRouter

from services.query.api.shapes import Shape
from services.query.requests.body import Body
from services.query.requests.caller import Called
from shared.commands.people import TotpSecret

ISSUER = "Passage"
QUIET_ZONE = 4
"""The light modules that a reader needs around a code."""


class OwnSecret(Body):
    """What an authenticator app is to make codes from."""

    totp_secret: TotpSecret


class Drawn(Shape):
    """A square of `size` modules, `path` being the dark ones as an SVG path.

    Not what it says: no answer repeats what was sent.
    """

    size: int
    path: str


router = APIRouter(tags=["logins"])


@router.post("/api/me/authenticator")
def authenticator(caller: Called, wanted: OwnSecret) -> Drawn:
    """The code that an authenticator app reads, before `SetBreakGlass`."""
    label = quote(f"{ISSUER}:{caller.account}", safe=":")
    uri = f"otpauth://totp/{label}?secret={wanted.totp_secret}&issuer={ISSUER}"
    code = segno.make(uri, error="m", micro=False)
    rows = list(code.matrix_iter(border=QUIET_ZONE))
    dark = [(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module]
    return Drawn(size=len(rows), path="".join(f"M{x} {y}h1v1h-1z" for x, y in dark))
