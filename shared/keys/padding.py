"""Pads what is sealed to steps, so that its length tells little: 64 bytes, 128, 256 and so on.

ISO/IEC 7816-4: one byte 0x80, then zeros.
"""

SMALLEST_STEP_BYTES = 64


def padded(plain: bytes) -> bytes:
    step = SMALLEST_STEP_BYTES
    while step < len(plain) + 1:
        step *= 2
    return plain + b"\x80" + b"\x00" * (step - len(plain) - 1)


def unpadded(filled: bytes) -> bytes:
    """Raises ValueError unless they were padded this way."""
    plain, mark, _ = filled.rpartition(b"\x80")
    if not mark or filled[len(plain) + 1 :].strip(b"\x00"):
        raise ValueError("not padded")
    return plain
