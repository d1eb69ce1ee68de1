"""A DynamoDB table as a load sees it: how it and its indexes are keyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from penstock_job.errors import LoadError

PARTITION_KEY, SORT_KEY = "HASH", "RANGE"
MOST_KEY_BYTES = {PARTITION_KEY: 2048, SORT_KEY: 1024}


@dataclass(frozen=True)
class KeyAttribute:
    """An attribute that is a key of the table or of an index: its type is S, N or B."""

    name: str
    type: str
    role: str
    of_index: bool = False

    @property
    def most_bytes(self) -> int:
        """The most bytes that a value may have."""
        return MOST_KEY_BYTES[self.role]


@dataclass(frozen=True)
class TableKeys:
    """The keys of a table and of its indexes."""

    table: Sequence[KeyAttribute]
    indexes: Sequence[KeyAttribute]

    @property
    def types(self) -> Mapping[str, str]:
        """The types of the table's own key attributes."""
        return {key.name: key.type for key in self.table}


def find_keys(client: Any, name: str) -> TableKeys | None:
    """The keys of a table; None where there is no such table. Raises LoadError if AWS refuses."""
    try:
        table = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise LoadError(f"DynamoDB table {name}: {error}") from error
    types = {
        attribute["AttributeName"]: attribute["AttributeType"]
        for attribute in table["AttributeDefinitions"]
    }
    indexes = [
        *table.get("GlobalSecondaryIndexes", []),
        *table.get("LocalSecondaryIndexes", []),
    ]
    own = _attributes(table["KeySchema"], types, of_index=False)
    known = {key.name for key in own}
    further = {
        key.name: key
        for index in indexes
        for key in _attributes(index["KeySchema"], types, of_index=True)
        if key.name not in known
    }
    return TableKeys(own, list(further.values()))


def _attributes(
    keys: Sequence[Mapping[str, str]], types: Mapping[str, str], *, of_index: bool
) -> list[KeyAttribute]:
    return [
        KeyAttribute(key["AttributeName"], types[key["AttributeName"]], key["KeyType"], of_index)
        for key in keys
    ]
