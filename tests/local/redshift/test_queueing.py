"""Many statements need few threads, little memory, and never hold up the platform."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.local.redshift.data_api import Database, Platform

from penstock_local.redshift.caller import Caller
from penstock_local.redshift.errors import ApiError
from penstock_local.redshift.ledger import ACTIVE_STATEMENTS, RETENTION_SECONDS, Ledger
from penstock_local.redshift.place import Place
from penstock_local.redshift.request import Submission, Target
from penstock_local.redshift.statement import Statement, Status
from penstock_local.redshift.workers import Workers

LONG = "select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    one = Platform(
        tmp_path_factory.mktemp("queueing") / "home", PENSTOCK_LOCAL_REDSHIFT_IN_MEMORY="1"
    )
    yield one
    one.stop()


def test_queued_statements_take_no_threads_and_the_platform_still_answers(own: Platform) -> None:
    client = own.client("redshift-data")
    database = Database(client, "queued")
    database.ok("create table t (n int)")
    running = client.execute_statement(Sql=LONG, **database.target)["Id"]
    process = psutil.Process(own.pid)
    threads = process.num_threads()
    with ThreadPoolExecutor(10) as pool:
        ids = list(
            pool.map(
                lambda number: client.execute_statement(
                    Sql=f"insert into t values ({number})", **database.target
                )["Id"],
                range(200),
            )
        )
    # Python's own pool for short work has six threads on two cores.
    assert process.num_threads() < threads + 20
    begun = time.monotonic()
    other = Database(client, "other").value("select 1")
    assert other == 1, "another database does not wait"
    assert client.describe_statement(Id=ids[-1])["Status"] == "SUBMITTED"
    assert time.monotonic() - begun < 10

    client.cancel_statement(Id=running)
    for statement in ids:
        assert _ended(client, statement)["Status"] == "FINISHED"
    assert database.value("select count(distinct n) from t") == 200


def test_statements_of_a_database_run_in_the_order_they_came(own: Platform) -> None:
    client = own.client("redshift-data")
    database = Database(client, "ordered")
    database.ok("create table t (n int identity(1, 1), v int)")
    calls = [
        client.execute_statement(Sql=f"insert into t (v) values ({number})", **database.target)
        for number in range(20)
    ]
    _ended(client, calls[-1]["Id"])
    rows = database.rows("select n, v from t order by n")
    assert [v for _, v in rows] == list(range(20))


def test_in_memory_no_file_is_written(own: Platform) -> None:
    Database(own.client("redshift-data"), "dev").ok("create table nowhere (a int)")
    assert not list(own.home.rglob("*.duckdb"))


def test_a_reset_of_the_platform_forgets_data_and_statements(own: Platform) -> None:
    client = own.client("redshift-data")
    database = Database(client, "dev")
    database.run("create table kept (a int)")
    own.reset()
    assert client.list_statements(Status="ALL")["Statements"] == []
    assert "does not exist" in database.error("select * from kept")


def test_a_database_survives_being_closed_for_others(platform: Platform) -> None:
    client = platform.client("redshift-data")
    first = Database(client, "many_0")
    first.ok("create table t (a int)", "insert into t values (7)")
    for number in range(1, 12):
        Database(client, f"many_{number}").ok("select 1")
    open_files = [file.path for file in psutil.Process(platform.pid).open_files()]
    assert sum(path.endswith(".duckdb") for path in open_files) <= 10
    assert first.value("select a from t") == 7


def test_the_process_ends_while_a_statement_runs(tmp_path: Path) -> None:
    one = Platform(tmp_path / "home")
    database = Database(one.client("redshift-data"), "dev")
    database.client.execute_statement(Sql=LONG, **database.target)
    assert one.stop() == 0


def test_workers_do_not_wait_for_a_task_that_does_not_end() -> None:
    workers = Workers(2, "test")
    done: list[int] = []
    workers.submit(lambda: done.append(1))
    assert workers.close(5)
    assert done == [1]
    stuck = Workers(1, "stuck")
    stuck.submit(lambda: time.sleep(3))
    begun = time.monotonic()
    assert not stuck.close(0.2)
    assert time.monotonic() - begun < 2


CALLER = Caller("arn:aws:iam::123456789012:user/ann", "AIDA")
TARGET = Target(Place("123456789012", "eu-central-1", "workgroup", "w", "dev"), "IAM:ann", {})


def _statement(sql: str = "select 1", status: Status = Status.FINISHED) -> Statement:
    statement = Statement(Submission(CALLER, TARGET, (sql,), is_batch=False))
    statement.become(status)
    return statement


def test_statements_are_forgotten_after_a_day() -> None:
    ledger = Ledger()
    old, new = _statement(), _statement()
    ledger.add(old)
    old.updated_at -= RETENTION_SECONDS + 1
    ledger.add(new)
    assert ledger.listed(CALLER) == [new]
    with pytest.raises(ApiError, match="Query does not exist"):
        ledger.find(old.id, CALLER)


def test_the_oldest_statements_go_when_their_text_takes_too_much_memory() -> None:
    ledger = Ledger()
    sql = "x" * 1_000_000
    for _ in range(100):
        ledger.add(_statement(sql))
    assert 60 <= len(ledger.listed(CALLER)) <= 70


def test_there_is_a_limit_to_statements_that_have_not_ended() -> None:
    ledger = Ledger()
    for _ in range(ACTIVE_STATEMENTS):
        ledger.add(_statement(status=Status.SUBMITTED))
    with pytest.raises(ApiError) as raised:
        ledger.add(_statement())
    assert raised.value.code == "ActiveStatementsExceededException"


def test_sessions_of_one_role_are_one_owner() -> None:
    role = "arn:aws:sts::123456789012:assumed-role/loader"
    first, second = Caller(f"{role}/a", "AROA:a"), Caller(f"{role}/b", "AROA:b")
    assert first.may_see(second)
    assert first.database_user == "IAMR:loader"
    assert not CALLER.may_see(first)
    assert CALLER.database_user == "IAM:ann"
    assert Caller("arn:aws:iam::123456789012:root", "1").may_see(first)


def _ended(client: Any, statement_id: str) -> dict[str, Any]:
    for _ in range(10):
        described: dict[str, Any] = client.describe_statement(Id=statement_id, WaitTimeSeconds=20)
        if Status(described["Status"]).is_final:
            return described
    raise AssertionError(described)
