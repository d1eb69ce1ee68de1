"""The structure of CSV files: what is a record, what is not, and that nothing gets lost."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from penstock_job.csv_records import LONGEST_RECORD, Parted, part_records
from penstock_job.errors import SourceError


def part(content: bytes, delimiter: str = ",") -> tuple[Parted, bytes, list[dict[str, Any]]]:
    good, bad = io.BytesIO(), io.BytesIO()
    parted = part_records(io.BytesIO(content), good, bad, delimiter)
    rejects = [json.loads(line) for line in bad.getvalue().splitlines()]
    assert parted.malformed == len(rejects)
    return parted, good.getvalue(), rejects


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,2", "2 values, but the header names 3"),
        (b"1,2,3,4", "4 values, but the header names 3"),
        (b"only", "1 value, but the header names 3"),
        (b'"1","2"', "2 values, but the header names 3"),
        (b'1,"x"y,3', "a quote or a carriage return out of place"),
        (b'1,"open,3', "a quote that is never closed"),
        (b"1,\xff\xfe,3", "not text in UTF-8"),
        (b"1,a\rb,3", "a carriage return outside quotes"),
        (b"1,a\0b,3", "a zero byte"),
    ],
)
def test_a_malformed_line_is_set_aside_and_its_neighbours_are_not(line: bytes, reason: str) -> None:
    parted, good, rejects = part(b"a,b,c\n1,2,3\n" + line + b"\n4,5,6\n")

    assert good == b"1,2,3\n4,5,6\n"
    assert parted == Parted(["a", "b", "c"], 2, 1, 0)
    assert rejects == [
        {
            "line": 3,
            "reason": reason,
            "text": line.decode(errors="backslashreplace"),
            "whole": b"\xff" not in line,
        }
    ]


def test_values_with_line_ends_delimiters_quotes_and_emoji_are_kept_as_they_are() -> None:
    records = 'x,"two\r\nlines",😀\r\n"say ""hi""","a,b",""\r\nbare"quote,,\r\n'

    parted, good, rejects = part(("\ufeffa,b,c\r\n" + records).encode())

    assert rejects == []
    assert parted.well_formed == 3
    expected = 'x,"two\r\nlines",😀\n"say ""hi""","a,b",""\n"bare""quote",,\n'
    assert good.decode() == expected


def test_line_numbers_count_lines_not_records() -> None:
    _, _, rejects = part(b'a,b\n1,"two\nlines"\n\n1\n2,"open\n3\n')

    assert [(reject["line"], reject["text"]) for reject in rejects] == [
        (5, "1"),
        (6, '2,"open'),
        (7, "3"),
    ]


def test_an_unclosed_quote_gives_up_its_own_line_only() -> None:
    lines = [b"%d,x" % number for number in range(5000)]
    lines[10] = b'10,"x'
    lines[3000] = b'3000,"x" y'

    parted, _, rejects = part(b"a,b\n" + b"\n".join(lines))

    assert (parted.well_formed, [reject["line"] for reject in rejects]) == (4998, [12, 3002])


def test_a_quote_that_is_closed_too_late_gives_up_its_own_line_only() -> None:
    filler = b"1,x\n" * (LONGEST_RECORD // 4 + 10)

    parted, _, rejects = part(b'a,b\n1,"x\n' + filler + b'2,y"\n')

    assert rejects[0]["line"] == 2
    assert parted.well_formed == LONGEST_RECORD // 4 + 11


def test_lines_with_nothing_in_them_are_no_records() -> None:
    parted, good, _ = part(b"a,b,c\n\n,,\n1,,\n\r\n,,\r\n")

    assert (parted.well_formed, parted.blank, good) == (1, 4, b"1,,\n")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_makes_commas_plain_text(delimiter: str) -> None:
    text = 'a;b\n1,5;"x;y"\n1;2;3\n'.replace(";", delimiter)

    parted, good, rejects = part(text.encode(), delimiter)

    assert parted.header == ["a", "b"]
    assert good.decode() == '1,5;"x;y"\n'.replace(";", delimiter)
    assert len(rejects) == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "empty"), (b"\n1,2\n", "names no columns"), (b"\xff\xfe\n", "not text in UTF-8")],
)
def test_a_file_without_a_header_is_refused(content: bytes, text: str) -> None:
    with pytest.raises(SourceError, match=text):
        part(content)


VALUES = st.text(alphabet='ab,"\n\r 😀é;', max_size=6)


@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), max_size=8))
def test_whatever_the_standard_library_writes_is_read_back(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])

    parted, good, _ = part(text.getvalue().encode())

    assert list(csv.reader(io.StringIO(good.decode(), newline=""))) == rows
    assert parted.well_formed == len(rows)


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_no_bytes_make_it_fail_or_lose_a_line(lines: list[bytes]) -> None:
    body = b"\n".join(lines)

    parted, good, rejects = part(b"a,b\n" + body)

    records = parted.well_formed + parted.malformed + parted.blank
    assert 0 <= records <= body.count(b"\n") + 1
    accounted = good.count(b"\n") + parted.malformed + parted.blank
    accounted += sum(reject["text"].count("\n") for reject in rejects)
    assert accounted >= body.rstrip(b"\n").count(b"\n")
    assert all(reject["line"] >= 2 for reject in rejects)


@pytest.mark.parametrize(
    ("content", "names", "header", "records"),
    [
        (b"1,2\n3,4\n", ["a", "b"], ["a", "b"], b"1,2\n3,4\n"),
        (b"1,2\n3,4\n", [], ["column_1", "column_2"], b"1,2\n3,4\n"),
        (b"\xef\xbb\xbf1,2\n", [], ["column_1", "column_2"], b"1,2\n"),
        (b"", ["a"], ["a"], b""),
    ],
)
def test_a_file_without_a_header_keeps_its_first_line(
    content: bytes, names: list[str], header: list[str], records: bytes
) -> None:
    good, bad = io.BytesIO(), io.BytesIO()
    parted = part_records(io.BytesIO(content), good, bad, names=names)

    assert (parted.header, good.getvalue(), bad.getvalue()) == (header, records, b"")


def test_a_line_of_a_file_without_a_header_that_has_other_values_is_named_by_its_number() -> None:
    good, bad = io.BytesIO(), io.BytesIO()
    part_records(io.BytesIO(b"1,2\n3\n4,5\n"), good, bad, names=["a", "b"])

    assert json.loads(bad.getvalue())["line"] == 2
    assert good.getvalue() == b"1,2\n4,5\n"
