"""The secret of an authenticator app, drawn as a code that its camera reads."""

import re
from pathlib import Path

import pyotp
import segno

from tests.query.asking import asked
from tests.query.stage import MemoryLog

SECRET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # noqa: S105 - of nobody


async def test_a_secret_is_drawn_as_the_code_that_an_app_reads(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        drawn = await desk.http.post("/api/me/authenticator", json={"totp_secret": SECRET})
        wrong = await desk.http.post("/api/me/authenticator", json={"totp_secret": "1"})
    made = drawn.json()
    uri = f"otpauth://totp/Passage:olena?secret={SECRET}&issuer=Passage"
    read = pyotp.parse_uri(uri)
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (SECRET, "olena", "Passage")
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", made["path"])}
    rows = [
        "".join("1" if (x, y) in dark else "0" for x in range(made["size"]))
        for y in range(made["size"])
    ]
    light, code = "0" * made["size"], segno.make(uri, error="m", micro=False)
    assert rows[:4] + rows[-4:] == [light] * 8
    inner = [row[4:-4] for row in rows[4:-4]]
    assert inner == ["".join(str(one) for one in row) for row in code.matrix]
    assert wrong.status_code == 422
    assert SECRET not in drawn.text
