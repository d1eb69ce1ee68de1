"""UNLOAD writes files to S3 under Redshift's names, and COPY reads them back."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path

import duckdb
import pytest
from tests.local.redshift.data_api import REGION, Database, Platform

BUCKET = "unload-data"
RESOURCES = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
ACTIONS = ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"]


class Target:
    """A prefix of the test's own."""

    def __init__(self, platform: Platform, role: str) -> None:
        self._s3 = platform.client("s3")
        self.prefix = f"{uuid.uuid4().hex[:8]}/out_"
        self.url = f"s3://{BUCKET}/{self.prefix}"
        self.role = role

    def statement(self, query: str, options: str) -> str:
        quoted = query.replace("'", "''")
        return f"unload ('{quoted}') to '{self.url}' iam_role '{self.role}' {options}"

    def files(self) -> dict[str, bytes]:
        listed = self._s3.list_objects_v2(Bucket=BUCKET, Prefix=self.prefix.rpartition("/")[0])
        return {
            item["Key"].partition("/")[2]: self._s3.get_object(Bucket=BUCKET, Key=item["Key"])[
                "Body"
            ].read()
            for item in listed.get("Contents", [])
        }


@pytest.fixture(scope="module")
def role(platform: Platform) -> str:
    configuration = {"LocationConstraint": REGION}
    platform.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=configuration)
    statement = {"Action": ACTIONS, "Resource": RESOURCES}
    return platform.role("unload-role", [statement], "redshift.amazonaws.com")


@pytest.fixture
def target(platform: Platform, role: str) -> Target:
    return Target(platform, role)


ROWS = """
(select 1 as id, 'a,b' as name, true as ok, 1.50::decimal(5, 2) as price
union all select 2, null, false, null) as t
"""


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ("", {"out_0000_part_00": b"1|a,b|t|1.50\n2||f|\n"}),
        ("csv", {"out_0000_part_00": b'1,"a,b",t,1.50\n2,,f,\n'}),
        (
            "csv header parallel off",
            {"out_000": b'id,name,ok,price\n1,"a,b",t,1.50\n2,,f,\n'},
        ),
        (
            "delimiter ',' addquotes null as 'NULL'",
            {"out_0000_part_00": b'"1","a,b","t","1.50"\n"2",NULL,"f",NULL\n'},
        ),
        ("csv extension 'csv'", {"out_0000_part_00.csv": b'1,"a,b",t,1.50\n2,,f,\n'}),
        (
            "json",
            {
                "out_0000_part_00.json": b'{"id":1,"name":"a,b","ok":"t","price":1.5}\n'
                b'{"id":2,"name":null,"ok":"f","price":null}\n'
            },
        ),
    ],
)
def test_text_files_look_as_redshift_writes_them(
    database: Database, target: Target, options: str, files: dict[str, bytes]
) -> None:
    described = database.ok(target.statement(f"select * from {ROWS} order by id", options))
    assert described["ResultRows"] == 2
    assert not described["HasResultSet"]
    assert target.files() == files


def test_gzip_files_are_compressed(database: Database, target: Target) -> None:
    database.ok(target.statement("select 1, 2", "gzip"))
    assert gzip.decompress(target.files()["out_0000_part_00.gz"]) == b"1|2\n"


def test_parquet_files_keep_types(database: Database, target: Target, tmp_path: Path) -> None:
    query = (
        "select 1::smallint as a, 'x'::varchar(3) as b, date '2024-01-02' as c, "
        "1.5::decimal(5, 2) as d, sum(1) as e, json_parse('{\"k\": 1}') as f, sysdate as g"
    )
    database.ok(target.statement(query, "format as parquet"))
    file = tmp_path / "f.parquet"
    file.write_bytes(target.files()["out_0000_part_00.parquet"])
    described = duckdb.execute(f"describe select * from '{file}'").fetchall()
    assert [row[1] for row in described] == [
        "SMALLINT",
        "VARCHAR",
        "DATE",
        "DECIMAL(5,2)",
        "BIGINT",
        "VARCHAR",
        "TIMESTAMP",
    ]


def test_what_was_unloaded_can_be_copied_back(database: Database, target: Target) -> None:
    database.ok(
        "create table t (id int, name varchar(9), day date, ok boolean)",
        "insert into t values (1, 'a|b', '2024-01-02', true), (2, null, null, null)",
        "create table csv (like t)",
        "create table parquet (like t)",
    )
    source = f"iam_role '{target.role}'"
    database.ok(target.statement("select * from t", "csv manifest"))
    database.ok(f"copy csv from '{target.url}manifest' {source} csv manifest emptyasnull")
    database.ok(target.statement("select * from t", "parquet manifest cleanpath"))
    database.ok(f"copy parquet from '{target.url}manifest' {source} parquet manifest")
    expected = database.rows("select * from t order by id")
    assert database.rows("select * from csv order by id") == expected
    assert database.rows("select * from parquet order by id") == expected


def test_partitions_become_folders(database: Database, target: Target) -> None:
    query = "select * from (select 1 as v, 2024 as year union all select 2, null) as t"
    options = "csv partition by (year)"
    database.ok(target.statement(query, options).replace("/out_'", "'"))
    assert target.files() == {
        "year=2024/0000_part_00": b"1\n",
        "year=__HIVE_DEFAULT_PARTITION__/0000_part_00": b"2\n",
    }


def test_large_unloads_are_split(database: Database, target: Target) -> None:
    query = "select n, md5(n::varchar) from generate_series(1, 400000) as g(n) order by n"
    database.ok(target.statement(query, "csv parallel off maxfilesize 5 mb manifest"))
    files = target.files()
    names = sorted(name for name in files if name != "out_manifest")
    assert names == [f"out_{number:03d}" for number in range(len(names))]
    assert len(names) > 1
    lines = b"".join(files[name] for name in names).splitlines()
    assert len(lines) == 400_000
    assert lines[0].startswith(b"1,")
    assert [int(line.split(b",")[0]) for line in lines] == list(range(1, 400_001))
    entries = json.loads(files["out_manifest"])["entries"]
    assert [entry["meta"]["content_length"] for entry in entries] == [
        len(files[name]) for name in names
    ]


def test_a_verbose_manifest_describes_columns_and_rows(database: Database, target: Target) -> None:
    database.ok(target.statement("select 1 as a, 'x' as b", "parquet manifest verbose"))
    manifest = json.loads(target.files()["out_manifest"])
    assert manifest["meta"]["record_count"] == 1
    assert manifest["entries"][0]["meta"]["record_count"] == 1
    assert [element["name"] for element in manifest["schema"]["elements"]] == ["a", "b"]
    assert manifest["author"]["name"] == "Amazon Redshift"


def test_existing_files_are_neither_overwritten_nor_mixed_up(
    database: Database, target: Target
) -> None:
    database.ok(target.statement("select 1", "csv"))
    error = database.error(target.statement("select 2", "csv"))
    assert error.startswith("ERROR: Specified unload destination on S3 is not empty.")
    database.ok(target.statement("select 3", "csv parallel off allowoverwrite"))
    assert target.files() == {"out_0000_part_00": b"1\n", "out_000": b"3\n"}
    database.ok(target.statement("select 4", "csv cleanpath"))
    assert target.files() == {"out_0000_part_00": b"4\n"}


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("select 1 limit 1", "csv", "Limit clause is not supported"),
        ("delete from t", "csv", "UNLOAD of anything but a SELECT"),
        ("select 1", "parquet header", "HEADER is not supported for UNLOAD to PARQUET"),
        ("select 1", "json delimiter ','", "DELIMITER is not supported for UNLOAD to JSON"),
        ("select 1", "allowoverwrite cleanpath", "CLEANPATH cannot be used with ALLOWOVERWRITE"),
        ("select 1", "fixedwidth '1:1'", "UNLOAD with FIXEDWIDTH"),
        ("select 1 as a", "partition by (b)", 'column "b" of PARTITION BY'),
        ("select 1", "maxfilesize 1 mb", "MAXFILESIZE must be between 5 MB and 6.2 GB"),
        ("select * from nope", "csv", 'relation "nope" does not exist'),
    ],
)
def test_unload_refuses_what_it_cannot_do(
    database: Database, target: Target, query: str, options: str, message: str
) -> None:
    database.ok("create table t (a int)")
    assert message in database.error(target.statement(query, options))
    assert target.files() == {}


def test_the_role_must_be_allowed_to_write(
    platform: Platform, database: Database, target: Target
) -> None:
    reader = {"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": RESOURCES}
    name = f"reader-{uuid.uuid4().hex[:6]}"
    target.role = platform.role(name, [reader], "redshift.amazonaws.com")
    error = database.error(target.statement("select 1", "csv"))
    assert "S3ServiceException" in error
    assert "Status 403,Error AccessDenied" in error


def test_the_query_may_stand_between_dollars(database: Database, target: Target) -> None:
    text = f"unload ($$select 'it''s'$$) to '{target.url}' iam_role '{target.role}'"
    database.ok(text)
    assert target.files() == {"out_0000_part_00": b"it's\n"}
