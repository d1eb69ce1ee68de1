"""JSON Lines: every value as it is written, and no broken line takes another along."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from penstock_job.csv_records import Parted
from penstock_job.json_records import part_json_lines


def part(content: bytes) -> tuple[Parted, list[dict[str, Any]], list[dict[str, Any]]]:
    good, bad = io.BytesIO(), io.BytesIO()
    parted = part_json_lines(io.BytesIO(content), good, bad)
    records = [json.loads(line) for line in good.getvalue().splitlines()]
    rejects = [json.loads(line) for line in bad.getvalue().splitlines()]
    assert (parted.well_formed, parted.malformed) == (len(records), len(rejects))
    return parted, records, rejects


def test_values_are_kept_as_they_are_written() -> None:
    line = (
        '{"n": 1.50, "big": 123456789012345678901234567890, "e": 1E400, "t": "1.50", "b": true,'
        ' "nothing": null, "empty": "", "😷": "a\\nb", "deep" : {"x": [1.50, 1E400]} , "l":[]}'
    )
    parted, records, _ = part(line.encode())

    assert records == [
        {
            "n": "1.50",
            "big": "123456789012345678901234567890",
            "e": "1E400",
            "t": "1.50",
            "b": "true",
            "nothing": None,
            "empty": "",
            "😷": "a\nb",
            "deep": '{"x": [1.50, 1E400]}',
            "l": "[]",
        }
    ]
    assert parted.header == list(records[0])


def test_the_header_is_made_of_all_names_in_the_order_in_which_they_come() -> None:
    parted, records, _ = part(b'\xef\xbb\xbf{"b":1}\r\n\r\n{"a":1,"b":2}\n{"c":3}')

    assert parted == Parted(["b", "a", "c"], 3, 0, 1)
    assert records == [{"b": "1"}, {"a": "1", "b": "2"}, {"c": "3"}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "no JSON: Expecting"),
        (b'{"a": NaN}', "no JSON: NaN is no JSON"),
        (b'{"a": 1, "a": 2}', "no JSON: a name stands in an object twice"),
        (b"[1]", "no JSON object"),
        (b"7", "no JSON object"),
        (b'{"a": "\xff"}', "not text in UTF-8"),
        (b'{"a": "\\ud800"}', "not text in UTF-8"),
        (b'{"a": "\\u0000"}', "a zero byte"),
        (b'{"a": "' + b"x" * (1 << 20) + b'"}', "longer than 1048576 bytes"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_a_broken_line_is_set_aside_with_its_number_and_its_neighbours_are_not(
    line: bytes, reason: str
) -> None:
    _, records, rejects = part(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')

    assert records == [{"a": "1"}, {"a": "2"}]
    assert (rejects[0]["line"], len(rejects)) == (2, 1)
    assert rejects[0]["reason"].startswith(reason)
    assert line.decode(errors="backslashreplace").startswith(rejects[0]["text"][:1000])


texts = st.text('ab"\\\n{}[],: \0é😷', max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(texts, values, max_size=4), st.sampled_from([None, 1]))
def test_whatever_json_holds_comes_back(record: dict[str, Any], indent: int | None) -> None:
    _, records, rejects = part(json.dumps(record, indent=indent).replace("\n", " ").encode())

    if rejects:  # what no text of the engines can hold
        assert rejects[0]["reason"] == "a zero byte"
        assert "\\u0000" in json.dumps(record)
        return
    for name, value in record.items():
        text = records[0][name]
        if value is None or isinstance(value, str):
            assert text == value
        else:
            assert json.loads(text) == value
