"""One conditional update of one item, and what the item held if the condition was not met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from penstock.adapters.expression import Expression

CONDITION_FAILED: Final = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Updated:
    """The item after the update, or as it stood in its way; empty if there is none.

    `was_retried`: the SDK has sent the request more than once, so an earlier one may have been
    carried out although its answer was lost, and "not done" need not be true.
    """

    item: dict[str, Any]
    done: bool
    was_retried: bool = False


def update_item(
    client: DynamoDBClient,
    table: str,
    key: dict[str, Any],
    expression: Expression,
    update: str,
    condition: str = "",
    answer: str = "ALL_NEW",
) -> Updated:
    """Update the item if the condition holds; `answer` is ALL_NEW or ALL_OLD."""
    request: dict[str, Any] = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": update,
        "ReturnValues": answer,
        **expression.arguments(),
    }
    if condition:
        request["ConditionExpression"] = condition
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    try:
        return Updated(dict(client.update_item(**request).get("Attributes", {})), done=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != CONDITION_FAILED:
            raise
        answer_to_error: dict[str, Any] = dict(error.response)
        attempts = answer_to_error["ResponseMetadata"].get("RetryAttempts", 0)
        return Updated(answer_to_error.get("Item", {}), done=False, was_retried=attempts > 0)
