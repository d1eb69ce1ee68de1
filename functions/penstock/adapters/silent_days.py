"""The days for which people know already that a category was silent: SILENT#<category> / <day>."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.adapters.attribute_values import to_item

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient


class SilentDays:
    """What people have been told, so that they are not told every hour."""

    def __init__(self, client: DynamoDBClient, table: str, expires_at: Callable[[], int]) -> None:
        self._client = client
        self._table = table
        self._expires_at = expires_at

    def is_told(self, category: str, day: str) -> bool:
        """Tell whether people know."""
        answer = self._client.get_item(
            TableName=self._table, Key=_key(category, day), ConsistentRead=True
        )
        return "Item" in answer

    def note(self, category: str, day: str, now: str) -> None:
        """Note that people know. To be called after they were told: twice is better than never."""
        item = _key(category, day) | to_item({"ToldAt": now, "ExpiresAt": self._expires_at()})
        self._client.put_item(TableName=self._table, Item=item)


def _key(category: str, day: str) -> dict[str, Any]:
    return to_item({"PK": f"SILENT#{category}", "SK": day})
