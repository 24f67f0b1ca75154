"""Counts how many national numbers are in doubt, and how fast addresses are read (ADR 24).

python -m benchmarks.readings
"""

from __future__ import annotations

import random
import time

import phonenumbers

from shared.callers.addresses import spelled

COUNT = 20_000
MOBILE_UA = ("50", "63", "66", "67", "68", "73", "93", "95", "96", "97", "98", "99")
KINDS = {
    "Ukraine, mobile, `0XX...`": ("0", "380", MOBILE_UA),
    "Ukraine, mobile, `8 0XX...`": ("80", "380", MOBILE_UA),
    "Kyiv, `044...`": ("0", "380", ("44",)),
    "Lviv, `032...`": ("0", "380", ("32",)),
    "Russia, mobile, `8 9XX...`": ("8", "7", tuple(str(one) for one in range(900, 1000))),
    "Moscow, `8 495...`": ("8", "7", ("495",)),
    "Belarus, mobile, `8 0XX...`": ("80", "375", ("25", "29", "33", "44")),
    "Minsk, `8 017...`": ("80", "375", ("17",)),
}
"""Trunk prefix, the country's code, and codes of areas or networks; seven digits follow."""


def written(trunk: str, country: str, codes: tuple[str, ...], chance: random.Random) -> str:
    """A number that exists by the numbering plan, as it is dialled in its country."""
    while True:
        national = f"{chance.choice(codes)}{chance.randrange(10**7):07}"
        if phonenumbers.is_valid_number(phonenumbers.parse(f"+{country}{national}")):
            return trunk + national


def main() -> None:
    """Prints a row a kind."""
    chance, spent = random.Random(1), 0.0  # noqa: S311 - numbers are examples
    print("| numbers | one reading | in doubt |")
    print("|---|---|---|")
    for name, (trunk, country, codes) in KINDS.items():
        numbers = [written(trunk, country, codes, chance) for _ in range(COUNT)]
        began = time.process_time()
        found = [spelled("phone", one) for one in numbers]
        spent += time.process_time() - began
        doubtful = sum(bool(one and one.readings) for one in found)
        print(f"| {name} | {1 - doubtful / COUNT:.1%} | {doubtful / COUNT:.1%} |")
    print(f"\n{len(KINDS) * COUNT / spent:,.0f} addresses a second of processor time")


if __name__ == "__main__":
    main()
