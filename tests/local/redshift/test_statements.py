"""The life of a statement, seen through boto3."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.redshift.data_api import Database, Platform, parameters

LONG = "select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b"


def test_a_query_is_described_and_its_typed_rows_are_fetched(
    client: Any, database: Database
) -> None:
    described = database.ok(
        "select :id::int as id, 'x' as name, 1.50::decimal(5, 2) as price, 2.5::float8 as f, "
        "true as ok, null as nothing, timestamp '2022-02-22' as at",
        Parameters=parameters(id="7"),
        StatementName="first",
    )
    assert described["Status"] == "FINISHED"
    assert described["HasResultSet"]
    assert described["ResultRows"] == 1
    assert described["ResultSize"] > 0
    assert described["Duration"] > 0
    assert described["Database"] == database.name
    assert described["WorkgroupName"] == "analytics"
    assert described["QueryParameters"] == parameters(id="7")
    assert described["QueryString"].startswith("select :id")
    result = client.get_statement_result(Id=described["Id"])
    assert result["Records"] == [
        [
            {"longValue": 7},
            {"stringValue": "x"},
            {"stringValue": "1.50"},
            {"doubleValue": 2.5},
            {"booleanValue": True},
            {"isNull": True},
            {"stringValue": "2022-02-22 00:00:00.0"},
        ]
    ]
    assert result["TotalNumRows"] == 1
    columns = result["ColumnMetadata"]
    assert [column["name"] for column in columns][:3] == ["id", "name", "price"]
    assert [column["typeName"] for column in columns][:3] == ["int4", "varchar", "numeric"]
    assert (columns[2]["precision"], columns[2]["scale"]) == (5, 2)


def test_an_empty_result_is_a_result(client: Any, database: Database) -> None:
    described = database.ok("select 1 as a where false")
    assert described["HasResultSet"]
    assert client.get_statement_result(Id=described["Id"])["Records"] == []


def test_large_results_come_in_pages(client: Any, database: Database) -> None:
    described = database.ok("select n, repeat('x', 2000) from generate_series(1, 2500) as g(n)")
    first = client.get_statement_result(Id=described["Id"])
    assert 0 < len(first["Records"]) < 1_000, "a page has at most about one megabyte"
    assert first["TotalNumRows"] == 2500
    rows = database.result(described["Id"])
    assert [row[0] for row in rows] == list(range(1, 2501))
    with pytest.raises(ClientError, match="NextToken is invalid"):
        client.get_statement_result(Id=described["Id"], NextToken="x")


def test_a_row_beyond_64_kb_fails(database: Database) -> None:
    assert "Packet for query is too large" in database.error("select repeat('x', 70000)")


def test_a_csv_result_is_fetched_with_the_second_version(client: Any, database: Database) -> None:
    described = database.ok("select 1, 'a,b', true, null", ResultFormat="CSV")
    result = client.get_statement_result_v2(Id=described["Id"])
    assert result["Records"] == [{"CSVRecords": '1,"a,b",true,\r\n'}]
    assert result["ResultFormat"] == "CSV"
    with pytest.raises(ClientError, match="GetStatementResultV2"):
        client.get_statement_result(Id=described["Id"])


def test_a_failure_is_described_in_the_words_of_redshift(client: Any, database: Database) -> None:
    described = database.run("select * from nope")
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'ERROR: relation "nope" does not exist'
    with pytest.raises(ClientError) as raised:
        client.get_statement_result(Id=described["Id"])
    assert raised.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert "Query does not have result" in str(raised.value)


def test_a_batch_is_one_transaction_with_sub_statements(client: Any, database: Database) -> None:
    described = database.ok(
        "create table t (id int, name varchar(9))",
        "insert into t values (:id, :name), (2, 'b')",
        "select * from t order by id",
        Parameters=parameters(id="1", name="a"),
    )
    subs = described["SubStatements"]
    assert [sub["Id"] for sub in subs] == [f"{described['Id']}:{n}" for n in (1, 2, 3)]
    assert [sub["Status"] for sub in subs] == ["FINISHED"] * 3
    assert [sub["HasResultSet"] for sub in subs] == [False, False, True]
    assert [sub["ResultRows"] for sub in subs] == [-1, 2, 2]
    assert described["Duration"] == sum(sub["Duration"] for sub in subs)
    assert described["ExecutionMode"] == "TRANSACTION"
    assert database.result(subs[2]["Id"]) == [(1, "a"), (2, "b")]
    assert client.describe_statement(Id=subs[1]["Id"])["QueryString"].startswith("insert")
    with pytest.raises(ClientError, match="only be retrieved with sub-statement id"):
        client.get_statement_result(Id=described["Id"])


def test_a_batch_that_fails_leaves_nothing(database: Database) -> None:
    database.ok("create table t (id int)")
    described = database.run(
        "insert into t values (1)", "insert into nope values (1)", "insert into t values (2)"
    )
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'Query #2 failed with ERROR: relation "nope" does not exist'
    statuses = [sub["Status"] for sub in described["SubStatements"]]
    assert statuses == ["FINISHED", "FAILED", "ABORTED"]
    assert described["SubStatements"][1]["Error"] == 'ERROR: relation "nope" does not exist'
    assert database.value("select count(*) from t") == 0


def test_a_batch_can_commit_each_statement_by_itself(database: Database) -> None:
    database.ok("create table t (id int)")
    described = database.run(
        "insert into t values (1)",
        "insert into nope values (1)",
        "insert into t values (2)",
        ExecutionMode="AUTO_COMMIT",
    )
    assert described["Status"] == "FAILED"
    assert described["ExecutionMode"] == "AUTO_COMMIT"
    statuses = [sub["Status"] for sub in described["SubStatements"]]
    assert statuses == ["FINISHED", "FAILED", "FINISHED"]
    assert database.value("select count(*) from t") == 2


def test_commit_and_truncate_inside_a_batch_commit_what_came_before(database: Database) -> None:
    database.ok("create table t (id int)", "create table old (id int)", "insert into old values(1)")
    database.error("insert into t values (1)", "commit", "insert into t values (2)", "select nope")
    assert database.rows("select id from t") == [(1,)]
    database.error("insert into t values (3)", "truncate old", "select nope")
    assert database.rows("select id from t order by id") == [(1,), (3,)]
    assert database.value("select count(*) from old") == 0
    database.ok("begin", "insert into t values (4)", "rollback", "insert into t values (5)", "end")
    assert database.rows("select id from t order by id") == [(1,), (3,), (5,)]


@pytest.mark.parametrize(
    "statement",
    ["vacuum t", "alter table t append from t", "alter table t alter column a type varchar(9)"],
)
def test_what_redshift_runs_outside_transactions_only_fails_in_a_batch(
    database: Database, statement: str
) -> None:
    database.ok("create table t (a varchar(3))")
    assert "cannot run inside a transaction block" in database.error(statement, "select 1")


def test_temporary_tables_end_with_their_call(database: Database) -> None:
    database.ok("create temp table t (a int)", "insert into t values (1)", "select * from t")
    assert database.error("select * from t") == 'ERROR: relation "t" does not exist'


def test_a_kept_session_keeps_temporary_tables_settings_and_transactions(
    client: Any, database: Database
) -> None:
    opened = client.execute_statement(
        Sql="create temp table t (a int)", SessionKeepAliveSeconds=60, **database.target
    )
    session = opened["SessionId"]

    def run(sql: str) -> dict[str, Any]:
        answer = client.execute_statement(Sql=sql, SessionId=session, WaitTimeSeconds=20)
        described: dict[str, Any] = client.describe_statement(Id=answer["Id"])
        return described

    client.describe_statement(Id=opened["Id"], WaitTimeSeconds=20)
    assert run("insert into t values (1)")["Status"] == "FINISHED"
    assert run("begin")["Status"] == "FINISHED"
    assert run("insert into t values (2)")["Status"] == "FINISHED"
    assert run("select nope")["Status"] == "FAILED"
    assert "current transaction is aborted" in run("select 1")["Error"]
    assert run("rollback")["Status"] == "FINISHED"
    assert database.result(run("select * from t")["Id"]) == [(1,)]
    (listed,) = client.list_sessions(SessionId=session)["Sessions"]
    assert (listed["Status"], listed["Database"]) == ("AVAILABLE", database.name)
    with pytest.raises(ClientError, match="Session does not exist"):
        client.execute_statement(Sql="select 1", SessionId="0" * 8 + "-0000-0000-0000-" + "0" * 12)


def test_a_running_statement_is_interrupted(client: Any, database: Database) -> None:
    running = client.execute_statement(Sql=LONG, **database.target)["Id"]
    waiting = client.execute_statement(Sql="select 1", **database.target)["Id"]
    while client.describe_statement(Id=running)["Status"] != "STARTED":
        time.sleep(0.01)
    assert client.describe_statement(Id=waiting)["Status"] == "SUBMITTED"

    assert client.cancel_statement(Id=waiting)["Status"]
    assert client.describe_statement(Id=waiting)["Status"] == "ABORTED"
    begun = time.monotonic()
    assert client.cancel_statement(Id=running)["Status"]
    described = client.describe_statement(Id=running)
    assert described["Status"] == "ABORTED"
    assert "cancelled on user's request" in described["Error"]
    assert time.monotonic() - begun < 5
    with pytest.raises(ClientError, match="already in ABORTED state with ID: " + running):
        client.cancel_statement(Id=running)
    assert database.value("select 1") == 1, "the database goes on"


def test_a_cancelled_batch_is_rolled_back(client: Any, database: Database) -> None:
    database.ok("create table t (a int)")
    batch = client.batch_execute_statement(
        Sqls=["insert into t values (1)", LONG, "select 1"], **database.target
    )["Id"]
    while client.describe_statement(Id=f"{batch}:2")["Status"] != "STARTED":
        time.sleep(0.01)
    with pytest.raises(ClientError, match="sub-statement"):
        client.cancel_statement(Id=f"{batch}:2")
    client.cancel_statement(Id=batch)
    described = client.describe_statement(Id=batch)
    assert described["Status"] == "ABORTED"
    statuses = [sub["Status"] for sub in described["SubStatements"]]
    assert statuses == ["FINISHED", "ABORTED", "ABORTED"]
    assert database.value("select count(*) from t") == 0


def test_a_kept_session_survives_a_cancellation(client: Any, database: Database) -> None:
    opened = client.execute_statement(
        Sql="create temp table t (a int)",
        SessionKeepAliveSeconds=60,
        WaitTimeSeconds=20,
        **database.target,
    )
    session = opened["SessionId"]
    running = client.execute_statement(Sql=LONG, SessionId=session)["Id"]
    with pytest.raises(ClientError, match="busy"):
        client.execute_statement(Sql="select 1", SessionId=session)
    client.cancel_statement(Id=running)
    answer = client.execute_statement(
        Sql="insert into t values (1)", SessionId=session, WaitTimeSeconds=20
    )
    assert answer["Status"] == "FINISHED"


def test_waiting_is_long_polling(client: Any, database: Database) -> None:
    started = client.execute_statement(Sql=LONG, **database.target)
    assert started["Status"] in ("SUBMITTED", "PICKED", "STARTED")
    begun = time.monotonic()
    described = client.describe_statement(Id=started["Id"], WaitTimeSeconds=1)
    assert described["Status"] == "STARTED"
    assert 0.9 < time.monotonic() - begun < 3
    client.cancel_statement(Id=started["Id"])
    answer = client.execute_statement(Sql="select 1", WaitTimeSeconds=20, **database.target)
    assert (answer["Status"], answer["HasResultSet"]) == ("FINISHED", True)


def test_a_client_token_runs_a_statement_once(client: Any, database: Database) -> None:
    database.ok("create table t (a int)")
    call = {"Sql": "insert into t values (1)", "ClientToken": f"token-{database.name}"}
    ids = {client.execute_statement(**call, **database.target)["Id"] for _ in range(3)}
    assert len(ids) == 1
    client.describe_statement(Id=ids.pop(), WaitTimeSeconds=20)
    assert database.value("select count(*) from t") == 1


def test_statements_are_listed_newest_first_and_filtered(client: Any, database: Database) -> None:
    for number in range(3):
        database.ok(f"select {number}", StatementName=f"{database.name}-{number}")
    failed = database.run("select nope", StatementName=f"{database.name}-bad")["Id"]
    listed = client.list_statements(StatementName=database.name)["Statements"]
    assert [item["QueryString"] for item in listed] == ["select 2", "select 1", "select 0"]
    found = client.list_statements(StatementName=database.name, Status="FAILED")["Statements"]
    assert [item["Id"] for item in found] == [failed]
    arguments = {"StatementName": database.name, "Status": "ALL"}
    first = client.list_statements(MaxResults=2, **arguments)
    second = client.list_statements(MaxResults=2, NextToken=first["NextToken"], **arguments)
    names = [item["StatementName"] for page in (first, second) for item in page["Statements"]]
    assert names == [f"{database.name}-{end}" for end in ("bad", "2", "1", "0")]
    assert "NextToken" not in second
    elsewhere = client.list_statements(Status="ALL", WorkgroupName="other", Database=database.name)
    assert elsewhere["Statements"] == []


def test_the_catalog_operations_show_schemas_tables_and_columns(
    client: Any, database: Database
) -> None:
    database.ok(
        "create schema s",
        "create table s.t_one (a int not null, b varchar(7) default 'x')",
        "create table t_two (a int)",
        "create view v as select 1 as x",
    )
    assert database.name in client.list_databases(**database.target)["Databases"]
    assert {"public", "s"} <= set(client.list_schemas(**database.target)["Schemas"])
    matching = client.list_tables(TablePattern="t%", **database.target)["Tables"]
    assert matching == [
        {"name": "t_two", "schema": "public", "type": "TABLE"},
        {"name": "t_one", "schema": "s", "type": "TABLE"},
    ]
    first = client.list_tables(MaxResults=1, **database.target)
    assert len(first["Tables"]) == 1
    assert first["NextToken"] == "1"
    with pytest.raises(ClientError, match="NextToken is invalid"):
        client.list_tables(NextToken="x", **database.target)
    columns = client.describe_table(Schema="s", Table="t_one", **database.target)["ColumnList"]
    assert [(c["name"], c["typeName"], c["nullable"], c["length"]) for c in columns] == [
        ("a", "int4", 0, 0),
        ("b", "varchar", 1, 7),
    ]
    assert columns[1]["columnDefault"] == "'x'"


def test_databases_of_workgroups_and_clusters_are_apart(client: Any, database: Database) -> None:
    database.ok("create table t (a int)")
    elsewhere = Database(client, database.name, WorkgroupName="other")
    cluster = Database(client, database.name, ClusterIdentifier="analytics")
    for one in (elsewhere, cluster):
        assert "does not exist" in one.error("select * from t")
    described = cluster.ok("select 1")
    assert described["ClusterIdentifier"] == "analytics"


def test_the_platform_sends_an_event_when_asked(platform: Platform, database: Database) -> None:
    events, sqs = platform.client("events"), platform.client("sqs")
    queue = sqs.create_queue(QueueName=f"q-{database.name.replace('_', '-')}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="r", EventPattern='{"source": ["aws.redshift-data"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])
    described = database.ok("select 1", WithEvent=True, StatementName="told")
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    assert len(received) == 1
    assert described["Id"] in received[0]["Body"]
    assert '"state": "FINISHED"' in received[0]["Body"]
    events.remove_targets(Rule="r", Ids=["1"])
