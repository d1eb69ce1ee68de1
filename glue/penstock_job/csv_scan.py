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

    `lines` are those that must be records, if no value holds a line break: neither blank nor the
    header again, as files have them that were put together of several. `is_plain` says whether the
    engine may read it as it is: text in UTF-8, without zero bytes, with one kind of line break,
    which is `new_line`.
    """

    header: list[str]
    lines: int
    blank: int
    is_plain: bool
    new_line: str


class _Count:
    def __init__(self, header: bytes, delimiter: bytes) -> None:
        self.header = header
        self.delimiter = delimiter
        self.blank_line = b"\n" + delimiter
        self.lines = self.blank = self.returns = self.ends = 0
        self.is_text = True

    def add(self, block: bytes) -> None:
        ends = block.count(b"\n")
        self.lines += ends + (not block.endswith(b"\n"))
        self.ends += ends
        if b"\r" in block:
            self.returns += block.count(b"\r")
            self.is_text &= block.count(b"\r") == block.count(b"\r\n")
        self.is_text &= b"\0" not in block and _is_text(block)
        if self._may_pass_over(block):
            self.blank += sum(map(self._is_passed_over, block.splitlines()))

    def _may_pass_over(self, block: bytes) -> bool:
        starts = (b"\n", b"\r", self.delimiter)
        twice = (b"\n\n", b"\n\r", self.blank_line, self.header)
        return block.startswith(starts) or any(each in block for each in twice)

    def _is_passed_over(self, line: bytes) -> bool:
        return not line.strip(self.delimiter) or line == self.header


def scan_csv(file: Path, delimiter: str) -> CsvScan:
    """Look a file over. Raises SourceError where there is no header to go by."""
    with file.open("rb") as source:
        header, line = read_header(source, delimiter)
        count = _Count(line.rstrip(b"\r\n"), delimiter.encode())
        for block in _blocks(source):
            count.add(block)
    is_uniform = count.returns in (0, count.ends)
    return CsvScan(
        header=header,
        lines=count.lines - count.blank,
        blank=count.blank,
        is_plain=count.is_text and is_uniform and line.endswith(b"\r\n") == bool(count.returns),
        new_line="\\r\\n" if count.returns else "\\n",
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
