"""Signed lines: what is signed is what is read, and anything else is refused and named."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from shared.keys.keyfiles import KeyFilesError
from shared.witnesses.backlinks import KEPT
from shared.witnesses.checkpoints import (
    FIRST_DIGEST,
    BadLineError,
    Line,
    make_witness_keys,
    read_line,
    read_public_key,
    read_signing_key,
    rolled,
    signed,
)
from shared.witnesses.files import LINE_MAX_BYTES, append_line, newest_of, read_witness_files
from shared.witnesses.heads import LogHeads
from tests.integrity.prepared import some_log

KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32


def line(number: int, sequence: int = 7, incarnation: str = ONE, **more: object) -> Line:
    fields = {
        "kind": "checkpoint",
        "number": number,
        "incarnation": incarnation,
        "sequence": sequence,
        "cases": 1,
        "digest": f"{sequence:064x}",
        "at": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return Line.model_validate({**fields, **more})


def succession(number: int, before: str, after: str, kept: int) -> Line:
    more = {"kind": "succession", "previous": before, "kept": kept, "lost": 0}
    return line(number, kept, after, **more)


def written(path: Path, *lines: Line) -> Path:
    for one in lines:
        assert append_line([path], signed(one, KEY)) == []
    return path


def test_a_line_that_was_signed_reads_as_it_was() -> None:
    assert read_line(signed(line(1), KEY), KEY.public_key()) == line(1)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"sequence":7', '"sequence":8'),
        lambda text: text.replace('"number":1', '"number":2'),
        lambda text: text.replace("}", " }"),
        lambda text: text.partition(',"signature"')[0] + "}",
        lambda text: text[:-4],
        lambda _text: "",
    ],
)
def test_a_line_that_was_changed_is_refused(change: object) -> None:
    with pytest.raises(BadLineError):
        read_line(change(signed(line(1), KEY)), KEY.public_key())  # type: ignore[operator]


def test_a_line_of_another_key_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    with pytest.raises(BadLineError, match=r"witness\.pub"):
        read_line(signed(line(1), other), KEY.public_key())


def test_a_succession_names_what_it_succeeds() -> None:
    with pytest.raises(ValidationError, match="names previous"):
        line(1, kind="succession")


def test_a_line_names_audit_by_sequence_and_digest_or_not_at_all() -> None:
    with pytest.raises(ValidationError, match="AUDIT's sequence and digest"):
        line(1, audit_sequence=3)
    assert "audit" not in signed(line(1), KEY)


def test_checkpoints_of_audit_bind_within_their_incarnation(tmp_path: Path) -> None:
    audited: dict[str, Any] = {"audit_digest": "a" * 64}
    path = written(
        tmp_path / "one",
        line(1, audit_sequence=9, **audited),
        succession(2, ONE, TWO, 7),
        line(3, incarnation=ONE, audit_sequence=10, **audited),
        line(4, incarnation=TWO),
        line(5, incarnation=TWO, audit_sequence=4, **audited),
    )
    found = read_witness_files([path], KEY.public_key()).binding_audit
    assert {at: [one.number for one in lines] for at, lines in found.items()} == {4: [5]}


def test_keys_are_made_once_and_belong_together(tmp_path: Path) -> None:
    make_witness_keys(tmp_path)
    made = read_signing_key(tmp_path)
    make_witness_keys(tmp_path)
    assert read_signing_key(tmp_path).private_bytes_raw() == made.private_bytes_raw()
    assert read_public_key(tmp_path) == made.public_key()
    assert (tmp_path / "witness.key").stat().st_mode & 0o077 == 0
    (tmp_path / "witness.pub").write_bytes(b"p" * 32)
    with pytest.raises(KeyFilesError, match="doesn't belong"):
        read_signing_key(tmp_path)


def test_a_lost_key_is_not_made_anew_beside_its_public_half(tmp_path: Path) -> None:
    make_witness_keys(tmp_path)
    (tmp_path / "witness.key").unlink()
    make_witness_keys(tmp_path)
    with pytest.raises(KeyFilesError, match=r"witness\.key"):
        read_signing_key(tmp_path)


def test_files_are_read_together_and_each_line_once(tmp_path: Path) -> None:
    one = written(tmp_path / "a" / "one", line(1), line(2, 8))
    two = written(tmp_path / "two", line(1), line(3, 9))
    found = read_witness_files([one, two, tmp_path / "away"], KEY.public_key())
    assert [each.number for each in found.lines] == [1, 2, 3]
    assert (found.problems, len(found.warnings), found.lines[-1].number) == ([], 1, 3)
    assert sorted(found.binding) == [7, 8, 9]
    assert newest_of([one, two], KEY.public_key()) == (line(3, 9), signed(line(3, 9), KEY))
    assert newest_of([one], KEY.public_key()) == (line(2, 8), signed(line(2, 8), KEY))


def test_a_line_cut_off_by_a_power_cut_is_a_warning_and_goes_with_the_next(tmp_path: Path) -> None:
    path = written(tmp_path / "one", line(1))
    with path.open("ab") as file:
        file.write(b'{"kind":"che')
    found = read_witness_files([path], KEY.public_key())
    assert ([each.number for each in found.lines], found.problems) == ([1], [])
    assert "cut off" in found.warnings[0]
    written(path, line(2, 8))
    found = read_witness_files([path], KEY.public_key())
    assert ([each.number for each in found.lines], found.warnings) == ([1, 2], [])


@pytest.mark.parametrize("left", [b"\0" * (2 * LINE_MAX_BYTES), b"\xff" * 10])
def test_what_a_power_cut_left_hides_no_line_and_joins_none_however_long_it_is(
    left: bytes, tmp_path: Path
) -> None:
    path = written(tmp_path / "one", line(1))
    with path.open("ab") as file:
        file.write(left)
    assert newest_of([path], KEY.public_key()) == (line(1), signed(line(1), KEY))
    written(path, line(2, 8))
    assert path.read_bytes().count(left) == 0
    assert [one.number for one in read_witness_files([path], KEY.public_key()).lines] == [1, 2]


def test_a_line_is_found_at_the_end_where_it_is_no_longer_than_a_line_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = line(2, 8)
    path = written(tmp_path / "one", line(1), last)
    with_its_end = len(signed(last, KEY)) + 1
    for longest, found in ((with_its_end, (last, signed(last, KEY))), (with_its_end - 1, None)):
        monkeypatch.setattr("shared.witnesses.files.LINE_MAX_BYTES", longest)
        assert newest_of([path], KEY.public_key()) == found


def test_the_longest_line_that_a_witness_writes_is_found() -> None:
    most, digest = 10**18, "f" * 64
    audited: dict[str, Any] = {"audit_sequence": most, "audit_digest": digest, "cases": most}
    linked: dict[str, Any] = {"level": 3, "links": [digest] * len(KEPT)}
    broken: dict[str, Any] = {"kind": "succession", "previous": TWO, "kept": most, "lost": most}
    longest = line(most, most, reason="\0" * 200, **audited, **linked, **broken)
    assert len(signed(longest, KEY)) < LINE_MAX_BYTES


def test_a_line_that_nobody_signed_is_named_by_its_place(tmp_path: Path) -> None:
    path = written(tmp_path / "one", line(1), line(2, 8))
    path.write_text(path.read_text().replace('"sequence":8', '"sequence":6'))
    found = read_witness_files([path], KEY.public_key())
    assert found.problems == [f"{path}, line 2: its signature doesn't fit witness.pub"]


def test_after_a_succession_older_lines_bind_up_to_what_was_kept(tmp_path: Path) -> None:
    path = written(
        tmp_path / "one",
        line(1, 5),
        line(2, 9),
        succession(3, ONE, TWO, 7),
        line(4, 8, TWO),
        succession(5, TWO, THREE, 6),
    )
    found = read_witness_files([path], KEY.public_key())
    assert sorted(found.binding) == [5, 6]
    assert found.current == {THREE}


def test_two_logs_without_a_succession_are_two(tmp_path: Path) -> None:
    path = written(tmp_path / "one", line(1), line(2, 8, TWO))
    assert read_witness_files([path], KEY.public_key()).current == {ONE, TWO}


def test_the_log_has_ended_only_if_nothing_opened_it_since(tmp_path: Path) -> None:
    path = written(tmp_path / "one", line(1), line(2, 8, kind="ended"))
    assert read_witness_files([path], KEY.public_key()).ended_at == 8
    written(path, line(3, 8, kind="opened"))
    assert read_witness_files([path], KEY.public_key()).ended_at is None


def test_the_digest_of_a_log_is_the_rolled_one() -> None:
    heads, digest = LogHeads(), FIRST_DIGEST
    for one in some_log(2, 5):
        assert heads.take(one.sequence, one.subject, one.body) == []
        digest = rolled(digest, one.sequence, one.subject, one.body)
    assert (heads.digest, heads.cases, heads.sequence) == (digest, 2, 10)
