"""DynamoDB: getItem, putItem, updateItem and deleteItem, attribute values as the API has them."""

from __future__ import annotations

from penstock_local.asl.integrations.errors import SdkV1Service
from penstock_local.asl.integrations.optimized import OptimizedIntegration


class DynamoDb(OptimizedIntegration):
    """`dynamodb:*Item`. Note `DynamoDB.` in errors, where aws-sdk has `DynamoDb.`."""

    sdk = SdkV1Service("dynamodb", "DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException")
