"""Objects in S3 for ItemReader and ResultWriter, which speak as the SDK for Java v1 does."""

from __future__ import annotations

from typing import Any

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations.call import Caller
from penstock_local.asl.integrations.clients import Answer, Clients
from penstock_local.asl.integrations.errors import (
    CallFailedError,
    SdkV1Service,
    optimized_error,
)

_SDK = SdkV1Service(
    "s3", "S3", "Amazon S3", "AmazonS3Exception", unmodelled=frozenset({"AccessDenied"})
)


class S3Objects:
    """Reads, lists and writes objects in the name of a caller.

    All methods raise StateError whose cause is the SDK's message; Distributed Map gives it the
    name that fits (`States.ItemReaderFailed`).
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def get(self, caller: Caller, arguments: dict[str, Any]) -> bytes:
        """The content of an object; `arguments` are GetObject's (Bucket, Key, VersionId…)."""
        answer = await self._call(caller, "GetObject", arguments)
        body: bytes = answer.output["Body"]
        return body

    async def listing(
        self, caller: Caller, arguments: dict[str, Any], limit: int
    ) -> list[dict[str, Any]]:
        """Up to `limit` entries of a listing, as the API has them; arguments of ListObjectsV2."""
        found: list[dict[str, Any]] = []
        following: dict[str, Any] = {}
        while True:
            answer = await self._call(caller, "ListObjectsV2", {**arguments, **following})
            found += answer.output.get("Contents", [])
            token = answer.output.get("NextContinuationToken")
            if token is None or len(found) >= limit:
                return found[:limit]
            following = {"ContinuationToken": token}

    async def put(self, caller: Caller, arguments: dict[str, Any]) -> None:
        """Write an object; `arguments` are PutObject's."""
        await self._call(caller, "PutObject", arguments)

    async def _call(self, caller: Caller, operation: str, arguments: dict[str, Any]) -> Answer:
        try:
            return await self._clients.call(caller, "s3", operation, arguments)
        except CallFailedError as error:
            failure = optimized_error(error, _SDK)
            raise StateError(failure.error, failure.cause) from error
