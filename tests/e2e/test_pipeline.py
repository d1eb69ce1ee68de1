"""The example pipeline on the deployed template: good days, missing sources, missing rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.stack import Stack

from penstock_cli import example, run_log, sample_sources

REDSHIFT = {"workgroup": example.WORKGROUP, "database": example.DATABASE}


def query(stack: Stack, sql: str, **parameters: str) -> list[dict[str, Any]]:
    return run_log.query(stack.client("redshift-data"), sql, parameters=parameters, **REDSHIFT)


def test_the_real_data_gives_exactly_the_known_result(stack: Stack, real_data: Path) -> None:
    with example.sources(real_data) as url:
        stack.apply(url)
        ran = stack.run()

    assert ran.ending.status == "SUCCEEDED", ran.digest
    assert set(ran.outcomes.values()) == {"SUCCEEDED"}
    assert ran.job("extract_us_cases").rows_read == 142
    assert ran.job("extract_us_recovered").rows_read == 36_580
    assert ran.job("join_daily_cases").rows_written == 137
    (total,) = query(
        stack,
        "SELECT COUNT(*) AS n, SUM(cases) AS c, SUM(deaths) AS d, SUM(recovered) AS r,"
        " MIN(date) AS first, MAX(date) AS last FROM public.daily_cases",
    )
    assert [int(total[each]) for each in "ncdr"] == [137, 77_415_994, 4_352_098, 13_366_756]
    assert (str(total["first"])[:10], str(total["last"])[:10]) == ("2020-01-22", "2020-06-06")
    items = stack.client("dynamodb").scan(TableName=stack.output("DailyCasesTable"), Select="COUNT")
    assert items["Count"] == 137


def test_a_second_run_of_the_same_day_doubles_nothing(stack: Stack, real_data: Path) -> None:
    with example.sources(real_data) as url:
        stack.apply(url)
        ran = stack.run()

    assert ran.view.verdict == "SUCCEEDED", ran.digest
    (total,) = query(stack, "SELECT COUNT(*) AS n FROM public.daily_cases")
    assert int(total["n"]) == 137
    log = query(stack, "SELECT * FROM etl.run_log WHERE job_id = :id", id=ran.view.job_id)
    assert len(log) == 1


def test_a_missing_source_fails_its_job_blocks_its_descendants_and_no_other(
    stack: Stack, tmp_path: Path
) -> None:
    sample_sources.write_sample(tmp_path)
    (tmp_path / sample_sources.CASES_FILE).unlink()
    with example.sources(tmp_path) as url:
        stack.apply(url)
        ran = stack.run()

    assert ran.ending.status == "FAILED"
    assert ran.view.verdict == "PARTIAL"
    assert ran.outcomes == {
        "extract_us_cases": "FAILED",
        "extract_us_recovered": "SUCCEEDED",
        "clean_us_cases": "BLOCKED",
        "filter_us_recovered": "SUCCEEDED",
        "join_daily_cases": "BLOCKED",
        "load_daily_cases": "BLOCKED",
    }
    cause = ran.job("extract_us_cases").error or ""
    assert f"{url}/us.csv" in cause
    assert "404" in cause
    digest = ran.digest
    assert "404" in digest
    assert "BLOCKED" in digest
    assert "PARTIAL" in digest


@contextmanager
def without_permission(stack: Stack, action: str) -> Iterator[None]:
    """Take one action out of the state machine's role, as if the template lacked it."""
    machine = stack.client("stepfunctions").describe_state_machine(
        stateMachineArn=stack.output("PipelineStateMachineArn")
    )
    iam, role = stack.client("iam"), machine["roleArn"].rsplit("/", 1)[-1]
    before = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }

    def put(documents: dict[str, Any]) -> None:
        for name, document in documents.items():
            text = json.dumps(document)
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)

    changed = {
        name: json.loads(json.dumps(doc).replace(action, "s3:GetBucketTagging"))
        for name, doc in before.items()
    }
    assert changed != before
    put(changed)
    try:
        yield
    finally:
        put(before)


def test_a_missing_permission_fails_the_run_and_names_the_action(stack: Stack) -> None:
    with example.sources(None) as url, without_permission(stack, "glue:StartJobRun"):
        stack.apply(url)
        ran = stack.run()

    assert ran.ending.status == "FAILED"
    assert ran.view.verdict in {"PARTIAL", "FAILED"}
    assert ran.job("extract_us_cases").state == "FAILED"
    assert "glue:StartJobRun" in (ran.job("extract_us_cases").error or "")
    assert "glue:StartJobRun" in ran.digest


def test_an_unknown_category_ends_as_failed_with_a_digest(stack: Stack) -> None:
    ran = stack.run(category="No_Such_Category")
    assert ran.ending.status == "FAILED"
    assert ran.view.verdict == "FAILED"
    assert "No_Such_Category" in ran.digest


def test_the_digest_reaches_the_subscribers(stack: Stack) -> None:
    topic = stack.output("NotificationTopicArn")
    sqs, sns = stack.client("sqs"), stack.client("sns")
    queue = sqs.create_queue(QueueName="reader")["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = asked["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]

    ran = stack.run(category="No_Such_Category")
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)
    sns.unsubscribe(SubscriptionArn=subscription)

    message = json.loads(received["Messages"][0]["Body"])
    assert message["Message"] == ran.digest
    assert "FAILED" in message["Subject"]
    assert "No_Such_Category" in message["Subject"]
