"""The load: DynamoDB by key, Redshift in one transaction, refused records kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from penstock_job.contract import JobArgumentParser, JobContract, Result, contract_of
from penstock_job.dataset import PublishedColumn, attempt_path, publish
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.dynamodb_table import DynamoDbTable
from penstock_job.errors import ArgumentsError, InputError, JobError, LoadError, RuleViolatedError
from penstock_job.object_store import ObjectStore
from penstock_job.redshift_table import RedshiftData, RedshiftTarget
from tests.local.redshift.data_api import Database, Platform
from tests.unit.glue.conftest import BUCKET, JOB_ID, arguments, load_script
from tests.unit.glue.kept import kept

SCRIPT = load_script("python_shell/load.py")
TABLE = "penstock-daily-cases"
WORKGROUP = "analytics"
DAYS = """SELECT DATE '2020-01-22' + range::INTEGER AS date, range * 10 AS cases,
          CASE WHEN range % 2 = 0 THEN range END AS deaths FROM range(60)"""


@pytest.fixture
def table(aws: Platform) -> Any:
    return boto3.resource("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "date", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "date", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def copy_role(aws: Platform) -> str:
    statement = {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    return aws.role("copy", [statement], "redshift.amazonaws.com")


@pytest.fixture
def warehouse(aws: Platform, tmp_path: Path) -> Database:
    name = "db_" + tmp_path.name.lower().replace("-", "_")[-40:]
    return Database(aws.client("redshift-data"), name, WorkgroupName=WORKGROUP)


def given(folder: Path, select: str, job: str = "join_daily_cases") -> JobContract:
    """Publish the rows of a select as the upstream job's data."""
    contract = contract_of(JobArgumentParser("").read(arguments(job)))
    folder.mkdir(exist_ok=True)
    store = ObjectStore()
    engine = DuckDbEngine(folder, store)
    written = engine.write_parquet(select, attempt_path(contract))
    columns = [PublishedColumn(name, str(kind)) for name, kind in engine.schema(select).items()]
    engine.close()
    (folder / "job.duckdb").unlink()
    publish(store, contract, [file.path for file in written.files], columns, written.rows, {})
    return contract


def load(**own: Any) -> Result:
    values = {"inputs": "join_daily_cases", "key": "date", **own}
    result: Result = SCRIPT.main(arguments("load_daily_cases", **values))
    return result


def rejects() -> list[dict[str, Any]]:
    attempt = f"job_id={JOB_ID}/attempt=1"
    return kept(f"s3://{BUCKET}/data/Daily_Covid/load_daily_cases/_rejects/{attempt}")


def test_every_record_becomes_an_item_and_a_second_load_changes_nothing(
    table: Any, tmp_path: Path
) -> None:
    given(tmp_path / "given", DAYS)

    first = load(dynamodb_table=TABLE)
    items = table.scan()["Items"]
    second = load(dynamodb_table=TABLE)

    assert (first.rows_read, first.rows_written, first.rows_rejected) == (60, 60, 0)
    assert [(output.path, output.rows) for output in first.outputs] == [(f"dynamodb://{TABLE}", 60)]
    assert {"date": "2020-01-23", "cases": Decimal(10)} in items
    assert {"date": "2020-01-24", "cases": Decimal(20), "deaths": Decimal(2)} in items
    assert second == first
    assert sorted(table.scan()["Items"], key=str) == sorted(items, key=str)


def test_values_of_every_type_arrive_exactly(table: Any, tmp_path: Path) -> None:
    given(
        tmp_path / "given",
        """SELECT 'it''s "q" \\ 😷' || chr(10) AS date, 9223372036854775807 AS i,
           12345678901234567890.123456789012345678::DECIMAL(38,18) AS d, 0.1::DOUBLE AS f,
           1e30::DOUBLE AS g, true AS b, DATE '0001-01-01' AS day, '' AS empty,
           TIMESTAMP '2026-11-21 05:00:00.5' AS at, NULL::VARCHAR AS none, 'ü"' AS "na""me" """,
    )

    load(dynamodb_table=TABLE)

    assert table.scan()["Items"] == [
        {
            "date": 'it\'s "q" \\ 😷\n',
            "i": Decimal("9223372036854775807"),
            "d": Decimal("12345678901234567890.123456789012345678"),
            "f": Decimal("0.1"),
            "g": Decimal("1E+30"),
            "b": True,
            "day": "0001-01-01",
            "empty": "",
            "at": "2026-11-21T05:00:00.500000Z",
            'na"me': 'ü"',
        }
    ]


def test_records_that_no_target_takes_are_kept_with_their_reason(
    table: Any, tmp_path: Path
) -> None:
    given(
        tmp_path / "given",
        """SELECT * FROM (VALUES ('a', 1::DOUBLE), ('a', 2), (NULL, 3), ('', 4), ('b', 5),
           ('c', 'inf'::DOUBLE), ('d', 1e200)) AS rows(date, n)""",
    )

    result = load(dynamodb_table=TABLE)

    assert {item["date"]: item["n"] for item in table.scan()["Items"]} == {"a": 1, "b": 5}
    assert (result.rows_written, result.rows_rejected) == (2, 5)
    assert sorted(reject["reason"] for reject in rejects()) == [
        "a number that DynamoDB does not hold",
        "a number that DynamoDB does not hold",
        "the key is missing",
        "the key is missing",
        "the key repeats another record's",
    ]
    assert {"date": "a", "n": 2.0} in [reject["record"] for reject in rejects()]


def test_an_item_that_dynamodb_refuses_is_found_among_its_batch(table: Any, tmp_path: Path) -> None:
    given(
        tmp_path / "given",
        """SELECT 'd' || range AS date, CASE WHEN range IN (7, 31) THEN repeat('x', 420000)
           ELSE 'small' END AS text FROM range(60)""",
    )

    result = load(dynamodb_table=TABLE)

    assert (result.rows_written, result.rows_rejected) == (58, 2)
    assert table.scan(Select="COUNT")["Count"] == 58
    assert {reject["record"]["date"] for reject in rejects()} == {"d7", "d31"}
    assert all("size" in reject["reason"] for reject in rejects())


def test_too_many_rejects_fail_the_load_and_are_kept(table: Any, tmp_path: Path) -> None:
    given(tmp_path / "given", "SELECT 'same' AS date, range AS n FROM range(10)")

    with pytest.raises(RuleViolatedError, match=r"9 of 10 records were rejected \(90.0%"):
        load(dynamodb_table=TABLE, max_reject_ratio="0.1")

    assert table.scan(Select="COUNT")["Count"] == 0
    assert len(rejects()) == 9


def test_redshift_gets_the_rows_and_loading_again_replaces_them_by_key(
    aws: Platform, table: Any, warehouse: Database, copy_role: str, tmp_path: Path
) -> None:
    own = {
        "dynamodb_table": TABLE,
        "redshift_table": "public.daily_cases",
        "redshift_workgroup": WORKGROUP,
        "redshift_database": warehouse.name,
        "redshift_copy_role_arn": copy_role,
    }
    given(tmp_path / "given", DAYS)
    first = load(**own)
    given(tmp_path / "given", f"SELECT date, cases + 1 AS cases, deaths FROM ({DAYS}) LIMIT 50")
    load(**own)

    query = "SELECT count(*), sum(cases), sum(deaths), min(date) FROM public.daily_cases"
    assert warehouse.rows(query) == [(60, 17700 + 50, 870, "2020-01-22")]
    assert [output.path for output in first.outputs] == [
        f"dynamodb://{TABLE}",
        f"redshift://{WORKGROUP}/{warehouse.name}/public.daily_cases",
    ]


def test_a_failed_redshift_load_says_why_and_leaves_the_table_as_it_was(
    aws: Platform, warehouse: Database, copy_role: str, tmp_path: Path
) -> None:
    warehouse.ok("CREATE TABLE daily_cases (date DATE, cases SMALLINT, deaths BIGINT)")
    warehouse.ok("INSERT INTO daily_cases VALUES ('2020-01-22', 1, 1)")
    given(tmp_path / "given", "SELECT DATE '2020-01-22' AS date, 70000 AS cases, 0 AS deaths")

    with pytest.raises(LoadError) as failed:
        load(
            redshift_table="daily_cases",
            redshift_workgroup=WORKGROUP,
            redshift_database=warehouse.name,
            redshift_copy_role_arn=copy_role,
        )

    assert str(failed.value).startswith(f"redshift://{WORKGROUP}/{warehouse.name}/daily_cases: ")
    assert warehouse.rows("SELECT cases FROM daily_cases") == [(1,)]


@pytest.mark.parametrize(
    ("own", "error", "text"),
    [
        ({}, ArgumentsError, "nowhere to load"),
        ({"redshift_table": "t"}, ArgumentsError, "nowhere to load"),
        ({"redshift_table": "t; DROP", "redshift_workgroup": "w", "redshift_copy_role_arn": "r"},
         ArgumentsError, "no name of a Redshift table"),
        ({"redshift_table": "t", "redshift_workgroup": "w"}, ArgumentsError, "copy_role_arn"),
        ({"dynamodb_table": "absent"}, LoadError, "DynamoDB table absent"),
        ({"dynamodb_table": TABLE, "key": "day"}, ArgumentsError, "key day is no column"),
        ({"dynamodb_table": TABLE, "key": "cases"}, LoadError, "is keyed by"),
        ({"dynamodb_table": TABLE, "inputs": ["a", "b"]}, ArgumentsError, "one input, not 2"),
        ({"dynamodb_table": TABLE, "inputs": "nobody"}, InputError, "nobody has published nothing"),
    ],
)  # fmt: skip
def test_a_load_that_cannot_be_is_refused_before_anything_is_written(
    table: Any, tmp_path: Path, own: dict[str, Any], error: type[JobError], text: str
) -> None:
    given(tmp_path / "given", DAYS)

    with pytest.raises(error, match=text):
        load(**own)

    assert table.scan(Select="COUNT")["Count"] == 0


class Slow(DynamoDbTable):
    """Takes a part of each batch, or none, as an overloaded table does."""

    def __init__(self, name: str, script: list[Any]) -> None:
        self.pauses: list[float] = []
        super().__init__(name, sleep=self.pauses.append)
        self.script = iter(script)

    def _post(self, requests: list[str]) -> Any:
        step = next(self.script, None)
        if isinstance(step, BaseException):
            raise step
        if step is not None and step.error:
            return step
        answer = super()._post(requests[: len(requests) // 2] if step else requests)
        if step:
            left = [json.loads(request) for request in requests[len(requests) // 2 :]]
            answer.content["UnprocessedItems"] = {self.name: left}
        return answer


@pytest.fixture
def items() -> Iterator[tuple[int, str]]:
    return ((n, json.dumps({"date": {"S": str(n)}, "n": {"N": str(n)}})) for n in range(20))


def test_what_a_busy_table_leaves_over_is_sent_again_after_a_pause(
    table: Any, items: Iterator[tuple[int, str]]
) -> None:
    from penstock_job.dynamodb_table import Answer

    throttled = Answer("ThrottlingException", "slow down", {})
    busy = Slow(TABLE, [Answer(None, "", {}), throttled, Answer(None, "", {})])

    assert busy.put(items) == []

    assert table.scan(Select="COUNT")["Count"] == 20
    assert len(busy.pauses) == 3
    assert all(0 <= pause <= 5 for pause in busy.pauses)


def test_a_table_that_never_takes_the_items_fails_the_load(
    table: Any, items: Iterator[tuple[int, str]]
) -> None:
    from penstock_job.dynamodb_table import ATTEMPTS, Answer

    busy = Slow(TABLE, [Answer("ThrottlingException", "slow down", {})] * ATTEMPTS)

    with pytest.raises(LoadError, match="did not take 20 items in 12 attempts: slow down"):
        busy.put(items)


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


TARGET = RedshiftTarget("t", "", "cluster", "dev", "arn:secret", "arn:role")


def test_a_load_runs_as_one_batch_and_waits_for_its_end() -> None:
    api = Statements({"Status": "SUBMITTED"}, {"Status": "STARTED"}, {"Status": "FINISHED"})
    pauses: list[float] = []

    RedshiftData(api, pauses.append).run(TARGET, ["SELECT 1", "SELECT 2"], "load 1")

    assert api.calls == [
        {
            "ClusterIdentifier": "cluster",
            "Database": "dev",
            "SecretArn": "arn:secret",
            "Sqls": ["SELECT 1", "SELECT 2"],
            "StatementName": "load 1",
        }
    ]
    assert pauses == [0.25, 0.375]


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
        RedshiftData(Statements(status)).run(TARGET, ["SELECT 1"], "load 1")


def test_a_statement_that_never_ends_is_cancelled() -> None:
    api = Statements({"Status": "STARTED"})

    with pytest.raises(LoadError, match="it was cancelled"):
        RedshiftData(api, lambda _: None, timeout=60).run(TARGET, ["SELECT 1"], "load 1")

    assert api.cancelled == ["s1"]
