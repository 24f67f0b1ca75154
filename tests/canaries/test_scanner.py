"""The scanner finds what is planted, in every encoding, and nothing where nothing is."""

import base64
import bz2
import gzip
import io
import json
import os
import quopri
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.canaries.encodings import ENCODINGS, unpacked
from tests.canaries.persons import Canary, canaries
from tests.canaries.scanner import Scanner

PERSONS = canaries(20)
CYRILLIC, LATIN = PERSONS[0], PERSONS[1]
AROUND = bytes(range(1, 256))


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.txt", content)
    return file.getvalue()


def tarred(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("x")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def framed(content: bytes) -> bytes:
    """A framed snappy stream in which every word is a copy of its halves, the other way round."""
    half = len(content) // 2
    first, second = content[half:], content[:half]
    literal = bytes([60 << 2, len(content) - 1]) + first + second
    copy = bytes([(half - 1) << 2 | 2]) + half.to_bytes(2, "little")
    rest = bytes([(len(first) - 1) << 2 | 2]) + (len(content) + half).to_bytes(2, "little")
    block = bytes([0x80 | 2 * len(content) & 0x7F, 2 * len(content) >> 7]) + literal + copy + rest
    assert unpacked(block) == first + second + second + first
    chunk = b"\0" + (len(block) + 4).to_bytes(3, "little") + b"\0\0\0\0" + block
    return b"\xff\x06\x00\x00sNaPpY" + chunk


@pytest.mark.parametrize("person", [CYRILLIC, LATIN], ids=["cyrillic", "latin"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_value_is_found_in_each_encoding_at_any_place(encoding: str, person: Canary) -> None:
    scanner = Scanner(PERSONS)
    number = PERSONS.index(person)
    for value in person.values():
        for raw in ENCODINGS[encoding](value):
            for start in range(9):
                found = scanner.found_in(AROUND[: 40 + start] + raw + AROUND[40:])
                assert (number, value) in {one[:2] for one in found}


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_whatever_stands_around_it(
    encode: Callable[[bytes], bytes], before: int
) -> None:
    text = encode(b"x" * before + b'{"surname":"' + CYRILLIC.surname.encode() + b'","rank":1}')
    assert CYRILLIC.surname in {one[1] for one in Scanner(PERSONS).found_in(text)}


@pytest.mark.parametrize(
    "compress",
    [
        gzip.compress,
        zlib.compress,
        zipped,
        tarred,
        framed,
        lambda raw: gzip.compress(zipped(raw)),
        lambda raw: gzip.compress(base64.b64encode(raw)),
        lambda raw: base64.encodebytes(b"12345" * 20 + raw),
        lambda raw: quopri.encodestring(b"12345" * 13 + raw),
        lambda raw: json.dumps({"x": raw.decode()}).encode(),
    ],
    ids=["gzip", "zlib", "zip", "tar", "snappy", "nested", "base64 in gzip", "mime", "qp", "json"],
)
def test_it_is_found_in_what_is_compressed_or_wrapped(compress: Callable[[bytes], bytes]) -> None:
    hidden = AROUND + compress(CYRILLIC.place.encode()) + AROUND
    assert CYRILLIC.place in {one[1] for one in Scanner(PERSONS).found_in(hidden)}


def test_files_their_names_and_what_spans_pieces_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.canaries.scanner.PIECE_BYTES", 1_000)
    raw = LATIN.place.encode()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.db").write_bytes(b"-" * (1_000 - 7) + raw)
    (tmp_path / f"{CYRILLIC.surname}.txt").write_bytes(b"")
    done = Scanner(PERSONS).scan(tmp_path)
    assert {(hit.path.name, hit.value) for hit in done.hits} == {
        ("a.db", LATIN.place),
        (f"{CYRILLIC.surname}.txt", CYRILLIC.surname),
    }
    assert done.files == 2


def test_nothing_is_found_in_chance_nor_in_other_persons() -> None:
    scanner = Scanner(PERSONS)
    assert scanner.found_in(os.urandom(3_000_000)) == set()
    others = canaries(200, seed=1)
    text = json.dumps([list(one.values()) for one in others], ensure_ascii=False)
    assert scanner.found_in(text.encode()) == set()


def test_what_is_too_short_to_look_for_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        Scanner([Canary("Ян", "Ли", "1", "2", "3")])


def test_what_it_cannot_decompress_is_known() -> None:
    """bz2 and xz aren't used by anything here; should that change, this tells."""
    assert Scanner(PERSONS).found_in(bz2.compress(CYRILLIC.place.encode())) == set()
