"""Looks a CSV file over while an engine reads it: its header, and how many records there must be.

The lines are counted here, at a gigabyte a second, and not by the engine that reads them. So a
record that an engine loses (DuckDB takes all that follows an unclosed quote for one value) shows
in the account, and the file is then parted record by record instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from penstock_job.csv_records import read_header

BLOCK = 1 << 22  # bytes that are looked at together


class _Count:
    """Lines, their ends, and carriage returns; whether all is text in UTF-8 without zero bytes."""

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

    def is_plain(self, *, has_returns: bool) -> bool:
        """Whether there is nothing but text, with one kind of line break, that of the header."""
        return self.is_text and self.returns == (self.ends if has_returns else 0)


class CsvScan:
    """What a CSV file holds by the look of it, which goes on beside whatever else is done.

    Raises SourceError where there is no header to go by.
    """

    def __init__(self, file: Path, delimiter: str) -> None:
        with file.open("rb") as source:
            self.header, line = read_header(source, delimiter)
            first = _Count()
            first.add(next(_blocks(source), b""))
        self.header_line = line.rstrip(b"\r\n")
        self._has_returns = line.endswith(b"\r\n")
        self.looks_plain = first.is_plain(has_returns=self._has_returns)
        looker = ThreadPoolExecutor(1)
        self._looking = looker.submit(_look, file)
        looker.shutdown(wait=False)

    @property
    def lines(self) -> int:
        """The lines after the header."""
        return self._looking.result().lines

    @property
    def is_plain(self) -> bool:
        """Whether an engine may read the file as it is; `looks_plain` is the guess by its start."""
        return self._looking.result().is_plain(has_returns=self._has_returns)


def _look(file: Path) -> _Count:
    count = _Count()
    with file.open("rb") as source:
        source.readline()
        for block in _blocks(source):
            count.add(block)
    return count


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
