"""Files as they come: compressed, in other encodings, damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from penstock_job.errors import ArgumentsError, SourceError
from penstock_job.plain_text import to_utf_8, unpack

TEXT = "Ort,Größe\nZürich,1\n" * 1000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "source.csv"


def test_a_compressed_file_is_told_by_its_first_bytes_whatever_its_name(file: Path) -> None:
    file.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"1\n"))  # two members, as AWS writes
    unpack(file)
    assert file.read_bytes() == b"a\n1\n"


def test_a_plain_file_is_left_as_it_is(file: Path) -> None:
    file.write_bytes(b"a\n")
    unpack(file)
    to_utf_8(file, "UTF8")
    assert file.read_bytes() == b"a\n"


@pytest.mark.parametrize("cut", [20, 200])
def test_a_compressed_file_that_breaks_off_is_refused(file: Path, cut: int) -> None:
    packed = gzip.compress(bytes(range(256)) * 50)
    file.write_bytes(packed[:cut])
    with pytest.raises(SourceError, match="the compressed file is damaged"):
        unpack(file)


def test_a_compressed_file_with_a_wrong_byte_is_refused(file: Path) -> None:
    packed = bytearray(gzip.compress(TEXT.encode()))
    packed[-6] ^= 1
    file.write_bytes(packed)
    with pytest.raises(SourceError, match="damaged"):
        unpack(file)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig"])
def test_a_text_in_another_encoding_becomes_the_same_in_utf_8(file: Path, encoding: str) -> None:
    file.write_bytes(TEXT.encode(encoding))
    to_utf_8(file, encoding)
    assert file.read_text("utf-8") == TEXT


def test_bytes_that_are_no_text_in_the_encoding_are_refused(file: Path) -> None:
    file.write_bytes(b"caf\x81")
    with pytest.raises(SourceError, match="is not text in cp1252"):
        to_utf_8(file, "cp1252")


def test_an_encoding_that_does_not_exist_is_named(file: Path) -> None:
    with pytest.raises(ArgumentsError, match="'utf-9' is no encoding"):
        to_utf_8(file, "utf-9")
