"""COPY reads S3 in the name of its role and loads, or refuses, what Redshift would."""

from __future__ import annotations

import bz2
import gzip
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.local.redshift.data_api import ACCOUNT, REGION, Database, Platform

from penstock.domain.figures import Figures
from penstock.domain.job_record import JobRecord
from penstock.domain.outcome import Outcome
from penstock.domain.redshift import Redshift
from penstock.domain.run_log import run_log
from penstock.domain.run_record import RunRecord

BUCKET = "copy-data"
S3_ACTIONS = ["s3:GetObject", "s3:ListBucket"]
RESOURCES = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
TABLE = "create table t (id int, name varchar(5), day date, price decimal(6, 2), ok boolean)"

Put = Callable[[str, bytes], str]


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    client = platform.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture(scope="module")
def role(platform: Platform, s3: Any) -> str:
    statement = {"Action": S3_ACTIONS, "Resource": RESOURCES}
    return platform.role("copy-role", [statement], "redshift.amazonaws.com")


@pytest.fixture
def put(s3: Any) -> Put:
    """Puts an object under a prefix of the test's own and returns that prefix."""
    prefix = f"{uuid.uuid4().hex[:8]}/"

    def put_object(name: str, body: bytes) -> str:
        s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=body)
        return f"s3://{BUCKET}/{prefix}"

    return put_object


@pytest.fixture
def copy(database: Database, role: str) -> Callable[..., dict[str, Any]]:
    def run(table: str, url: str, options: str) -> dict[str, Any]:
        return database.run(f"copy {table} from '{url}' iam_role '{role}' {options}")

    return run


Copy = Callable[..., dict[str, Any]]


def test_csv_files_of_a_prefix_are_loaded(database: Database, put: Put, copy: Copy) -> None:
    database.ok(TABLE)
    put("a.csv", b'id,name,day,price,ok\n1,"a,""b",2024-01-02,1.239,t\n2,,,,false\n')
    url = put("b.csv", b"header\r\n3,\\N,2024-02-02,7,yes\r\n")
    described = copy("t", url, "csv ignoreheader 1")
    assert (described["Status"], described["ResultRows"]) == ("FINISHED", 3)
    assert database.rows("select * from t order by id") == [
        (1, 'a,"b', "2024-01-02", "1.23", True),
        (2, "", None, None, False),
        (3, None, "2024-02-02", "7.00", True),
    ]


def test_the_file_of_a_long_run_log_is_copied_with_every_type_in_its_place(
    database: Database, put: Put, role: str
) -> None:
    shown = "job_name, started_at, seconds, rows_read, error"
    failed = replace(
        JobRecord("j", "bad", "lambda", "c", "2026-11-21", Outcome.FAILED, error="E"),
        started_at="2026-11-21T05:00:10.500Z",
        ended_at="2026-11-21T05:00:12.000Z",
        figures=Figures(rows_read=7),
    )
    good = [
        JobRecord("j", f"good{n:04}", "lambda", "c", "2026-11-21", Outcome.SUCCEEDED)
        for n in range(1_000)
    ]
    redshift = Redshift("w", "", "dev", "", role)
    log = run_log(redshift, "dev", "b", [(RunRecord("j"), [failed, *good])])
    url = put("job_log.txt", log.content)
    for sql in (
        *log.statement["Sqls"][:3],
        log.statement["Sqls"][-1].replace(f"s3://b/{log.key}", url),
    ):
        database.ok(sql)
    assert database.rows("select count(*) from etl.job_log") == [(1_001,)]
    assert database.rows(
        f"select {shown} from etl.job_log where job_name in ('bad', 'good0999')"
    ) == [
        ("bad", "2026-11-21 05:00:10.5", 1.5, 7, "E"),
        ("good0999", None, None, None, None),
    ]


def test_the_options_for_text_have_their_effect(database: Database, put: Put, copy: Copy) -> None:
    database.ok("create table t (a varchar(3), b varchar(9), c decimal(5, 1), d date, e timestamp)")
    url = put("a.txt", b"abcdef;  ;1.26;02/03/2024;1700000000\n\nNA;;1;;\n")
    described = copy(
        "t",
        url,
        "delimiter ';' null as 'NA' truncatecolumns blanksasnull emptyasnull roundec "
        "ignoreblanklines dateformat 'DD/MM/YYYY' timeformat 'epochsecs' compupdate off",
    )
    assert described["Status"] == "FINISHED", described.get("Error")
    assert database.rows("select * from t order by c desc") == [
        ("abc", None, "1.3", "2024-03-02", "2023-11-14 22:13:20.0"),
        (None, None, "1.0", None, None),
    ]


@pytest.mark.parametrize(
    ("body", "options", "rows"),
    [
        (b"1\n", "fillrecord", [(1, None)]),
        (b"1|'a'\n2|\"b\"\n", "removequotes", [(1, "a"), (2, "b")]),
        (b"1|a  \n", "trimblanks", [(1, "a")]),
        (b"1|a\n", "noload", []),
        (b"1~a~\n", "csv quote as '%' delimiter as '~' fillrecord", []),
        (b"1,%a,b%\n", "csv quote '%'", [(1, "a,b")]),
        (b"1\x01a\n", "delimiter '\\001'", [(1, "a")]),
        ("1|é\n".encode("utf-16"), "encoding utf16", [(1, "é")]),
    ],
)
def test_lines_are_split_and_cleaned_as_the_options_say(
    database: Database, put: Put, copy: Copy, body: bytes, options: str, rows: list[Any]
) -> None:
    database.ok("create table t (a int, b varchar(9))")
    described = copy("t", put("a", body), options)
    assert database.rows("select * from t order by a") == rows, described.get("Error")


def test_credentials_may_be_written_in_the_old_way(database: Database, put: Put, role: str) -> None:
    database.ok("create table t (a int)")
    database.ok(f"copy t from '{put('a', b'1')}' credentials 'aws_iam_role={role}' region 'x-y-1'")
    wrong = f"copy t from '{put('a', b'1')}' credentials 'aws_access_key_id=a'"
    assert "COPY with access keys" in database.error(wrong)


def test_dates_are_recognised_automatically_on_request(
    database: Database, put: Put, copy: Copy
) -> None:
    database.ok("create table t (d date, ts timestamp)")
    url = put("a", b"20240102|2024-01-02T03:04:05\n01/02/2024|01/02/2024 03:04:05\n")
    assert copy("t", url, "")["Status"] == "FAILED"
    assert copy("t", url, "dateformat 'auto' timeformat as 'auto'")["ResultRows"] == 2
    assert set(database.rows("select * from t")) == {("2024-01-02", "2024-01-02 03:04:05.0")}


@pytest.mark.parametrize(("option", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
def test_compressed_files_are_loaded(
    database: Database, put: Put, copy: Copy, option: str, pack: Callable[[bytes], bytes]
) -> None:
    database.ok("create table t (a int, b int)")
    assert copy("t", put("a", pack(b"1|2\n3|4\n")), option)["ResultRows"] == 2


def test_a_column_list_loads_these_columns_and_defaults_fill_the_rest(
    database: Database, put: Put, copy: Copy
) -> None:
    database.ok("create table t (id int identity(1, 1), a int default 9, b varchar(3))")
    assert copy("t (b)", put("a", b"x\ny\n"), "")["ResultRows"] == 2
    assert copy("t", put("a", b"5|z\n"), "")["ResultRows"] == 1
    assert database.rows("select * from t order by id") == [(1, 9, "x"), (2, 9, "y"), (3, 5, "z")]
    wrong = copy("t (id, b)", put("a", b"7|q\n"), "")
    assert "EXPLICIT_IDS must be specified" in wrong["Error"]
    assert copy("t (id, b)", put("a", b"7|q\n"), "explicit_ids")["Status"] == "FINISHED"
    assert database.value("select max(id) from t") == 7


BAD = b"""x,a,2024-01-02,1,t
2,toolong,2024-01-02,1,t
3,a,someday,1,t
4,a,2024-01-02,1
5,a,2024-01-02,1,t,more
6,a,2024-01-02,1,maybe
7,a,2024-01-02,1,t
"""


def test_a_bad_row_fails_the_load_and_is_explained(
    database: Database, put: Put, copy: Copy
) -> None:
    database.ok(TABLE)
    described = copy("t", put("a.csv", BAD), "csv")
    assert described["Error"] == (
        "ERROR: Load into table 't' failed. Check 'sys_load_error_detail' system table for details."
    )
    assert database.value("select count(*) from t") == 0
    errors = database.rows(
        "select line_number, column_name, error_value, error_code, error_message "
        "from sys_load_error_detail order by line_number"
    )
    assert errors == [
        (1, "id", "x", 1207, "Invalid digit, Type: integer"),
        (2, "name", "toolong", 1204, "String length exceeds DDL length"),
        (3, "day", "someday", 1205, "Invalid Date Format - length must be 10 or more"),
        (4, "", "", 1203, "Delimiter not found"),
        (5, "", "", 1202, "Extra column(s) found"),
        (6, "ok", "maybe", 1210, "Unknown boolean format"),
    ]
    assert database.value("select count(*) from stl_load_errors where err_code = 1204") == 1


def test_maxerror_tolerates_fewer_errors_than_its_number(
    database: Database, put: Put, copy: Copy
) -> None:
    database.ok(TABLE)
    url = put("a.csv", BAD)
    assert copy("t", url, "csv maxerror 6")["Status"] == "FAILED"
    assert copy("t", url, "csv maxerror 7")["ResultRows"] == 1
    assert database.rows("select id from t") == [(7,)]


def test_a_column_that_is_not_null_gets_no_null(database: Database, put: Put, copy: Copy) -> None:
    database.ok("create table t (a int not null)")
    assert copy("t", put("a", b"\\N\n"), "")["Status"] == "FAILED"
    rows = database.rows("select error_code, error_message from sys_load_error_detail")
    assert rows == [(1213, "Missing data for not-null field")]


def test_a_failed_copy_in_a_batch_undoes_the_batch(database: Database, put: Put, role: str) -> None:
    database.ok("create table t (a int)")
    url = put("a", b"x\n")
    error = database.error("insert into t values (1)", f"copy t from '{url}' iam_role '{role}'")
    assert error.startswith("Query #2 failed with ERROR: Load into table 't' failed")
    assert database.value("select count(*) from t") == 0
    assert database.value("select count(*) from sys_load_error_detail") == 1


def test_json_objects_are_matched_by_name(database: Database, put: Put, copy: Copy) -> None:
    database.ok("create table t (id int, name varchar(5), extra super)")
    url = put("a.json", b'{"id": 1, "name": "a", "extra": {"k": [1]}}\n{"id": 2, "NAME": "b"}\n')
    assert copy("t", url, "json 'auto'")["ResultRows"] == 2
    assert database.rows("select id, name, extra.k[0] from t order by id") == [
        (1, "a", "1"),
        (2, None, None),
    ]
    database.ok("truncate t")
    assert copy("t", url, "format as json 'auto ignorecase'")["ResultRows"] == 2
    assert database.value("select name from t where id = 2") == "b"


def test_json_paths_and_whole_documents_are_loaded(
    database: Database, put: Put, copy: Copy
) -> None:
    database.ok("create table t (k int, first varchar(5))", "create table whole (doc super)")
    paths = put("paths/p.json", json.dumps({"jsonpaths": ["$['a']['k']", "$.list[0]"]}).encode())
    url = put("data/a.json", b'{"a": {"k": 7}, "list": ["x", "y"]}') + "data/"
    assert copy("t", url, f"json '{paths}paths/p.json'")["ResultRows"] == 1
    assert database.rows("select * from t") == [(7, "x")]
    assert copy("whole", url, "json 'noshred'")["ResultRows"] == 1
    assert database.value("select doc.a.k from whole") == "7"


def test_broken_json_fails_the_load(database: Database, put: Put, copy: Copy) -> None:
    database.ok("create table t (a int)")
    assert "Load into table 't' failed" in copy("t", put("a", b'{"a": 1'), "json 'auto'")["Error"]


@pytest.fixture
def parquet(put: Put, tmp_path: Path) -> Callable[[str], str]:
    """Puts the result of a query as a Parquet file."""

    def write(query: str) -> str:
        file = tmp_path / "a.parquet"
        duckdb.execute(f"copy ({query}) to '{file}' (format parquet)")
        return put("a.parquet", file.read_bytes())

    return write


Parquet = Callable[[str], str]


def test_parquet_is_loaded_by_position(database: Database, parquet: Parquet, copy: Copy) -> None:
    database.ok("create table t (id int, name varchar(5), day date, big bigint, at timestamp)")
    url = parquet(
        "select 1::int as x, 'a' as y, date '2024-01-02' as z, 5::int as w, "
        "timestamp '2024-01-02 03:04:05' as v"
    )
    assert copy("t", url, "format as parquet")["ResultRows"] == 1
    assert database.rows("select * from t") == [(1, "a", "2024-01-02", 5, "2024-01-02 03:04:05.0")]


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("select 1::int", "", "Unmatched number of columns between table and file. Table columns"),
        ("select 1::bigint, 'a'", "", "incompatible Parquet schema for column 'id'"),
        ("select 1.5::double, 'a'", "", "incompatible Parquet schema for column 'id'"),
        ("select 1::int, 5::int", "", "incompatible Parquet schema for column 'name'"),
        ("select 1::int, 'toolong'", "", "Table: 5, Data: 7"),
        ("select 1::int, 'a'", "maxerror 5", "MAXERROR argument is not supported for PARQUET"),
        ("select 1::int, 'a'", "delimiter ','", "DELIMITER argument is not supported for PARQUET"),
    ],
)
def test_parquet_that_redshift_would_refuse_is_refused(
    database: Database, parquet: Parquet, copy: Copy, query: str, options: str, message: str
) -> None:
    database.ok("create table t (id int, name varchar(5))")
    assert message in copy("t", parquet(query), f"parquet {options}")["Error"]
    assert database.value("select count(*) from t") == 0


def test_nested_parquet_goes_into_super(database: Database, parquet: Parquet, copy: Copy) -> None:
    database.ok("create table t (a super)")
    url = parquet("select {'k': [1, 2]} as a")
    assert "incompatible" in copy("t", url, "parquet")["Error"]
    assert copy("t", url, "parquet serializetojson")["ResultRows"] == 1
    assert database.value("select a.k[1] from t") == "2"


def test_a_manifest_names_the_files(
    database: Database, put: Put, copy: Copy, parquet: Parquet, s3: Any
) -> None:
    database.ok("create table t (a int)")
    url = parquet("select 1::int")
    key = url.removeprefix(f"s3://{BUCKET}/") + "a.parquet"
    size = s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"]

    def manifest(*entries: dict[str, Any]) -> str:
        return put("manifest", json.dumps({"entries": entries}).encode()) + "manifest"

    there = {"url": f"{url}a.parquet", "mandatory": True, "meta": {"content_length": size}}
    missing = {"url": f"{url}none", "mandatory": False}
    assert copy("t", manifest(there, missing), "parquet manifest")["ResultRows"] == 1
    without = manifest({"url": f"{url}a.parquet"})
    assert "no meta.content_length" in copy("t", without, "parquet manifest")["Error"]
    wrong = manifest({"url": f"{url}a.parquet", "meta": {"content_length": 1}})
    assert "says 1 bytes" in copy("t", wrong, "parquet manifest")["Error"]
    gone = manifest({"url": f"{url}none", "mandatory": True})
    assert "Mandatory url is not present" in copy("t", gone, "parquet manifest")["Error"]


def test_the_role_must_exist_trust_redshift_and_be_allowed(
    platform: Platform, database: Database, put: Put
) -> None:
    database.ok("create table t (a int)")
    url = put("a", b"1\n")
    user = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:dbuser:analytics/IAM:RootIdentity"

    def error(role: str) -> str:
        return database.error(f"copy t from '{url}' iam_role '{role}'")

    unknown = f"arn:aws:iam::{ACCOUNT}:role/unknown"
    assert error(unknown) == f"ERROR: User {user} is not authorized to assume IAM Role {unknown}"
    allowed = {"Action": S3_ACTIONS, "Resource": RESOURCES}
    glue = platform.role(f"glue-{uuid.uuid4().hex[:6]}", [allowed], "glue.amazonaws.com")
    assert "is not authorized to assume IAM Role" in error(glue)
    queues = {"Action": "sqs:ListQueues", "Resource": "*"}
    empty = platform.role(f"empty-{uuid.uuid4().hex[:6]}", [queues], "redshift.amazonaws.com")
    denied = error(empty)
    assert "S3ServiceException" in denied
    assert "Status 403,Error AccessDenied" in denied


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("copy t from 's3://b/k' csv", "COPY needs authorization"),
        ("copy t from 's3://b/k' iam_role default csv", "IAM_ROLE default"),
        ("copy t from 's3://b/k' iam_role 'x' csv", "must be the ARN of a role"),
        ("copy t from 'emr://j/k' iam_role '{role}'", "COPY from anything but S3"),
        ("copy t from 's3://b/k' iam_role '{role}' fixedwidth 'a:1'", "COPY with FIXEDWIDTH"),
        ("copy t from 's3://b/k' iam_role '{role}' format avro 'auto'", "COPY with FORMAT AVRO"),
        ("copy t from 's3://b/k' iam_role '{role}' nonsense", 'syntax error at or near "nonsense"'),
        ("copy t from 's3://b/k' access_key_id 'a'", "COPY with ACCESS_KEY_ID"),
        ("copy nope from 's3://b/k' iam_role '{role}' csv", 'relation "nope" does not exist'),
        ("copy t (b) from 's3://b/k' iam_role '{role}' csv", 'column "b" of relation "t"'),
    ],
)
def test_copy_refuses_what_it_cannot_do(
    database: Database, role: str, statement: str, message: str
) -> None:
    database.ok("create table t (a int)")
    assert message in database.error(statement.format(role=role))


def test_a_prefix_without_objects_is_an_error(database: Database, copy: Copy, put: Put) -> None:
    database.ok("create table t (a int)")
    put("a", b"1\n")
    error = copy("t", f"s3://{BUCKET}/nothing-here", "")["Error"]
    assert error == "ERROR: The specified S3 prefix 'nothing-here' does not exist"
