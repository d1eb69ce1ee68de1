"""DynamoDB in memory."""

from __future__ import annotations

from tests.unit.conftest import aws, dynamodb

__all__ = ["aws", "dynamodb"]
