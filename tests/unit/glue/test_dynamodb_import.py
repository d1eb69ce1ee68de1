"""First loads into a new table: imported whole, or refused, or failed with the place of the log."""

from __future__ import annotations

import gzip
import json
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from penstock_job.contract import JobArgumentParser, contract_of
from penstock_job.dynamodb_import import DynamoDbImport
from penstock_job.errors import ArgumentsError, LoadError
from penstock_job.lease import Lease
from penstock_job.load_records import LoadRecords
from penstock_job.object_store import ObjectStore
from tests.unit.glue.conftest import BUCKET, JOB_ID, arguments
from tests.unit.glue.loading import DAYS, JOB, given, load, rejects

TABLE = "new-daily-cases"
pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock_job.dynamodb_import.FIRST_POLL_SECONDS", 0.05)


def count() -> int:
    found: int = boto3.resource("dynamodb").Table(TABLE).scan(Select="COUNT")["Count"]
    return found


def test_a_new_table_is_made_with_every_record_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock_job.dynamodb_import.ITEMS_OF_A_FILE", 25)
    given(f"SELECT * FROM ({DAYS}) UNION ALL SELECT NULL, 1, 1")

    result = load(dynamodb_table=TABLE, dynamodb_import=True)

    assert (result.rows_written, result.rows_rejected, len(rejects())) == (60, 1, 1)
    assert result.outputs[0].path == f"dynamodb://{TABLE}"
    items = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert len(items) == 60
    assert {"date": {"S": "2020-01-23"}, "cases": {"N": "10"}} in items
    prefix = f"data/Daily_Covid/{JOB}/job_id={JOB_ID}/attempt=1/_dynamodb_import/"
    s3 = boto3.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]]
    bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
    lines = [gzip.decompress(body).decode().splitlines() for body in bodies]
    assert [len(part) for part in lines] == [25, 25, 10]
    assert json.loads(lines[0][0])["Item"]["cases"]["N"].isdigit()


def test_a_table_that_exists_is_refused_before_anything_is_written() -> None:
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "date", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "date", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    given(DAYS)

    with pytest.raises(LoadError, match="exists, and an import makes a new one"):
        load(dynamodb_table=TABLE, dynamodb_import="true")

    assert count() == 0


def test_a_later_attempt_takes_the_import_of_an_earlier_one_for_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class KilledError(BaseException):
        pass

    def killed(self: DynamoDbImport, arn: str) -> Any:
        raise KilledError

    given(DAYS)
    with monkeypatch.context() as patch:
        patch.setattr(DynamoDbImport, "_wait", killed)
        with pytest.raises(KilledError):
            load(dynamodb_table=TABLE, dynamodb_import="true")

    result = load(attempt=2, dynamodb_table=TABLE, dynamodb_import="true")
    again = load(attempt=3, dynamodb_table=TABLE, dynamodb_import="true")

    assert result.rows_written == again.rows_written == 60
    assert count() == 60


def test_a_key_that_dynamodb_does_not_have_is_refused() -> None:
    given("SELECT 1 AS a, 2 AS b, 3 AS c, TRUE AS d")

    with pytest.raises(LoadError, match="at most two key columns, not 3"):
        load(key=["a", "b", "c"], dynamodb_table=TABLE, dynamodb_import="true")
    with pytest.raises(LoadError, match="key d is boolean, not text or number"):
        load(key=["a", "d"], dynamodb_table=TABLE, dynamodb_import="true")
    with pytest.raises(ArgumentsError, match="dynamodb_import is 'maybe', not true or false"):
        load(key="a", dynamodb_table=TABLE, dynamodb_import="maybe")


class Held(Lease):
    """A lease that nobody contests."""

    def __init__(self) -> None:
        pass

    def require(self) -> None:
        pass


def stubbed(engine: Any, attempt: int = 1) -> tuple[DynamoDbImport, LoadRecords, Stubber]:
    contract = contract_of(JobArgumentParser("").read(arguments(JOB, attempt)))
    client = boto3.client("dynamodb")
    target = DynamoDbImport(ObjectStore(), contract, TABLE, client)
    records = LoadRecords(engine, contract, "join_daily_cases", ["date"])
    stub = Stubber(client)
    stub.activate()
    return target, records, stub


def description(status: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{TABLE}/import/0123456789"
    return {"ImportTableDescription": {"ImportArn": arn, "ImportStatus": status, **more}}


LOG = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws-dynamodb/imports:*"


def test_items_that_were_not_imported_fail_the_load_and_the_next_attempt_begins_anew(
    engine: Any,
) -> None:
    given(DAYS)
    target, records, stub = stubbed(engine())
    tokens = []
    request = {
        "ClientToken": ANY,
        "S3BucketSource": {"S3Bucket": BUCKET, "S3KeyPrefix": ANY},
        "InputFormat": "DYNAMODB_JSON",
        "InputCompressionType": "GZIP",
        "TableCreationParameters": {
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "date", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "date", "AttributeType": "S"}],
        },
    }
    failed = description(
        "FAILED", ErrorCount=2, ImportedItemCount=58, ProcessedItemCount=60,
        FailureCode="ItemValidationError", FailureMessage="Some items failed",
        CloudWatchLogGroupArn=LOG,
    )  # fmt: skip
    done = description("COMPLETED", ErrorCount=0, ImportedItemCount=60, ProcessedSizeBytes=999)
    stub.add_client_error("describe_table", "ResourceNotFoundException")
    stub.add_response("import_table", description("IN_PROGRESS"), request)
    stub.add_response("describe_import", description("IN_PROGRESS", ProcessedItemCount=7))
    stub.add_response("describe_import", failed)

    target.judge(records)
    with pytest.raises(LoadError) as error:
        target.load(records, Held())

    assert str(error.value) == (
        f"the import into DynamoDB table {TABLE} is FAILED with 2 errors, 58 of 60 items imported: "
        f"ItemValidationError: Some items failed. Errors are logged in {LOG}. Delete the table "
        "before the load is run again"
    )
    tokens.append(target._note["token"])
    target, records, stub = stubbed(engine(), attempt=2)
    stub.add_response("describe_import", failed)
    stub.add_response("import_table", description("IN_PROGRESS"), request)
    stub.add_response("describe_import", done)
    target.judge(records)
    assert target.load(records, Held()) == 999
    tokens.append(target._note["token"])
    assert len(set(tokens)) == 2
    stub.assert_no_pending_responses()


def test_an_attempt_killed_before_it_heard_of_its_import_repeats_the_very_same_call(
    engine: Any,
) -> None:
    given(DAYS)
    target, records, stub = stubbed(engine())
    stub.add_client_error("describe_table", "ResourceNotFoundException")
    stub.add_client_error("import_table", "InternalServerError")
    target.judge(records)
    with pytest.raises(LoadError):
        target.load(records, Held())
    first = target._request(records)

    target, records, stub = stubbed(engine(), attempt=2)
    stub.add_response("import_table", description("IN_PROGRESS"), dict(first))
    stub.add_response("describe_import", description("COMPLETED", ImportedItemCount=60))
    target.judge(records)
    target.load(records, Held())

    stub.assert_no_pending_responses()
