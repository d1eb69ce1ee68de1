"""A new DynamoDB table as the target of a load: made by ImportTable from files on S3.

For first loads: an import takes no write capacity and costs a fraction of puts, but makes a table
of its own. So it is refused where the table exists.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from penstock_job.contract import JobContract
from penstock_job.dataset import attempt_path
from penstock_job.dynamodb_items import attribute_type, unstorable_cases
from penstock_job.dynamodb_table import PARTITION_KEY, SORT_KEY, KeyAttribute, find_keys
from penstock_job.dynamodb_writer import Item
from penstock_job.errors import LoadError
from penstock_job.lease import Lease
from penstock_job.load_records import LoadRecords
from penstock_job.object_store import ObjectStore, split

logger = logging.getLogger(__name__)
ITEMS_OF_A_FILE = 200_000
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 1.0, 30.0
TIMEOUT_SECONDS = 12 * 3600.0
RUNNING = ("IN_PROGRESS", "CANCELLING")
# An item is rendered as {"PutRequest":{"Item":{…}}}; a line of an import is what is within.
BEFORE, AFTER = len('{"PutRequest":'), len("}")


class DynamoDbImport:
    """Imports the records into a table that is made for them. The key's first column is its hash.

    Which import belongs to the job ID is written down before it is started, so that a later attempt
    waits for the import of an earlier one rather than being refused for the table it has made.
    """

    def __init__(
        self, store: ObjectStore, contract: JobContract, table: str, client: Any = None
    ) -> None:
        self.name = table
        self.address = f"dynamodb://{table}"
        self._store = store
        self._contract = contract
        self._client = client or boto3.client("dynamodb")
        job_path = attempt_path(contract).rpartition("/")[0]
        self._note_path = f"{job_path}/_dynamodb_import_{table}.json"
        self._poll_seconds = FIRST_POLL_SECONDS
        self._note: dict[str, str] = {}

    def judge(self, records: LoadRecords) -> None:
        """Set aside what DynamoDB would not import. Raises LoadError where the table exists."""
        note = json.loads(self._store.read(self._note_path) or b"{}")
        if note.get("source") == records.source:
            self._note = note
        elif find_keys(self._client, self.name):
            raise LoadError(
                f"DynamoDB table {self.name} exists, and an import makes a new one: leave out "
                "dynamodb_import to load into the table as it is"
            )
        records.reject(unstorable_cases(records.schema, self._keys(records)))

    def load(self, records: LoadRecords, lease: Lease) -> int:
        """Import every record's item, and wait for the end."""
        lease.require()
        if self._note.get("arn"):
            ended = self._wait(self._note["arn"])
            if ended["ImportStatus"] == "COMPLETED":
                return self._imported(ended, records)
            self._note = {}  # it failed: this attempt has its own
        if not self._note:
            self._note_down(records, token=self._token(), prefix=self._write(records))
        try:
            answer = self._client.import_table(**self._request(records))["ImportTableDescription"]
        except ClientError as error:
            raise LoadError(f"DynamoDB table {self.name} is not imported: {error}") from error
        self._note_down(records, **self._note, arn=answer["ImportArn"])
        return self._imported(self._wait(answer["ImportArn"]), records)

    def _keys(self, records: LoadRecords) -> list[KeyAttribute]:
        if len(records.key) > 2:
            raise LoadError(f"a DynamoDB table has at most two key columns, not {len(records.key)}")
        keys = [
            KeyAttribute(name, attribute_type(records.schema[name]), role)
            for name, role in zip(records.key, (PARTITION_KEY, SORT_KEY))
        ]
        for key in keys:
            if key.type not in ("S", "N"):
                raise LoadError(f"key {key.name} is {records.schema[key.name]}, not text or number")
        return keys

    def _request(self, records: LoadRecords) -> Mapping[str, Any]:
        bucket, prefix = split(self._note["prefix"])
        keys = self._keys(records)
        return {
            "ClientToken": self._note["token"],
            "S3BucketSource": {"S3Bucket": bucket, "S3KeyPrefix": prefix},
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": "GZIP",
            "TableCreationParameters": {
                "TableName": self.name,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": key.name, "KeyType": key.role} for key in keys],
                "AttributeDefinitions": [
                    {"AttributeName": key.name, "AttributeType": key.type} for key in keys
                ],
            },
        }

    def _token(self) -> str:
        contract = self._contract
        parts = (contract.job_id, contract.job_name, self.name, contract.attempt)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _note_down(self, records: LoadRecords, **note: str) -> None:
        self._note = {**note, "source": records.source}
        self._store.write(self._note_path, json.dumps(self._note).encode(), "application/json")

    def _write(self, records: LoadRecords) -> str:
        """Write the items as the import reads them; gives the prefix of the files."""
        prefix = f"{attempt_path(self._contract)}/_dynamodb_import/"
        with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
            for number, part in enumerate(_parts(records.items())):
                file = Path(folder) / f"items-{number:05d}.json.gz"
                with gzip.open(file, "wb", compresslevel=3) as lines:
                    lines.writelines(body[BEFORE:-AFTER] + b"\n" for _, body in part)
                self._store.upload(file, f"{prefix}{file.name}")
                file.unlink()
        return prefix

    def _wait(self, arn: str) -> Mapping[str, Any]:
        pause, waited = self._poll_seconds, 0.0
        while True:
            description: Mapping[str, Any] = self._client.describe_import(ImportArn=arn)[
                "ImportTableDescription"
            ]
            if description["ImportStatus"] not in RUNNING:
                return description
            if waited > TIMEOUT_SECONDS:
                raise LoadError(f"{arn} has not ended in {waited / 3600:.0f} hours")
            count = description.get("ProcessedItemCount", 0)
            logger.info("%s: %d items processed by the import", self.name, count)
            time.sleep(pause)
            waited += pause
            pause = min(LONGEST_POLL_SECONDS, pause * 1.5)

    def _imported(self, description: Mapping[str, Any], records: LoadRecords) -> int:
        status, errors = description["ImportStatus"], description.get("ErrorCount", 0)
        imported = description.get("ImportedItemCount", 0)
        if status != "COMPLETED" or errors or imported != records.count():
            raise LoadError(
                f"the import into DynamoDB table {self.name} is {status} with {errors} errors, "
                f"{imported} of {records.count()} items imported"
                f"{_failure(description)}. Errors are logged in "
                f"{description.get('CloudWatchLogGroupArn', 'no log')}. Delete the table before "
                "the load is run again"
            )
        return int(description.get("ProcessedSizeBytes", 0))


def _failure(description: Mapping[str, Any]) -> str:
    code, message = description.get("FailureCode"), description.get("FailureMessage")
    return f": {code}: {message}" if code else ""


def _parts(items: Iterator[Item]) -> Iterator[Iterable[Item]]:
    """The items of one file after the other. A file is to be read before the next is asked for."""
    for first in items:
        yield chain([first], islice(items, ITEMS_OF_A_FILE - 1))
