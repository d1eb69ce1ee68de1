"""The load into Redshift: one transaction, an audit row that decides, rejects found before COPY."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from penstock_job.column_type import read_type
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.errors import LoadError
from penstock_job.redshift_columns import RedshiftColumn, read_columns, untakable_cases
from penstock_job.redshift_data import RedshiftData
from penstock_job.redshift_table import AuditEntry, RedshiftTarget, load_statements
from tests.local.redshift.data_api import Database, Platform
from tests.unit.glue.conftest import BUCKET, JOB_ID
from tests.unit.glue.loading import DAYS, given, load, rejects

WORKGROUP = "analytics"
TARGET = RedshiftTarget("t", "", "cluster", "dev", "arn:secret", "arn:role")
AUDIT = AuditEntry("job-1", "load", "public.t", "up job-1 1", 1, "2026-11-21", 3)


@pytest.fixture
def warehouse(aws: Platform, tmp_path: Path) -> Database:
    name = "db_" + tmp_path.name.lower().replace("-", "_")[-40:]
    return Database(aws.client("redshift-data"), name, WorkgroupName=WORKGROUP)


@pytest.fixture
def own(aws: Platform, warehouse: Database) -> dict[str, str]:
    """The arguments that lead to the warehouse."""
    statement = {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    return {
        "redshift_table": "public.daily_cases",
        "redshift_workgroup": WORKGROUP,
        "redshift_database": warehouse.name,
        "redshift_copy_role_arn": aws.role("copy", [statement], "redshift.amazonaws.com"),
    }


SUMS = "SELECT count(*), sum(cases), sum(deaths), min(date) FROM public.daily_cases"
AUDITED = "SELECT job_id, job_name, target, attempt, rows_loaded FROM etl.load_audit"


def test_rows_are_merged_by_key_and_the_audit_says_by_which_job(
    warehouse: Database, own: dict[str, str]
) -> None:
    given(DAYS)
    first = load(**own)
    given(f"SELECT date, cases + 1 AS cases, deaths FROM ({DAYS}) LIMIT 50", attempt=2)
    load(**own)

    assert warehouse.rows(SUMS) == [(60, 17700 + 50, 870, "2020-01-22")]
    assert sorted(warehouse.rows(AUDITED)) == [
        (JOB_ID, "load_daily_cases", "public.daily_cases", 1, 50),
        (JOB_ID, "load_daily_cases", "public.daily_cases", 1, 60),
    ]
    address = f"redshift://{WORKGROUP}/{warehouse.name}/public.daily_cases"
    assert [(output.path, output.rows) for output in first.outputs] == [(address, 60)]


def test_a_load_that_is_submitted_again_changes_nothing(
    warehouse: Database, own: dict[str, str]
) -> None:
    given(DAYS)
    first = load(**own)
    warehouse.ok("UPDATE public.daily_cases SET cases = -1")  # by somebody, since

    again = load(attempt=2, **own)

    assert again.rows_written == first.rows_written
    assert warehouse.value("SELECT count(*) FROM public.daily_cases WHERE cases = -1") == 60
    assert warehouse.rows(AUDITED) == [
        (JOB_ID, "load_daily_cases", "public.daily_cases", 1, 60),
    ]


def test_a_load_that_is_killed_after_its_submission_is_not_done_twice(
    warehouse: Database, own: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    given(DAYS)
    wait = RedshiftData._wait

    def killed(self: RedshiftData, statement_id: str, target: RedshiftTarget) -> str | None:
        error = wait(self, statement_id, target)
        batches.append(statement_id)
        if len(batches) == 2:  # the first prepares
            raise KilledError
        return error

    batches: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(RedshiftData, "_wait", killed)
        with pytest.raises(KilledError):
            load(**own)
    warehouse.ok("DELETE FROM public.daily_cases WHERE date > '2020-02-01'")

    load(attempt=2, **own)

    assert warehouse.value("SELECT count(*) FROM public.daily_cases") == 11
    assert warehouse.value("SELECT count(*) FROM etl.load_audit") == 1


def test_of_two_submissions_at_the_same_time_one_takes_effect(
    warehouse: Database, own: dict[str, str]
) -> None:
    """Without the lease, that is: as when a load is thought dead whose statements still run."""
    given(DAYS)
    load(**own)
    target = RedshiftTarget("daily_cases", WORKGROUP, "", warehouse.name, "", "arn:role")
    audit = AuditEntry(JOB_ID, "other", "public.daily_cases", "up 1", 1, "2026-11-21", 60)
    schema = {"date": read_type("date"), "cases": read_type("integer")}
    statements = load_statements(target, schema, ["date"], "s3://none", audit)
    staging = [
        "INSERT INTO penstock_stage SELECT date, cases + 1 FROM public.daily_cases"
        if sql.startswith("COPY")
        else sql
        for sql in statements
    ]
    tokens = iter("ab")
    threads = [
        threading.Thread(
            target=RedshiftData().run, args=(target, staging, "x", lambda _, t=token: t)
        )
        for token in tokens
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert warehouse.value("SELECT sum(cases) FROM public.daily_cases") == 17700 + 60
    assert warehouse.value("SELECT count(*) FROM etl.load_audit WHERE job_name = 'other'") == 1


def test_a_large_load_is_copied_from_several_files_and_no_others(
    warehouse: Database, own: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DuckDbEngine, "part_bytes", 100_000)
    given("SELECT range AS date, md5(range::VARCHAR) AS text FROM range(300000)")

    load(**own)

    prefix = f"data/Daily_Covid/load_daily_cases/job_id={JOB_ID}/attempt=1/"
    s3 = boto3.client("s3")
    manifest = json.loads(
        s3.get_object(Bucket=BUCKET, Key=f"{prefix}_redshift_manifest.json")["Body"].read()
    )
    stored = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}part-")["Contents"]
    assert {entry["url"] for entry in manifest["entries"]} == {
        f"s3://{BUCKET}/{entry['Key']}" for entry in stored
    }
    assert len(stored) > 1
    assert warehouse.value("SELECT count(*) FROM public.daily_cases") == 300_000


def test_records_that_the_columns_cannot_take_are_rejected_and_the_others_loaded(
    warehouse: Database, own: dict[str, str]
) -> None:
    warehouse.ok(
        "CREATE TABLE public.daily_cases (date INTEGER NOT NULL, short VARCHAR(4), small SMALLINT, "
        "amount DECIMAL(6,2), needed INTEGER NOT NULL, extra VARCHAR(8) DEFAULT 'x')"
    )
    given(
        """SELECT * FROM (VALUES
           (1, 'üü', 32767, 9999.99::DECIMAL(12,4), 1), (2, 'üüa', 1, 1, 1), (3, 'a', 32768, 1, 1),
           (4, 'a', 1, 10000, 1), (5, 'a', 1, 1.001, 1), (6, 'a', 1, 1, NULL),
           (7, 'a' || chr(0), 1, 1, 1), (5000000000, 'a', 1, 1, 1), (9, NULL, NULL, NULL, 9))
           AS rows(date, short, small, amount, needed)"""
    )

    result = load(**own)

    query = "SELECT date, short, small, CAST(amount AS VARCHAR), needed, extra FROM daily_cases"
    assert sorted(warehouse.rows(query)) == [
        (1, "üü", 32767, "9999.99", 1, "x"),
        (9, None, None, None, 9, "x"),
    ]
    assert (result.rows_written, result.rows_rejected) == (2, 7)
    assert {(reject["record"]["date"], reject["reason"]) for reject in rejects()} == {
        (2, "short does not fit into varchar(4)"),
        (3, "small does not fit into int2"),
        (4, "amount does not fit into numeric(6,2)"),
        (5, "amount does not fit into numeric(6,2)"),
        (6, "needed is missing, and public.daily_cases requires it"),
        (7, "short has a NUL character"),
        (5000000000, "date does not fit into int4"),
    }


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ("date DATE, cases VARCHAR(9), deaths BIGINT", "cases is varchar.9., the data is integer"),
        ("date DATE, cases BIGINT", "public.daily_cases has no column deaths; it has date, cases"),
        ("date DATE, cases BIGINT, deaths INT, n INT NOT NULL", "requires n, which the data does"),
    ],
)
def test_a_table_that_can_take_none_fails_the_load_before_anything_is_sent(
    warehouse: Database, own: dict[str, str], columns: str, text: str
) -> None:
    warehouse.ok(f"CREATE TABLE public.daily_cases ({columns})")
    given(DAYS)

    with pytest.raises(LoadError, match=text):
        load(**own)

    assert warehouse.value("SELECT count(*) FROM public.daily_cases") == 0


def test_a_failed_load_says_why_and_leaves_the_table_as_it_was(
    aws: Platform, warehouse: Database, own: dict[str, str]
) -> None:
    given(DAYS)
    load(**own)
    aws.client("iam").delete_role_policy(RoleName="copy", PolicyName="inline")
    given(f"SELECT date, 0 AS cases, deaths FROM ({DAYS})", attempt=2)

    with pytest.raises(LoadError) as failed:
        load(attempt=2, **own)

    address = f"redshift://{WORKGROUP}/{warehouse.name}/public.daily_cases: "
    assert str(failed.value).startswith(address)
    assert warehouse.rows(SUMS) == [(60, 17700, 870, "2020-01-22")]
    assert warehouse.value("SELECT count(*) FROM etl.load_audit") == 1


def test_every_value_that_is_not_rejected_fits_its_column(tmp_path: Path) -> None:
    """By the limits of each type, on both sides of each."""
    engine = DuckDbEngine(tmp_path, None)  # type: ignore[arg-type]
    numeric = RedshiftColumn("v", "numeric", 5, 2)
    judged = [
        (RedshiftColumn("v", "int2"), "BIGINT", ["32767", "-32768"], ["32768", "-32769"]),
        (RedshiftColumn("v", "int8"), "DECIMAL(38,1)", ["1.0"], ["1.5", "9223372036854775808"]),
        (RedshiftColumn("v", "int8"), "BIGINT", ["9223372036854775807"], []),
        (numeric, "BIGINT", ["999", "-999"], ["1000", "-1000"]),
        (numeric, "DECIMAL(38,3)", ["999.99", "-0.010"], ["0.001", "1000"]),
        (numeric, "DOUBLE", ["999.99"], ["1000", "'nan'", "'-inf'"]),
        (RedshiftColumn("v", "float4"), "DOUBLE", ["3.4e38", "'inf'"], ["3.5e38", "-1e300"]),
        (RedshiftColumn("v", "float8"), "DOUBLE", ["1e308", "'nan'"], []),
        (RedshiftColumn("v", "bpchar", 3), "VARCHAR", ["'abc'", "''"], ["'abcd'", "'ü'"]),
        (RedshiftColumn("v", "varchar", 3), "VARCHAR", ["'aü'"], ["'üü'"]),
        (RedshiftColumn("v", "timestamptz"), "DATE", ["'2026-01-01'"], []),
    ]
    for column, kind, fitting, unfit in judged:
        values = ", ".join(f"(CAST({value} AS {kind}))" for value in [*fitting, "NULL", *unfit])
        rows = f"SELECT v FROM (VALUES {values}) AS given(v)"
        cases = untakable_cases("t", {"v": column}, engine.schema(rows))
        tests = " OR ".join(["FALSE", *(test for test, _ in cases)])
        found = engine.connection.execute(f"SELECT coalesce({tests}, FALSE) FROM ({rows})")
        assert [bad for (bad,) in found.fetchall()] == (
            [False] * (len(fitting) + 1) + [True] * len(unfit)
        ), (column, kind)
    engine.close()


def test_the_statements_are_one_transaction_that_first_takes_the_lock() -> None:
    schema = {"k": read_type("text"), "v": read_type("integer")}

    statements = load_statements(TARGET, schema, ["k"], "s3://b/m.json", AUDIT)

    assert [sql.split()[0] for sql in statements] == [
        "LOCK", "CREATE", "COPY", "DELETE", "MERGE", "INSERT", "DROP",
    ]  # fmt: skip
    assert statements[0] == "LOCK etl.load_lock_public_t"
    assert statements[1].startswith("CREATE TEMP TABLE penstock_stage ")
    assert not any("TRUNCATE" in sql for sql in statements)
    only_key = load_statements(TARGET, {"k": read_type("text")}, ["k"], "s3://b/m", AUDIT)
    assert 'UPDATE SET "k" = penstock_stage."k"' in only_key[4]


def test_a_long_name_has_a_lock_of_its_own_too() -> None:
    names = [f"s.{'x' * 120}{end}" for end in "ab"]
    locks = {RedshiftTarget(name, "w", "", "dev", "", "role").lock for name in names}

    assert len(locks) == 2
    assert all(len(lock) <= 127 for lock in locks)


def test_the_same_attempt_has_the_same_token_and_no_other_has() -> None:
    tokens = {AUDIT.token(number) for number in (1, 2, -1)}
    later = AuditEntry("job-1", "load", "public.t", "up job-1 1", 2, "2026-11-21", 3)

    assert AUDIT.token(1) == AuditEntry(**vars(AUDIT)).token(1)
    assert len(tokens | {later.token(1)}) == 4
    assert all(len(token) == 64 for token in tokens)


class Statements:
    """A Data API that answers with these statuses, one after the other."""

    def __init__(self, *statuses: dict[str, Any]) -> None:
        self.statuses = list(statuses)
        self.calls: list[dict[str, Any]] = []
        self.cancelled: list[str] = []

    def batch_execute_statement(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        return {"Id": "s1"}

    def describe_statement(self, Id: str) -> dict[str, Any]:  # noqa: N803
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def cancel_statement(self, Id: str) -> None:  # noqa: N803
        self.cancelled.append(Id)


def run(api: Statements, pauses: list[float] | None = None, **own: Any) -> None:
    sleep = ([] if pauses is None else pauses).append
    RedshiftData(api, sleep, **own).run(TARGET, ["SELECT 1", "SELECT 2"], "load 1", AUDIT.token)


def test_a_load_runs_as_one_batch_and_waits_for_its_end() -> None:
    api = Statements({"Status": "SUBMITTED"}, {"Status": "STARTED"}, {"Status": "FINISHED"})
    pauses: list[float] = []

    run(api, pauses)

    assert api.calls == [
        {
            "ClusterIdentifier": "cluster",
            "Database": "dev",
            "SecretArn": "arn:secret",
            "Sqls": ["SELECT 1", "SELECT 2"],
            "StatementName": "load 1",
            "ClientToken": AUDIT.token(1),
        }
    ]
    assert pauses == [0.25, 0.375]


def test_a_transaction_that_could_not_be_beside_another_is_submitted_again() -> None:
    conflict = {
        "Status": "FAILED",
        "Error": "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100123",
    }
    api = Statements(conflict, conflict, {"Status": "FINISHED"})

    run(api)

    assert [call["ClientToken"] for call in api.calls] == [AUDIT.token(n) for n in (1, 2, 3)]
    with pytest.raises(LoadError, match="Serializable isolation violation"):
        run(Statements(conflict))


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"Status": "FAILED", "Error": "ERROR: no such column"}, "ERROR: no such column"),
        ({"Status": "ABORTED"}, "the statement was aborted"),
    ],
)
def test_a_statement_that_fails_fails_the_load_with_its_error(
    status: dict[str, Any], text: str
) -> None:
    with pytest.raises(LoadError, match=f"redshift://cluster/dev/t: {text}"):
        run(Statements(status))


def test_a_statement_that_never_ends_is_cancelled() -> None:
    api = Statements({"Status": "STARTED"})

    with pytest.raises(LoadError, match="it was cancelled"):
        run(api, timeout=60)

    assert api.cancelled == ["s1"]


def test_columns_are_read_from_all_pages_of_what_the_data_api_describes() -> None:
    client = boto3.client("redshift-data", "eu-central-1")
    where = {
        "ClusterIdentifier": "cluster", "Database": "dev", "SecretArn": "arn:secret",
        "Schema": "public", "Table": "t",
    }  # fmt: skip
    with Stubber(client) as stub:
        first = {"name": "Id", "typeName": "int4", "nullable": 0, "precision": 10}
        second = {"name": "amount", "typeName": "numeric", "precision": 12, "scale": 2}
        third = {"name": "text", "typeName": "character varying", "length": 20, "nullable": 1}
        fourth = {"name": "n", "typeName": "int8", "nullable": 0, "columnDefault": "0"}
        stub.add_response("describe_table", {"ColumnList": [first], "NextToken": "2"}, where)
        stub.add_response(
            "describe_table", {"ColumnList": [second, third, fourth]}, {**where, "NextToken": "2"}
        )
        stub.add_client_error("describe_table", "ResourceNotFoundException")

        columns = RedshiftData(client).columns(TARGET, "public", "t")
        absent = RedshiftData(client).columns(TARGET, "public", "t")

    assert list(columns.values()) == [
        RedshiftColumn("id", "int4", 10, 0, nullable=False),
        RedshiftColumn("amount", "numeric", 12, 2),
        RedshiftColumn("text", "varchar", 20, 0),
        RedshiftColumn("n", "int8", 0, 0, nullable=False, has_default=True),
    ]
    assert columns["amount"].spoken == "numeric(12,2)"
    assert absent == {} == read_columns([])
