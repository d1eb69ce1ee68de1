"""The extract, from a web server to what it publishes on S3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from penstock_job.contract import Result
from penstock_job.errors import ArgumentsError, RuleViolatedError, SourceError
from tests.unit.glue.conftest import BUCKET, JOB_ID, LOGICAL_DATE, arguments, load_script
from tests.unit.glue.kept import kept

from penstock_cli.sample_sources import serve

pytestmark = pytest.mark.usefixtures("aws")
SCRIPT = load_script("python_shell/extract.py")
JOB = f"data/Daily_Covid/extract_us_cases/job_id={JOB_ID}/attempt=1"
MANIFEST = f"data/Daily_Covid/extract_us_cases/logical_date={LOGICAL_DATE}/manifest.json"
RESULT = f"runs/{JOB_ID}/jobs/extract_us_cases/1/result.json"


def extract(folder: Path, content: str | bytes, **own: Any) -> Result:
    body = content.encode() if isinstance(content, str) else content
    (folder / "us.csv").write_bytes(body)
    with serve(folder) as url:
        argv = arguments("extract_us_cases", source_url=f"{url}/us.csv", **own)
        result: Result = SCRIPT.main(argv)
        return result


ATTEMPT = f"job_id={JOB_ID}/attempt=1"


def read_json(key: str) -> Any:
    return json.loads(boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def keys(prefix: str = "data/") -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [entry["Key"] for entry in listed.get("Contents", [])]


def rows(tmp_path: Path) -> list[tuple[Any, ...]]:
    file = tmp_path / "part.parquet"
    boto3.client("s3").download_file(BUCKET, f"{JOB}/part-00000.parquet", str(file))
    with duckdb.connect() as connection:
        return connection.read_parquet(str(file)).fetchall()


def rejects() -> list[dict[str, Any]]:
    return kept(f"s3://{BUCKET}/data/Daily_Covid/extract_us_cases/_rejects/{ATTEMPT}")


def test_a_file_becomes_parquet_a_manifest_and_a_result(tmp_path: Path) -> None:
    text = 'date,note,cases\n2020-01-21,"Zürich, ""two\nlines"" 😷",1\n2020-01-22,"",\n2020-01-23\n'

    result = extract(tmp_path, text, columns=["cases", "note"])

    assert rows(tmp_path) == [("1", 'Zürich, "two\nlines" 😷'), (None, "")]
    (reject,) = rejects()
    assert (reject["line"], reject["record"]) == (5, "2020-01-23")
    assert (reject["rule"], reject["reason"]) == ("malformed", "1 value, but the header names 3")
    assert reject["source"].endswith("/us.csv")
    assert json.loads(reject["header"]) == ["date", "note", "cases"]
    assert (reject["attempt"], reject["first_job_id"], reject["job_id"]) == (1, JOB_ID, JOB_ID)
    manifest = read_json(MANIFEST)
    assert manifest["files"] == [f"s3://{BUCKET}/{JOB}/part-00000.parquet"]
    assert manifest["columns"] == [
        {"name": "cases", "type": "text"},
        {"name": "note", "type": "text"},
    ]
    assert (manifest["rows"], manifest["job_id"], manifest["attempt"]) == (2, JOB_ID, 1)
    assert manifest["source"]["bytes"] == len(text.encode())
    assert len(manifest["source"]["sha256"]) == 64
    counts = {"rows_read": 3, "rows_written": 2, "rows_rejected": 1, "rows_filtered": 0}
    assert counts.items() <= read_json(RESULT).items()
    assert [output["rows"] for output in read_json(RESULT)["outputs"]] == [2]
    assert read_json(RESULT)["rejects"] == {
        "path": f"s3://{BUCKET}/data/Daily_Covid/extract_us_cases/_rejects/{ATTEMPT}",
        "rows": 1,
        "by_rule": {"malformed": 1},
        "resting": 0,
    }
    assert read_json(RESULT)["bytes"] == result.bytes > 0


def test_types_rules_and_a_filter_may_be_declared_for_an_extract(tmp_path: Path) -> None:
    result = extract(
        tmp_path,
        "day;n;state\n21.01.2020;1,5;US\n22.01.2020;2;US\n31.02.2020;3;US\n22.01.2020;4;CA\n1;2\n",
        delimiter=";",
        columns=[
            {"name": "date", "from": "day", "type": "date", "format": "dd.MM.yyyy"},
            {"name": "n", "type": "integer"},
            {"name": "state"},
        ],
        filter="state = 'US'",
    )

    assert [row[1:] for row in rows(tmp_path)] == [(2, "US")]
    assert (result.rows_read, result.rows_written) == (5, 1)
    assert (result.rows_rejected, result.rows_filtered) == (3, 1)
    assert sorted(reject["reason"] for reject in rejects()) == [
        "2 values, but the header names 3",
        "date is not a date",
        "n is not a whole number of at most 64 bits",
    ]


def test_columns_are_found_by_name_whatever_else_the_source_has(tmp_path: Path) -> None:
    extract(tmp_path, "new,CASES,date,cases\nx,9,d,1\n", columns=["date", "cases"])

    assert rows(tmp_path) == [("d", "1")]


@pytest.mark.parametrize(
    ("content", "own", "text"),
    [
        ("date,deaths\n1,2\n", {}, "there is no column cases; the header names date, deaths"),
        ("<html>sorry</html>\n", {}, "there is no column date, cases"),
        ("", {}, "the file is empty"),
        ("date,cases,cases\n1,2,3\n", {}, "does not name column 'cases' once"),
    ],
)
def test_a_file_that_is_not_the_expected_one_is_refused_with_its_address(
    tmp_path: Path, content: str, own: dict[str, Any], text: str
) -> None:
    with pytest.raises(SourceError) as refused:
        extract(tmp_path, content, columns=["date", "cases"], **own)

    assert text in str(refused.value)
    assert "/us.csv: " in str(refused.value)
    assert keys() == []


def test_a_source_that_is_gone_fails_with_its_address_and_status(tmp_path: Path) -> None:
    with serve(tmp_path) as url, pytest.raises(SourceError) as refused:
        SCRIPT.main(arguments("extract_us_cases", source_url=f"{url}/us.csv"))

    assert str(refused.value) == f"{url}/us.csv answered 404 Not Found"
    assert keys("") == []


def test_too_many_rejects_fail_the_job_and_leave_them_to_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(RuleViolatedError) as failed:
        extract(tmp_path, "a,b\n1,2\n1\n1\nx,2\n", columns=[{"name": "a", "type": "integer"}, "b"],
                max_reject_ratio="0.5")  # fmt: skip

    assert str(failed.value) == (
        "3 of 4 records were rejected (75.0%, at most 50.0% may be): "
        "malformed (2), a is not a whole number of at most 64 bits (1)"
    )
    assert len(rejects()) == 3
    assert MANIFEST not in keys()
    assert keys("runs/") == []


def test_a_header_without_records_is_an_empty_dataset(tmp_path: Path) -> None:
    result = extract(tmp_path, "date,cases\n")

    assert (result.rows_read, result.rows_written) == (0, 0)
    assert read_json(MANIFEST)["rows"] == 0


def test_a_delimiter_is_one_character(tmp_path: Path) -> None:
    with pytest.raises(ArgumentsError, match="one character"):
        extract(tmp_path, "a\n", delimiter="||")


def test_ten_thousand_awkward_records_are_all_accounted_for(tmp_path: Path) -> None:
    awkward = ["1,a", '2,"a\nb"', "3", '4,"', "5,é", "", '6,"x"y', "7,z,z", '8,"a""b"']

    result = extract(tmp_path, "n,text\n" + "\n".join(awkward * 2000) + "\n")

    assert result.rows_read == 16000
    assert result.rows_written + result.rows_rejected == 16000
    assert len(rows(tmp_path)) == result.rows_written == 8000
