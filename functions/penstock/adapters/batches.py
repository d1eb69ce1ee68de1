"""Many items in few requests; DynamoDB may carry out a part only, and the rest is sent again."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.errors import AwsBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

_PUTS: Final = 25
_GETS: Final = 100
_LONGEST_PAUSE: Final = 5.0
_MOST_REQUESTS: Final = 12


def put_all(client: DynamoDBClient, table: str, items: Sequence[dict[str, Any]]) -> None:
    """Put all items, replacing what is there."""

    def put(writes: list[Any]) -> list[Any]:
        answer = client.batch_write_item(RequestItems={table: writes})
        return list(answer.get("UnprocessedItems", {}).get(table, []))

    for start in range(0, len(items), _PUTS):
        chunk = items[start : start + _PUTS]
        _repeat(put, [{"PutRequest": {"Item": item}} for item in chunk])


def get_all(
    client: DynamoDBClient, table: str, keys: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the items that exist under the keys, consistently read, in any order."""
    found: list[dict[str, Any]] = []

    def get(wanted: list[Any]) -> list[Any]:
        answer = client.batch_get_item(
            RequestItems={table: {"Keys": wanted, "ConsistentRead": True}}
        )
        found.extend(dict(item) for item in answer.get("Responses", {}).get(table, []))
        left = answer.get("UnprocessedKeys", {}).get(table)
        return list(left["Keys"]) if left else []

    for start in range(0, len(keys), _GETS):
        _repeat(get, list(keys[start : start + _GETS]))
    return found


def _repeat(send: Callable[[list[Any]], list[Any]], left: list[Any]) -> None:
    """Send what is left until nothing is, with a growing random pause as AWS recommends."""
    for attempt in range(_MOST_REQUESTS):
        left = send(left)
        if not left:
            return
        time.sleep(random.uniform(0, min(_LONGEST_PAUSE, 0.05 * 2**attempt)))  # noqa: S311
    raise AwsBusyError(f"DynamoDB left {len(left)} items of a batch undone")
