"""Parts the records of a CSV file into those that fit its header and those that do not.

DuckDB can set malformed rows aside itself, but an unclosed quote takes the rest of the file with
it as one reject, and with one thread even without a reject (both measured with DuckDB 1.4.5 and
2.0.0). So the structure is judged here, line by line, before any engine reads the file: whatever
is wrong with one record, the next line starts anew.
"""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from penstock_job.errors import SourceError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_RECORD = 1 << 20  # bytes; DuckDB takes twice that
BLOCK = 1 << 20  # bytes that are read at once
LONGEST_EXCERPT = LONGEST_RECORD  # bytes of a malformed record that are kept with its reject


@dataclass(frozen=True)
class Parted:
    """The file's column names, how many records fit them, how many do not, and blank lines.

    A line of nothing but delimiters is blank, too: spreadsheets leave such lines at the end. So is
    one that repeats the header, as files have them that were put together of several.
    """

    header: list[str]
    well_formed: int
    malformed: int
    blank: int


@dataclass(frozen=True)
class _Fault:
    reason: str
    text: bytes


class CsvForm:
    """The grammar of records with so many columns: RFC 4180, and quotes inside bare values."""

    def __init__(self, delimiter: str, columns: int, header: bytes) -> None:
        self.delimiter = delimiter.encode()
        self.header = header
        self.columns = columns
        self.blank_line = b"\n" + self.delimiter * (columns - 1) + b"\n"
        end = re.escape(self.delimiter)
        quoted, bare = rb'"(?:[^"]|"")*"', rb"[^\"" + end + rb"\r\n]"
        strict = rb"(?:" + quoted + rb"|" + bare + rb"*)"
        value = rb"(?:" + quoted + rb"|" + bare + rb"[^" + end + rb"\r\n]*|)"
        further = rb"(?:" + end + strict + rb"){%d}" % (columns - 1)
        self.standard = re.compile(strict + further)
        self.record = re.compile(value + rb"(?:" + end + value + rb")*")
        self.values = re.compile(rb"(" + value + rb")(?:" + end + rb"|\Z)")
        self.unclosed = re.compile(rb"(?:" + value + end + rb')*"(?:[^"]|"")*')

    def values_of(self, record: bytes) -> list[bytes]:
        """The values of a whole record, as written."""
        values = [match[1] for match in self.values.finditer(record)]
        # Unless the last value is empty, the pattern matches once more behind it.
        return values if record.endswith(self.delimiter) else values[:-1]


def part_records(
    source: BinaryIO,
    well_formed: BinaryIO,
    malformed: BinaryIO,
    delimiter: str = ",",
    names: Sequence[str] | None = None,
) -> Parted:
    """Copy each record of `source`, a CSV file in UTF-8, to one of two files.

    `well_formed` gets records without the header, one value for each column, quotes only as the
    standard has them, and lines that end in a line feed. `malformed` gets a JSON object a line:
    the number of the record's first line, the reason, the text, and whether that is the whole of
    it, byte by byte. A file without a header is told
    by the `names` of its columns; with none at all they are column_1, column_2, … Raises
    SourceError where there is no header to go by.
    """
    if names is None:
        header, header_line = read_header(source, delimiter)
        lines = _Lines(source, 1)
    else:
        lines = _Lines(source, 0)
        header, header_line = _named(lines, delimiter, names), b""
    form = CsvForm(delimiter, len(header), header_line.rstrip(b"\r\n"))
    good = bad = blank = 0
    while block := lines.block():
        plain = _plain(block, form)
        if plain is not None:
            well_formed.write(plain)
            good += len(block)
            continue
        lines.give_back(block)
        last = lines.number + len(block)
        while lines.number < last:
            number = lines.number + 1
            record = _record(next(lines), lines, form)
            if record is None:
                blank += 1
            elif isinstance(record, _Fault):
                bad += 1
                malformed.write(_reject(number, record))
            else:
                good += 1
                well_formed.write(record + b"\n")
    return Parted(header, good, bad, blank)


class _Lines:
    """The lines of a file, numbered from 1; lines can be given back to be read again.

    `number` of them have been read already: the header.
    """

    def __init__(self, source: BinaryIO, number: int) -> None:
        self._source = source
        self._waiting: deque[bytes] = deque()
        self.number = number

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._waiting:
            self._waiting.extend(self._source.readlines(BLOCK))
        if not self._waiting:
            raise StopIteration
        self.number += 1
        return self._waiting.popleft()

    def block(self) -> list[bytes]:
        """The next lines, many at once; none at the end."""
        lines = list(self._waiting) or self._source.readlines(BLOCK)
        self._waiting.clear()
        self.number += len(lines)
        return lines

    def give_back(self, lines: list[bytes]) -> None:
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)


def read_header(source: BinaryIO, delimiter: str) -> tuple[list[str], bytes]:
    """The names in the first line of a file, and that line without a byte order mark.

    Raises SourceError where there are none.
    """
    return header_of(source.readline(), delimiter)


def header_of(line: bytes, delimiter: str) -> tuple[list[str], bytes]:
    """The names in a file's first line, and that line without a byte order mark.

    Raises SourceError where there are none.
    """
    if not line:
        raise SourceError("the file is empty: it has not even a header")
    line = _without_mark(line)
    names = _first_values(line, delimiter)
    if not any(names):
        raise SourceError("the file's first line names no columns")
    return names, line


def _named(lines: _Lines, delimiter: str, names: Sequence[str]) -> list[str]:
    """The columns of a file without a header; its first line is given back."""
    line = _without_mark(next(lines, b""))
    if not line:
        return list(names)
    lines.give_back([line])
    if names:
        return list(names)
    return [f"column_{number + 1}" for number in range(len(_first_values(line, delimiter)))]


def _without_mark(line: bytes) -> bytes:
    return line[len(BYTE_ORDER_MARK) :] if line.startswith(BYTE_ORDER_MARK) else line


def _first_values(line: bytes, delimiter: str) -> list[str]:
    try:
        text = line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        raise SourceError("the file's first line is not text in UTF-8") from None
    return [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]


def _plain(block: list[bytes], form: CsvForm) -> bytes | None:
    """The text of many lines at once if nothing about any of them is out of the ordinary."""
    text = b"".join(block).replace(b"\r\n", b"\n")
    if not text.endswith(b"\n"):
        text += b"\n"
    if any(special in text for special in (b'"', b"\r", b"\0", form.blank_line)):
        return None
    if form.header and form.header in text:
        return None
    if text.startswith(form.blank_line[1:]) or len(max(block, key=len)) > LONGEST_RECORD:
        return None
    if {line.count(form.delimiter) for line in block} != {form.columns - 1}:
        return None
    return text if _is_text(text) else None


def _record(line: bytes, lines: _Lines, form: CsvForm) -> bytes | _Fault | None:
    """The record that begins with this line, in standard form; None for a blank line."""
    content = line.rstrip(b"\r\n")
    if not content.strip(form.delimiter) or content == form.header:
        return None
    record: bytes | _Fault = content
    if not form.standard.fullmatch(content):
        if b'"' in content:
            record = _quoted_record(line, lines, form)
        elif b"\r" in content:
            return _Fault("a carriage return outside quotes", content)
        else:
            return _miscounted(content, content.count(form.delimiter) + 1, form)
    return record if isinstance(record, _Fault) else _clean(record)


def _quoted_record(line: bytes, lines: _Lines, form: CsvForm) -> bytes | _Fault:
    content = line.rstrip(b"\r\n")
    whole = content
    taken: list[bytes] = []
    if form.unclosed.fullmatch(content):
        whole, taken = _to_closing_quote(line, lines, form)
    if not form.record.fullmatch(whole):
        # Only this line is given up: those after it may well be records of their own.
        lines.give_back(taken)
        if form.unclosed.fullmatch(content):
            return _Fault("a quote that is never closed", content)
        return _Fault("a quote or a carriage return out of place", content)
    values = form.values_of(whole)
    if len(values) != form.columns:
        return _miscounted(whole, len(values), form)
    return form.delimiter.join(map(_standard, values))


def _to_closing_quote(line: bytes, lines: _Lines, form: CsvForm) -> tuple[bytes, list[bytes]]:
    taken: list[bytes] = []
    length = len(line)
    for further in lines:
        taken.append(further)
        length += len(further)
        if length > LONGEST_RECORD:
            break
        if b'"' in further:
            whole = b"".join([line, *taken]).rstrip(b"\r\n")
            if not form.unclosed.fullmatch(whole):
                return whole, taken
    return line, taken


def _standard(value: bytes) -> bytes:
    if b'"' in value and not value.startswith(b'"'):
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value


def _miscounted(content: bytes, values: int, form: CsvForm) -> _Fault:
    noun = "value" if values == 1 else "values"
    return _Fault(f"{values} {noun}, but the header names {form.columns}", content)


def _clean(record: bytes) -> bytes | _Fault:
    if len(record) > LONGEST_RECORD:
        return _Fault(f"longer than {LONGEST_RECORD} bytes", record)
    if b"\0" in record:
        return _Fault("a zero byte", record)
    return record if _is_text(record) else _Fault("not text in UTF-8", record)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reject(number: int, fault: _Fault) -> bytes:
    text = fault.text[:LONGEST_EXCERPT].decode(errors="backslashreplace")
    whole = text.encode() == fault.text
    entry = {"line": number, "reason": fault.reason, "text": text, "whole": whole}
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
