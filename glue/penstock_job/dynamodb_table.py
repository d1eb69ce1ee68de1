"""Puts many items to a DynamoDB table: in batches, in parallel, again where it was too much.

A put replaces the whole item under its key, so loading the same data twice leaves the same table.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from penstock_job.errors import LoadError

BATCH_ITEMS = 25  # BatchWriteItem takes no more
THREADS = 8
ATTEMPTS = 12
TIMEOUT_SECONDS = 60
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 5.0
SERVER_FAULT = 500
OK = 200
THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}


@dataclass(frozen=True)
class Refused:
    """An item that DynamoDB does not take: its number and DynamoDB's reason."""

    number: int
    reason: str


Item = tuple[int, str]  # the number of its record, its JSON


class DynamoDbTable:
    """One table. Requests are signed here: they carry the items' JSON as it is rendered."""

    def __init__(self, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._sleep = sleep
        session = boto3.Session()
        client = session.client("dynamodb")
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self._describe: Callable[..., Any] = client.describe_table
        self._endpoint: str = client.meta.endpoint_url
        self._region: str = client.meta.region_name
        self._credentials = credentials
        self._http = URLLib3Session(timeout=TIMEOUT_SECONDS, max_pool_connections=THREADS)

    def key_types(self) -> dict[str, str]:
        """The key attributes and their types (S, N or B)."""
        try:
            table = self._describe(TableName=self.name)["Table"]
        except ClientError as error:
            raise LoadError(f"DynamoDB table {self.name}: {error}") from error
        types = {
            attribute["AttributeName"]: attribute["AttributeType"]
            for attribute in table["AttributeDefinitions"]
        }
        return {key["AttributeName"]: types[key["AttributeName"]] for key in table["KeySchema"]}

    def put(self, items: Iterable[Item]) -> list[Refused]:
        """Put all items, which must differ in their keys; gives those that were refused."""
        refused: list[Refused] = []
        batches = _batches(items, BATCH_ITEMS)
        with ThreadPoolExecutor(THREADS) as pool:
            # A window at a time: submitting all batches at once would hold all items in memory.
            while window := list(islice(batches, THREADS * 8)):
                for part in pool.map(self._put_batch, window):
                    refused += part
        return refused

    def _put_batch(self, batch: list[Item]) -> list[Refused]:
        requests = [f'{{"PutRequest":{{"Item":{body}}}}}' for _, body in batch]
        for attempt in range(ATTEMPTS):
            if attempt:
                pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
                self._sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
            answer = self._post(requests)
            if answer.is_refusal:
                return self._bisected(batch, answer.reason)
            if answer.error is None:
                requests = answer.unprocessed(self.name)
            if not requests:
                return []
        raise LoadError(
            f"DynamoDB table {self.name} did not take {len(requests)} items in {ATTEMPTS} "
            f"attempts: {answer.reason or 'unprocessed every time'}"
        )

    def _bisected(self, batch: list[Item], reason: str) -> list[Refused]:
        # One bad item makes DynamoDB refuse its whole batch.
        if len(batch) == 1:
            return [Refused(batch[0][0], reason)]
        middle = len(batch) // 2
        return self._put_batch(batch[:middle]) + self._put_batch(batch[middle:])

    def _post(self, requests: list[str]) -> Answer:
        body = f'{{"RequestItems":{{{json.dumps(self.name)}:[{",".join(requests)}]}}}}'
        request = AWSRequest(
            method="POST",
            url=self._endpoint,
            data=body.encode(),
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
            },
        )
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, "dynamodb", self._region).add_auth(request)
        try:
            response = self._http.send(request.prepare())
        except HTTPClientError as error:
            return Answer("HTTPClientError", str(error), {})
        return _read_answer(self.name, response.status_code, response.content)


@dataclass(frozen=True)
class Answer:
    error: str | None
    reason: str
    content: dict[str, Any]

    @property
    def is_refusal(self) -> bool:
        return self.error == "ValidationException"

    def unprocessed(self, table: str) -> list[str]:
        left = self.content.get("UnprocessedItems", {}).get(table, [])
        return [json.dumps(request) for request in left]


def _read_answer(table: str, status: int, content: bytes) -> Answer:
    """The answer, or a failure worth another attempt; raises LoadError for any other."""
    try:
        body: dict[str, Any] = json.loads(content)
    except ValueError:
        body = {}
    if status == OK:
        return Answer(None, "", body)
    name = str(body.get("__type", "")).rpartition("#")[2]
    reason = str(body.get("message") or body.get("Message") or f"HTTP {status}")
    if name == "ValidationException" or name in THROTTLED or status >= SERVER_FAULT:
        return Answer(name or "ServerFault", reason, {})
    raise LoadError(f"DynamoDB table {table}: {name or status}: {reason}")


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
