"""Several items of a table written at once, each under a condition, or none of them."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MOST_CONFLICTS: Final = 6


def write_all(client: DynamoDBClient, writes: list[Any]) -> bool:
    """Write all; False if nothing was written because a condition did not hold."""
    for attempt in range(_MOST_CONFLICTS):
        try:
            client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            codes = _cancellation_codes(error)
            if codes == {"ConditionalCheckFailed"}:
                return False
            if "TransactionConflict" not in codes or attempt == _MOST_CONFLICTS - 1:
                raise
            time.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 - jitter, no secret
        else:
            return True
    return False


def _cancellation_codes(error: ClientError) -> set[str]:
    """Return why single items stopped a transaction; empty for any other error."""
    answer: dict[str, Any] = dict(error.response)
    reasons = answer.get("CancellationReasons", [])
    return {reason["Code"] for reason in reasons if reason.get("Code", "None") != "None"}
