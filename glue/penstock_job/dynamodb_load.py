"""DynamoDB as the target of a load."""

from __future__ import annotations

import math

import boto3

from penstock_job.dynamodb_items import attribute_type, unstorable_cases
from penstock_job.dynamodb_table import TableKeys, find_keys
from penstock_job.dynamodb_writer import DynamoDbWriter
from penstock_job.errors import LoadError
from penstock_job.lease import Lease
from penstock_job.load_records import LoadRecords


class DynamoDbLoad:
    """Puts the records to a table that exists. Raises LoadError where it is keyed otherwise."""

    def __init__(self, table: str, max_reject_ratio: float | None) -> None:
        self.name = table
        self.address = f"dynamodb://{table}"
        self._ratio = max_reject_ratio

    def judge(self, records: LoadRecords) -> None:
        """Set aside what DynamoDB would refuse: its own refusals cost requests."""
        keys = find_keys(boto3.client("dynamodb"), self.name)
        if keys is None:
            raise LoadError(f"DynamoDB table {self.name} does not exist")
        self._require_keys(keys, records)
        records.reject(unstorable_cases(records.schema, [*keys.table, *keys.indexes]))

    def load(self, records: LoadRecords, lease: Lease) -> int:
        """Put every record's whole item."""
        most_refused = None
        if self._ratio is not None:
            # Rejects of earlier runs are under no limit, so all of them may be refused besides.
            most_refused = math.floor(self._ratio * records.rows) - records.refused_anew()
            most_refused += records.trial.joined
        puts = DynamoDbWriter(self.name, allowed=lease.require).put(
            records.items(), records.count(), most_refused
        )
        records.reject_refused(puts.refused)
        return puts.bytes

    def _require_keys(self, keys: TableKeys, records: LoadRecords) -> None:
        given = {name: attribute_type(records.schema[name]) for name in records.key}
        if keys.types != given:
            raise LoadError(
                f"DynamoDB table {self.name} is keyed by {keys.types}, the load by {given}"
            )
        for key in keys.indexes:
            kind = records.schema.get(key.name)
            if kind is not None and attribute_type(kind) != key.type:
                raise LoadError(
                    f"DynamoDB table {self.name} has an index by {key.name} of type {key.type}, "
                    f"the load has {kind}"
                )
