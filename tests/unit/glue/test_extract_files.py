"""Files as sources of the extract job: over HTTP and on S3, from the work order to the dataset."""

from __future__ import annotations

import gzip
import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import TablesFailedError
from penstock_job.layers import read_layers
from penstock_job.object_store import ObjectStore
from penstock_job.table_dataset import TableDataset, TableState
from tests.unit.glue.conftest import BUCKET, arguments, load_script
from tests.unit.glue.test_http_source import body, broken_chunks, server, status, with_validators

pytestmark = pytest.mark.usefixtures("aws")
SCRIPT = load_script("python_shell/extract_tables.py")
HTTP = {"name": "web", "type": "http_csv"}


class Extracts:
    """Runs the job again and again, and commits watermarks as Settle Job does."""

    def __init__(self, **arguments: str) -> None:
        self.s3: Any = boto3.client("s3")
        self.arguments = arguments
        self.watermarks: dict[str, Any] = {}
        self.runs = 0
        self.result: dict[str, Any] = {}

    def run(
        self, source: dict[str, Any], *tables: dict[str, Any], commit: bool = True, attempt: int = 1
    ) -> list[dict[str, Any]]:
        self.runs += attempt == 1
        job_id = f"2026112{self.runs}T050000Z-0"
        name = source["name"]
        order = {
            "source": source,
            "tables": [
                {
                    "target": f"extract/{name}/{table['table']}",
                    "watermark": self.watermarks.get(table["table"]),
                    **table,
                }
                for table in tables
            ],
        }
        key = f"runs/{job_id}/tables/files.json"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(order).encode())
        place = f"s3://{BUCKET}/runs/{job_id}/result-{attempt}.json"
        own = {"job_id": job_id, "result_path": place, "tables_path": f"s3://{BUCKET}/{key}"}
        argv = arguments("files", attempt, **own, **self.arguments)
        try:
            SCRIPT.main(argv)
        except TablesFailedError as error:
            self.failure = str(error)
        content = ObjectStore().read(place)
        assert content is not None
        self.result = json.loads(content)
        reports: list[dict[str, Any]] = self.result["tables"]
        for report in reports:
            if commit and report["outcome"] == "SUCCEEDED":
                self.watermarks[report["table"]] = report["watermark"]
        return reports

    def ok(self, source: dict[str, Any], table: dict[str, Any], **how: Any) -> dict[str, Any]:
        [report] = self.run(source, table, **how)
        assert report["outcome"] == "SUCCEEDED", report["error"]
        return report

    def error(self, source: dict[str, Any], table: dict[str, Any]) -> str:
        [report] = self.run(source, table)
        assert report["outcome"] == "FAILED"
        return str(report["error"])

    def state(self, source: str, table: str) -> TableState:
        return TableDataset(ObjectStore(), f"s3://{BUCKET}/data/extract/{source}/{table}").state()

    def rows(self, source: str, table: str, tmp_path: Path) -> list[tuple[Any, ...]]:
        """The rows of all layers."""
        files = [path for layer in self.state(source, table).layers for path in layer.files]
        local = ObjectStore().download(files, tmp_path / f"rows-{self.runs}")
        with duckdb.connect() as connection:
            found = connection.read_parquet([str(file) for file in local], union_by_name=True)
            return sorted(found.fetchall(), key=repr)

    def current(self, source: str, table: str, tmp_path: Path) -> list[tuple[Any, ...]]:
        """The rows as a job has them that takes the table in."""
        folder = tmp_path / f"current-{self.runs}"
        folder.mkdir()
        with closing(DuckDbEngine(folder, ObjectStore())) as engine:
            select = read_layers(engine, self.state(source, table), table, "input")
            return sorted(engine.connection.execute(select).fetchall())

    def rejects(self, report: dict[str, Any]) -> list[dict[str, Any]]:
        objects = ObjectStore().list(report["rejects"])
        lines = [line for each in objects for line in _read(each.path).splitlines()]
        return [json.loads(line) for line in lines]


def _read(path: str) -> bytes:
    found = ObjectStore().read(path)
    assert found is not None
    return found


@pytest.fixture
def extracts() -> Extracts:
    return Extracts()


def web(url: str) -> dict[str, Any]:
    return {**HTTP, "url": f"{url}/{{table}}.csv"}


def put(key: str, content: bytes) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)


def bucket(form: str) -> dict[str, Any]:
    return {"name": "lake", "type": "s3", "path": f"s3://{BUCKET}/in", "format": form}


def test_a_file_behind_http_becomes_a_dataset_and_its_broken_lines_rejects(
    extracts: Extracts, tmp_path: Path
) -> None:
    text = 'id;name;at\n1;"a;b";2026-01-02\n2\n3;c;yesterday\n\n4;;2026-01-03\n'
    table = {
        "table": "clicks",
        "csv": {"delimiter": ";"},
        "types": {"id": "integer", "at": "date"},
    }
    with server(body(text.encode("latin-1"))) as (url, seen):
        report = extracts.ok(web(url), table)

    assert seen == ["/clicks.csv"]
    assert [row[:2] for row in extracts.rows("web", "clicks", tmp_path)] == [(1, "a;b"), (4, None)]
    columns = extracts.state("web", "clicks").columns
    assert [(c.name, c.type) for c in columns] == [
        ("id", "integer"), ("name", "text"), ("at", "date")
    ]  # fmt: skip
    assert (report["rows"], report["rows_rejected"]) == (2, 2)
    where = f"{url}/clicks.csv"
    assert extracts.rejects(report) == [
        {
            "file": where,
            "line": 3,
            "reason": "1 value, but the header names 3",
            "text": "2",
            "whole": True,
        },
        {
            "file": where,
            "reason": "at is not a date",
            "record": {"id": "3", "name": "c", "at": "yesterday"},
        },
    ]
    counts = {"rows_read": 4, "rows_written": 2, "rows_rejected": 2, "rows_filtered": 0}
    assert counts.items() <= extracts.result.items()
    assert extracts.result["warnings"] == [
        f"clicks: 2 records rejected, kept in {report['rejects']}"
    ]


def test_a_file_that_has_not_changed_is_a_success_without_rows(extracts: Extracts) -> None:
    with server(with_validators(b"a,b\n1,2\n3\n")) as (url, seen):
        first = extracts.ok(web(url), {"table": "t"})
        assert "1 record rejected" in extracts.result["warnings"][0]
        again = extracts.ok(web(url), {"table": "t"})
        assert "warnings" not in extracts.result
        assert (first["unchanged"], first["rows"]) == (False, 1)
        assert (again["unchanged"], again["rows"], len(seen)) == (True, 0, 2)
        assert again["watermark"] == again["watermark_before"] == first["watermark"]

        typed = {"table": "t", "types": {"a": "integer"}, "drift": "accept"}
        report = extracts.ok(web(url), typed)
        assert (report["unchanged"], report["rows"]) == (False, 1)


def test_a_server_without_validators_is_seen_through_by_the_sha_256(extracts: Extracts) -> None:
    with server(body(b"a\n1\n"), body(b"a\n1\n"), body(b"a\n2\n")) as (url, _):
        reports = [extracts.ok(web(url), {"table": "t"}) for _ in range(3)]

    assert [report["unchanged"] for report in reports] == [False, True, False]


def test_what_is_published_decides_whether_a_file_has_changed(extracts: Extracts) -> None:
    with server(body(b"a\n1\n"), body(b"a\n2\n"), body(b"a\n1\n")) as (url, _):
        extracts.ok(web(url), {"table": "t"})
        extracts.ok(web(url), {"table": "t"}, commit=False)  # published; then its run died
        back = extracts.ok(web(url), {"table": "t"})

    assert back["unchanged"] is False


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (status(404), "answered 404 Not Found"),
        (body(b"<html>"), "there is no column id; the header names <html>"),
        (body(b"id\n1,2\n3,4\n"), "none of the 2 records can be read"),
        (body(b"id\n1\n2,3\n4\n"), "1 of 3 records were rejected (33.3%, at most 10.0% may be)"),
    ],
)
def test_a_file_that_is_not_the_one_that_was_meant_publishes_nothing(
    extracts: Extracts, answer: Any, problem: str
) -> None:
    with server(answer) as (url, _):
        table = {"table": "t", "columns": ["id"], "max_reject_ratio": 0.1}
        error = extracts.error(web(url), table)

    assert problem in error
    assert "/t.csv" in error or "_rejects/" in error
    assert not extracts.state("web", "t").layers


def test_a_server_that_breaks_off_fails_its_table_and_no_other(
    extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock_job.http_source.FIRST_PAUSE_SECONDS", 0)
    with server(*[broken_chunks] * 4, body(b"a\n1\n")) as (url, seen):
        bad, good = extracts.run(web(url), {"table": "bad"}, {"table": "good"})

    assert (bad["outcome"], good["outcome"], len(seen)) == ("FAILED", "SUCCEEDED", 5)
    assert "/bad.csv could not be read: IncompleteRead" in bad["error"]
    assert "1 of 2 tables failed: bad" in extracts.failure


def test_objects_of_a_folder_are_one_table_whatever_their_headers(
    extracts: Extracts, tmp_path: Path
) -> None:
    put("in/t/1.csv", b"a,b\n1,x\n")
    put("in/t/2.csv.gz", gzip.compress(b"c,a\nz,2\n"))
    report = extracts.ok(bucket("csv"), {"table": "t", "types": {"a": "integer"}})

    assert report["objects"] == 2
    assert extracts.rows("lake", "t", tmp_path) == [(1, "x", None), (2, None, "z")]
    assert extracts.ok(bucket("csv"), {"table": "t", "types": {"a": "integer"}})["unchanged"]

    put("in/t/1.csv", b"a,b\n7,x\n")
    extracts.ok(bucket("csv"), {"table": "t", "types": {"a": "integer"}})
    assert extracts.rows("lake", "t", tmp_path) == [(2, None, "z"), (7, "x", None)]


def test_files_without_a_header_are_told_their_columns(extracts: Extracts, tmp_path: Path) -> None:
    put("in/t.csv", b"1\tx\n2\ty\n")
    style = {"delimiter": "\t", "header": False}
    source = {**bucket("csv"), "path": f"s3://{BUCKET}/in/{{table}}.csv"}
    extracts.ok(source, {"table": "t", "csv": style, "columns": ["n", "s"]})

    assert extracts.rows("lake", "t", tmp_path) == [("1", "x"), ("2", "y")]


def test_an_increment_reads_each_object_once_and_objects_that_come_late_too(
    extracts: Extracts, tmp_path: Path
) -> None:
    table = {"table": "t", "mode": "incremental"}
    put("in/t/b.jsonl", b'{"a": 1.50}\n')
    assert extracts.ok(bucket("jsonl"), table)["rows"] == 1
    assert extracts.ok(bucket("jsonl"), table)["unchanged"]

    put("in/t/a.jsonl", b'{"a": 2, "n": {"x": [1.50]}}\nbroken\n')  # its name sorts before
    report = extracts.ok(bucket("jsonl"), table)
    assert (report["rows"], report["rows_rejected"], report["objects"]) == (1, 1, 1)
    put("in/t/c.jsonl", b'{"n": null}\n')  # lacks a column, which is not gone
    assert extracts.ok(bucket("jsonl"), table)["rows"] == 1
    assert extracts.rows("lake", "t", tmp_path) == [
        ("1.50", None), ("2", '{"x": [1.50]}'), (None, None)
    ]  # fmt: skip
    layers = extracts.state("lake", "t").layers
    assert [layer.is_whole for layer in layers] == [True, False, False]

    boto3.client("s3").delete_object(Bucket=BUCKET, Key="in/t/b.jsonl")
    assert extracts.ok(bucket("jsonl"), table)["unchanged"]


def test_increments_without_a_key_become_one_and_lose_no_row(
    extracts: Extracts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock_job.compaction.MOST_INCREMENTS", 2)
    table = {"table": "t", "mode": "incremental", "types": {"a": "integer"}}
    counts = []
    for number in range(1, 10):
        put(f"in/t/{number}.csv", b"a\n%d\n1\n" % number)  # the same row again and again
        assert extracts.ok(bucket("csv"), table)["rows"] == 2
        counts.append(len(extracts.state("lake", "t").layers))
        assert extracts.current("lake", "t", tmp_path) == sorted(
            [(each,) for each in range(1, number + 1)] + [(1,)] * number
        )
    # What was compacted before is not written again.
    assert counts == [1, 2, 3, 4, 3, 4, 5, 4, 5]
    assert extracts.ok(bucket("csv"), table)["unchanged"]


def test_an_increment_of_nothing_but_rejects_keeps_them_and_takes_nothing_away(
    extracts: Extracts, tmp_path: Path
) -> None:
    table = {"table": "t", "mode": "incremental", "types": {"a": "integer"}}
    put("in/t/1.csv", b"a\n1\n")
    extracts.ok(bucket("csv"), table)
    put("in/t/2.csv", b"a\nx\n")
    report = extracts.ok(bucket("csv"), table)

    assert (report["rows"], report["rows_rejected"]) == (0, 1)
    assert extracts.rows("lake", "t", tmp_path) == [(1,)]
    assert extracts.ok(bucket("csv"), table)["unchanged"]


def test_many_small_objects_make_few_files(
    extracts: Extracts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock_job.file_reading.ENOUGH_ROWS", 5)
    for number in range(12):
        put(f"in/t/{number:02d}.csv", b"a,b\n%d,x\n" % number if number % 2 else b"b\nx\n")
    report = extracts.ok(bucket("csv"), {"table": "t", "types": {"a": "integer"}})

    assert (report["rows"], report["objects"]) == (12, 12)
    assert len(extracts.state("lake", "t").layers[0].files) == 3
    found = [a for _, a in extracts.rows("lake", "t", tmp_path) if a is not None]
    assert sorted(found) == [1, 3, 5, 7, 9, 11]


def test_objects_that_were_published_by_a_run_that_died_are_not_read_again(
    extracts: Extracts, tmp_path: Path
) -> None:
    table = {"table": "t", "mode": "incremental"}
    put("in/t/1.csv", b"a\n1\n")
    extracts.ok(bucket("csv"), table)
    put("in/t/2.csv", b"a\n2\n")
    extracts.ok(bucket("csv"), table, commit=False)
    put("in/t/3.csv", b"a\n3\n")
    assert extracts.ok(bucket("csv"), table)["rows"] == 1

    assert extracts.rows("lake", "t", tmp_path) == [("1",), ("2",), ("3",)]


def test_of_two_increments_side_by_side_the_second_stands_back(
    extracts: Extracts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"table": "t", "mode": "incremental"}
    put("in/t/1.csv", b"a\n1\n")
    extracts.ok(bucket("csv"), table)
    put("in/t/2.csv", b"a\n2\n")
    publish = TableDataset.publish
    rivals = [Extracts()]
    rivals[0].runs, rivals[0].watermarks = 7, dict(extracts.watermarks)

    def after_a_rival(*given: Any) -> Any:
        if rivals:
            rivals.pop().ok(bucket("csv"), table)
        return publish(*given)

    monkeypatch.setattr(TableDataset, "publish", after_a_rival)
    assert "StaleAttemptError" in extracts.error(bucket("csv"), table)

    assert extracts.rows("lake", "t", tmp_path) == [("1",), ("2",)]
    assert extracts.ok(bucket("csv"), table)["unchanged"]


def test_an_attempt_after_one_that_published_changes_nothing(
    extracts: Extracts, tmp_path: Path
) -> None:
    table = {"table": "t", "mode": "incremental"}
    put("in/t/1.csv", b"a\n1\n")
    first = extracts.ok(bucket("csv"), table, commit=False)
    second = extracts.ok(bucket("csv"), table, attempt=2)

    assert second["watermark"] == first["watermark"]
    assert extracts.rows("lake", "t", tmp_path) == [("1",)]


def test_an_increment_begins_anew_where_files_are_read_in_another_way(
    extracts: Extracts, tmp_path: Path
) -> None:
    put("in/t/1.csv", b"a\n1\n")
    extracts.ok(bucket("csv"), {"table": "t", "mode": "incremental"})
    put("in/t/2.csv", b"a\n2\n")
    typed = {"table": "t", "mode": "incremental", "types": {"a": "integer"}, "drift": "accept"}
    assert extracts.ok(bucket("csv"), typed)["rows"] == 2

    assert extracts.rows("lake", "t", tmp_path) == [(1,), (2,)]


def test_an_increment_after_a_full_extract_reads_everything_once(
    extracts: Extracts, tmp_path: Path
) -> None:
    put("in/t/1.csv", b"a\n1\n")
    extracts.ok(bucket("csv"), {"table": "t"})
    extracts.ok(bucket("csv"), {"table": "t", "mode": "incremental"})
    put("in/t/2.csv", b"a\n2\n")
    extracts.ok(bucket("csv"), {"table": "t", "mode": "incremental"})

    assert extracts.rows("lake", "t", tmp_path) == [("1",), ("2",)]


def parquet(select: str, tmp_path: Path) -> bytes:
    file = tmp_path / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    return file.read_bytes()


def test_parquet_keeps_types_and_values_without_loss(extracts: Extracts, tmp_path: Path) -> None:
    first = parquet(
        "SELECT 1::TINYINT AS i, 18446744073709551615::UBIGINT AS u, 1.5::DECIMAL(38,9) AS d, "
        "'a\nb😷' AS t, ''::VARCHAR AS e, 'x'::BLOB AS b, "
        "TIMESTAMPTZ '2026-01-02 03:04:05+00' AS z, "
        "TIMESTAMP '2026-01-02 03:04:05.123456' AS ts, DATE '2026-01-02' AS day, "
        "{'x': [1, 2]} AS s, TIME '03:04:05' AS tm",
        tmp_path,
    )
    second = parquet("SELECT 2::BIGINT AS i, NULL::VARCHAR AS t, TRUE AS extra", tmp_path)
    put("in/t/1.parquet", first)
    put("in/t/2.parquet", second)
    extracts.ok(bucket("parquet"), {"table": "t"})

    columns = {c.name: c.type for c in extracts.state("lake", "t").columns}
    assert columns == {
        "i": "integer", "u": "decimal(20,0)", "d": "decimal(38,9)", "t": "text", "e": "text",
        "b": "binary", "z": "timestamp", "ts": "timestamp", "day": "date", "s": "text",
        "tm": "text", "extra": "boolean",
    }  # fmt: skip
    [file] = extracts.state("lake", "t").layers[0].files
    local = ObjectStore().download([file], tmp_path / "local")[0]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        shown = connection.execute(
            f"SELECT i, u::VARCHAR, d::VARCHAR, t, e, b, z::VARCHAR, typeof(z), ts::VARCHAR, "
            f"day::VARCHAR, s, tm FROM read_parquet('{local}') WHERE i = 1"
        ).fetchone()
    assert shown == (
        1, "18446744073709551615", "1.500000000", "a\nb😷", "", b"x", "2026-01-02 03:04:05+00",
        "TIMESTAMP WITH TIME ZONE", "2026-01-02 03:04:05.123456", "2026-01-02", '{"x":[1,2]}',
        "03:04:05",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("selects", "problem"),
    [
        (["SELECT TIMESTAMP_NS '2026-01-01 00:00:00.000000001' AS n"], "parts of a microsecond"),
        (
            [
                "SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' AS n",
                "SELECT TIMESTAMP '2026-01-01' AS n",
            ],
            "column n is timestamp, and timestamp with time zone in another file",
        ),
        (["SELECT 1 AS other"], "1.parquet has no column n"),
    ],
)
def test_parquet_that_would_lose_something_is_refused(
    extracts: Extracts, tmp_path: Path, selects: list[str], problem: str
) -> None:
    for number, select in enumerate(selects, 1):
        put(f"in/t/{number}.parquet", parquet(select, tmp_path))

    assert problem in extracts.error(bucket("parquet"), {"table": "t", "columns": ["n"]})


@pytest.mark.parametrize(
    ("content", "form", "problem"),
    [
        (b"no parquet", "parquet", "in/t/1.x is no Parquet file"),
        (gzip.compress(b"a\n1\n", mtime=0)[:-3], "csv", "in/t/1.x: the compressed file is damaged"),
        (b"a,A\n1,2\n", "csv", "in/t/1.x: the header does not name column"),
        (b'{"a": 1, "A": 2}\n', "jsonl", "in/t/1.x: 'a' and 'A' are one name"),
        (None, "csv", f"there is nothing at s3://{BUCKET}/in/t"),
    ],
)
def test_an_object_that_cannot_be_read_is_named(
    extracts: Extracts, content: bytes | None, form: str, problem: str
) -> None:
    if content is not None:
        put("in/t/1.x", content)

    assert problem in extracts.error(bucket(form), {"table": "t"})


def test_a_large_body_is_never_held_whole(extracts: Extracts) -> None:
    lines = io.BytesIO()
    lines.writelines(b"%d,%s\n" % (number, b"x" * 50) for number in range(100_000))
    put("in/t.csv", gzip.compress(b"n,s\n" + lines.getvalue(), 1))
    source = {**bucket("csv"), "path": f"s3://{BUCKET}/in/{{table}}.csv"}

    report = extracts.ok(source, {"table": "t", "types": {"n": "integer"}})
    assert report["rows"] == 100_000
