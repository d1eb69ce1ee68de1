"""Looks a CSV file over before an engine reads it: its header, and how many records there must be.

The lines are counted here, at a gigabyte a second, and not by the engine that reads them. So a
record that an engine loses (DuckDB takes all that follows an unclosed quote for one value) shows
in the account, and the file is then parted record by record instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from penstock_job.csv_records import read_header

BLOCK = 1 << 22  # bytes that are looked at together


@dataclass(frozen=True)
class CsvScan:
    """What a CSV file holds by the look of it.

    `lines` are those after the header. `is_plain` says whether an engine may read it as it is:
    text in UTF-8, without zero bytes, with one kind of line break.
    """

    header: list[str]
    header_line: bytes
    lines: int
    is_plain: bool


class _Count:
    def __init__(self) -> None:
        self.lines = self.ends = self.returns = 0
        self.is_text = True

    def add(self, block: bytes) -> None:
        ends = block.count(b"\n")
        self.ends += ends
        self.lines += ends + (not block.endswith(b"\n"))
        if b"\r" in block:
            self.returns += block.count(b"\r")
            self.is_text &= block.count(b"\r") == block.count(b"\r\n")
        self.is_text &= b"\0" not in block and _is_text(block)


def scan_csv(file: Path, delimiter: str) -> CsvScan:
    """Look a file over. Raises SourceError where there is no header to go by."""
    count = _Count()
    with file.open("rb") as source:
        header, line = read_header(source, delimiter)
        for block in _blocks(source):
            count.add(block)
    is_uniform = count.returns in (0, count.ends)
    return CsvScan(
        header=header,
        header_line=line.rstrip(b"\r\n"),
        lines=count.lines,
        is_plain=count.is_text and is_uniform and line.endswith(b"\r\n") == bool(count.returns),
    )


def count_passed_over(file: Path, scan: CsvScan, delimiter: str) -> int:
    """How many lines are blank, have nothing but delimiters, or repeat the header."""
    separators = delimiter.encode()
    with file.open("rb") as source:
        source.readline()
        return sum(
            not line.strip(separators) or line == scan.header_line
            for line in (raw.rstrip(b"\r\n") for raw in source)
        )


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block + source.readline()


def _is_text(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True
