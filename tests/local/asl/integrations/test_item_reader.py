"""Items read from S3: every kind of file, and what goes wrong."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from tests.local.asl.integrations.calls import REGION, run
from tests.local.asl.integrations.conftest import Platform
from tests.local.asl.integrations.reading import BUCKET, Reader

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import Caller, Integrations
from penstock_local.asl.item_reader import GET_OBJECT, LIST_OBJECTS, read_items

# JSON


def test_a_json_array_is_a_list_of_items(reader: Reader) -> None:
    items = [1, "é", None, {"a": [1, 2]}, [], True, 1.5]
    for text in (
        json.dumps(items),
        json.dumps(items, indent=2),
        f" \n{json.dumps(items)}\r\n",
        json.dumps(items, separators=(",", ":")),
        "\ufeff" + json.dumps(items),
    ):
        assert reader.file(text) == items
        assert reader.file(text, InputType="JSON") == items


def test_an_empty_array_holds_no_items(reader: Reader) -> None:
    assert reader.file("[]") == []
    assert reader.file(" [ ] ") == []


@pytest.mark.parametrize("text", ['{"a": [1]}', '"text"', "1", "null"])
def test_json_that_is_no_array_cannot_be_mapped_over(reader: Reader, text: str) -> None:
    assert reader.failure(text) == "Attempting to map over non-iterable node."


@pytest.mark.parametrize("text", ["[1, 2", "[1 2]", "[1,]", "[1] x", "{", "", "[", "[1],"])
def test_json_that_cannot_be_parsed_says_where(reader: Reader, text: str) -> None:
    assert reader.failure(text).startswith("The JSON of the item source cannot be parsed: ")


def test_an_items_pointer_names_the_array(reader: Reader) -> None:
    text = json.dumps({"a": {"b/c": [{"~d": [1, 2]}]}, "n": 1, "": [3]})
    assert reader.file(text, ItemsPointer="/a/b~1c/0/~0d") == [1, 2]
    assert reader.file(text, ItemsPointer="/") == [3]
    assert reader.file("[4]", ItemsPointer="") == [4]
    assert reader.failure(text, ItemsPointer="/n") == "Attempting to map over non-iterable node."
    for pointer in ("/x", "/a/b~1c/1", "/a/b~1c/x", "/n/x"):
        assert reader.failure(text, ItemsPointer=pointer) == (
            f"The ItemsPointer {pointer} does not name a value of the item source."
        )


# JSON Lines


def test_every_line_of_json_lines_is_an_item(reader: Reader) -> None:
    text = '{"a": 1}\n\n  \n"é\u2028"\r\n[1]\n2'
    assert reader.file(text, InputType="JSONL") == [{"a": 1}, "é\u2028", [1], 2]
    assert reader.file("", InputType="JSONL") == []


def test_a_line_that_is_no_json_fails_the_reader(reader: Reader) -> None:
    cause = reader.failure('{"a": 1}\n{"a":', InputType="JSONL")
    assert cause.startswith("The JSONL of the item source cannot be parsed: ")


def test_what_lies_beyond_max_items_is_not_even_parsed(reader: Reader) -> None:
    assert reader.file("1\n2\nnot json", InputType="JSONL", MaxItems=2) == [1, 2]


# CSV


def test_a_row_of_csv_is_an_object_of_texts(reader: Reader) -> None:
    text = 'id,name,"full, name"\r\n1,é,"a ""b"""\r\n2,,"two\nlines"\r\n'
    assert reader.file(text, InputType="CSV", CSVHeaderLocation="FIRST_ROW") == [
        {"id": "1", "name": "é", "full, name": 'a "b"'},
        {"id": "2", "name": "", "full, name": "two\nlines"},
    ]


def test_short_rows_are_padded_and_surplus_columns_dropped(reader: Reader) -> None:
    text = "a,b,c\n1\n1,2,3,4\n"
    assert reader.file(text, InputType="CSV", CSVHeaderLocation="FIRST_ROW") == [
        {"a": "1", "b": "", "c": ""},
        {"a": "1", "b": "2", "c": "3"},
    ]


def test_an_empty_header_is_an_empty_key(reader: Reader) -> None:
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    assert reader.file("a,,c\n1,2,3\n", **config) == [{"a": "1", "": "2", "c": "3"}]


def test_headers_may_not_repeat(reader: Reader) -> None:
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    for text in ("a,b,a\n1,2,3\n", "a,,\n1,2,3\n"):
        assert reader.failure(text, **config) == "CSV headers cannot contain duplicates."
    given = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "a"]}
    assert reader.failure("1,2\n", **given) == "CSV headers cannot contain duplicates."


def test_given_headers_make_the_first_row_an_item(reader: Reader) -> None:
    config = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"]}
    assert reader.file("a,b\n1,2\n", **config) == [{"x": "a", "y": "b"}, {"x": "1", "y": "2"}]


@pytest.mark.parametrize(
    ("name", "mark"),
    [("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("SPACE", " "), ("TAB", "\t")],
)
def test_columns_may_be_divided_otherwise(reader: Reader, name: str, mark: str) -> None:
    text = f"a{mark}b\n1{mark}2\n"
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": name}
    assert reader.file(text, **config) == [{"a": "1", "b": "2"}]


def test_an_empty_csv_holds_no_items(reader: Reader) -> None:
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    for text in ("", "a,b\n", "a,b\n\n\n"):
        assert reader.file(text, **config) == []


def test_csv_that_is_no_text_fails_the_reader(reader: Reader) -> None:
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    assert reader.failure(b"a,b\n\xff\xfe,2\n", **config).startswith(
        "The CSV of the item source cannot be parsed: "
    )


def test_a_field_may_be_as_long_as_an_item(reader: Reader) -> None:
    text = f"a\n{'x' * 200_000}\n"
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    assert len(reader.file(text, **config)[0]["a"]) == 200_000


# Parquet


def parquet(**columns: list[Any]) -> bytes:
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


def test_a_row_of_parquet_is_an_object(reader: Reader) -> None:
    content = parquet(id=[1, 2], name=["é", None], tags=[["a"], []])
    items = [{"id": 1, "name": "é", "tags": ["a"]}, {"id": 2, "name": None, "tags": []}]
    assert reader.file(content, InputType="PARQUET") == items
    assert reader.file(content, InputType="PARQUET", MaxItems=1) == items[:1]


def test_what_is_no_parquet_fails_the_reader(reader: Reader) -> None:
    assert reader.failure(b"PAR1 not", InputType="PARQUET").startswith(
        "The PARQUET of the item source cannot be parsed: "
    )


# MaxItems and the rest of ReaderConfig


@pytest.mark.parametrize("most", [1, 2, 2.0, 3, 0, None, 100_000_001])
def test_max_items_limits_the_items(reader: Reader, most: int) -> None:
    expected = [1, 2, 3][: int(most) if most else None]
    assert reader.file("[1, 2, 3]", MaxItems=most) == expected


def test_max_items_must_be_positive(reader: Reader) -> None:
    assert reader.failure("[1]", MaxItems=-1) == "field MaxItems must be positive"


def test_an_unknown_input_type_fails_the_reader(reader: Reader) -> None:
    assert reader.failure("[1]", InputType="XML") == "The InputType XML is not supported."


# S3 refuses


def test_a_missing_object_fails_the_reader_with_the_sdk_s_message(reader: Reader) -> None:
    with pytest.raises(StateError) as raised:
        reader.read(GET_OBJECT, {"Bucket": BUCKET, "Key": "missing"})
    assert raised.value.error == "States.ItemReaderFailed"
    assert re.fullmatch(
        r"The specified key does not exist. \(Service: Amazon S3; Status Code: 404; Error Code:"
        r" NoSuchKey; Request ID: \S+; (S3 Extended Request ID: \S+; )?Proxy: null\)",
        raised.value.cause or "",
    )


@pytest.mark.parametrize(
    ("resource", "action"), [(GET_OBJECT, "s3:GetObject"), (LIST_OBJECTS, "s3:ListBucket")]
)
def test_a_missing_permission_is_named(
    platform: Platform, integrations: Integrations, reader: Reader, resource: str, action: str
) -> None:
    role = platform.role(f"reader-idle-{action[3:]}")
    idle = Reader(reader.s3, integrations, Caller(role, REGION))
    with pytest.raises(StateError) as raised:
        idle.read(
            resource, {"Bucket": BUCKET, "Key": "file"} if "get" in resource else {"Bucket": BUCKET}
        )
    assert raised.value.error == "States.ItemReaderFailed"
    assert f"is not authorized to perform: {action}" in (raised.value.cause or "")


# Large files


@pytest.mark.parametrize("kind", ["JSON", "JSONL", "CSV"])
def test_a_large_file_does_not_hold_up_other_executions(
    platform: Platform, integrations: Integrations, reader: Reader, kind: str
) -> None:
    rows = [{"id": str(number), "text": "x" * 80} for number in range(200_000)]
    text = {
        "JSON": lambda: json.dumps(rows),
        "JSONL": lambda: "\n".join(map(json.dumps, rows)),
        "CSV": lambda: "id,text\n" + "\n".join(f"{row['id']},{row['text']}" for row in rows),
    }[kind]()
    reader.put("large", text)

    async def read_while_others_run() -> tuple[int, float]:
        longest = 0.0

        async def watch() -> None:
            nonlocal longest
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.005)
                longest = max(longest, time.perf_counter() - before)

        watching = asyncio.create_task(watch())
        field = {
            "Resource": GET_OBJECT,
            "Arguments": {"Bucket": BUCKET, "Key": "large"},
            "ReaderConfig": {"InputType": kind, "CSVHeaderLocation": "FIRST_ROW"},
        }
        items = await read_items(integrations.s3, reader._caller, field)
        watching.cancel()
        return len(items), longest

    count, longest = run(read_while_others_run())
    assert count == 200_000
    assert longest < 0.75
