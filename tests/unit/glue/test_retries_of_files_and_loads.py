"""Rejects of files and of loads, tried again by the next run."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from penstock_job.lines_again import record_of
from tests.local.redshift.data_api import Platform
from tests.unit.glue.conftest import BUCKET, arguments, load_script
from tests.unit.glue.kept import kept
from tests.unit.glue.loading import given, load, rejects

from penstock_cli.sample_sources import serve

EXTRACT = load_script("python_shell/extract.py")
TABLE = "penstock-orders"
REAL = Path(__file__).parents[4] / "shared" / "data" / "covid"
CASES = [
    "date",
    {"name": "cases", "type": "integer"},
    {"name": "deaths", "type": "integer"},
]


def path_of(job: str, day: int) -> str:
    return f"s3://{BUCKET}/data/Daily_Covid/{job}/_rejects/job_id=2026112{day}T0500-x/attempt=1"


def a_day(job: str, day: int, tried: int | None, **own: Any) -> dict[str, Any]:
    """The arguments of a job on a day, which is to try the rejects of another day again."""
    own |= {"job_id": f"2026112{day}T0500-x", "logical_date": f"2026-11-2{day}"}
    if tried is not None:
        key = f"runs/{day}/{job}/rejects.json"
        batches = [{"path": path_of(job, tried), "take": "open"}]
        body = json.dumps({"batches": batches}).encode()
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        own["rejects_path"] = f"s3://{BUCKET}/{key}"
    return own


def extract(folder: Path, text: str, day: int, tried: int | None = None, **own: Any) -> Any:
    (folder / "orders.csv").write_text(text)
    with serve(folder) as url:
        own |= {"source_url": f"{url}/orders.csv"}
        made = EXTRACT.main(
            arguments("extract_orders", **a_day("extract_orders", day, tried, **own))
        )
    return made.rows_read, made.rows_written, made.rows_rejected, made.rows_filtered


def test_malformed_lines_are_records_when_the_delimiter_is_corrected(
    aws: Platform, tmp_path: Path
) -> None:
    assert extract(tmp_path, "id;note\n1;a\n2,b\n", 1, delimiter=";") == (2, 1, 1, 0)
    (line,) = kept(path_of("extract_orders", 1))
    assert (line["line"], line["record"], json.loads(line["header"])) == (3, "2,b", ["id", "note"])

    assert extract(tmp_path, "id,note\n3,c\n4;d\n", 2, tried=1) == (3, 2, 1, 0)
    (line,) = kept(path_of("extract_orders", 2))
    assert line["record"] == "4;d"


def test_a_malformed_line_that_comes_again_is_taken_once(aws: Platform, tmp_path: Path) -> None:
    assert extract(tmp_path, "id,n\n1,2\n3\n4\n", 1) == (3, 1, 2, 0)
    assert extract(tmp_path, "id,n\n1,2\n3\n", 2, tried=1) == (4, 1, 2, 1)
    again = {one["record"]: one["attempt"] for one in kept(path_of("extract_orders", 2))}
    assert again == {"3": 1, "4": 2}


@pytest.mark.parametrize(
    ("text", "delimiter", "record"),
    [
        ("1;2", ";", '{"a": "1", "b": "2"}'),
        ('"x;y";', ";", '{"a": "x;y", "b": null}'),
        ('"";"a ""b"" ü"', ";", '{"a": "", "b": "a \\"b\\" ü"}'),
        ("1,2", ";", None),
        ('"1;2', ";", None),
        ("1;2\n3;4", ";", None),
        ("", ";", None),
    ],
)
def test_a_line_is_read_again_by_its_own_header(
    text: str, delimiter: str, record: str | None
) -> None:
    assert record_of(["a", "b"], text, delimiter) == record


def test_what_a_load_has_rejected_is_loaded_by_the_next_unless_its_key_came_anew(
    aws: Platform,
) -> None:
    table = boto3.resource("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "date", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "date", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    given(
        "SELECT 'd' || range AS date, CASE range WHEN 0 THEN 1 WHEN 1 THEN 1e200 ELSE 1e300 END "
        "AS n FROM range(3) UNION ALL SELECT NULL, 5",
        job_id="20261121T0500-x",
        logical_date="2026-11-21",
    )
    first = load(dynamodb_table=TABLE, **a_day("load_daily_cases", 1, None))
    assert (first.rows_read, first.rows_written, first.rows_rejected) == (4, 1, 3)
    assert {one["rule"] for one in rejects()} > {"key_missing"}

    given("SELECT 'd1' AS date, 7.0::DOUBLE AS n", logical_date="2026-11-22")
    second = load(
        dynamodb_table=TABLE, max_reject_ratio="0", **a_day("load_daily_cases", 2, tried=1)
    )
    counts = (second.rows_read, second.rows_written, second.rows_rejected, second.rows_filtered)
    assert counts == (4, 1, 2, 1)
    assert {item["date"]: int(item["n"]) for item in table.scan()["Items"]} == {"d0": 1, "d1": 7}
    again = kept(path_of("load_daily_cases", 2))
    assert sorted((one["key"] or "", one["attempt"]) for one in again) == [("", 2), ("d2", 2)]


def test_real_data_with_broken_lines_loses_none(aws: Platform, tmp_path: Path) -> None:
    if not (REAL / "us.csv").exists():
        pytest.skip(f"the real data is not there: {REAL}")
    lines = (REAL / "us.csv").read_text().splitlines()
    header, records = lines[0], lines[1:]
    broken = {5: "2020-01-26,5", 40: '"2020-03-01,1,0', 77: records[77] + ",0"}
    for number in (10, 60, 100):
        day, cases, *others = next(csv.reader([records[number]]))
        broken[number] = ",".join([day, f"about {cases}", *others])
    spoilt = [broken.get(number, line) for number, line in enumerate(records)]
    read = len(records)

    counts = extract(tmp_path, "\n".join([header, *spoilt]) + "\n", 1, columns=CASES)
    assert counts == (read, read - 6, 6, 0)
    rules = sorted(one["rule"] for one in kept(path_of("extract_orders", 1)))
    assert rules == ["malformed"] * 3 + ["type(cases)"] * 3

    mended = ["date", {"name": "cases"}, CASES[2]]
    counts = extract(tmp_path, f"{header}\n", 2, tried=1, columns=mended)
    assert counts == (6, 3, 3, 0)
