"""Many puts: what is sent, what is sent again, what is given up; signed as botocore signs."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from penstock_job import dynamodb_writer
from penstock_job.dynamodb_writer import DynamoDbWriter, Item, Puts
from penstock_job.errors import LeaseError, LoadError
from penstock_job.signed_endpoint import SignedEndpoint, UnansweredError

TABLE = "orders"
TAKEN = (200, b'{"UnprocessedItems":{}}')
THROTTLED = (
    400,
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}',
)
BROKEN = (500, b"<html>")


def refusal(reason: str) -> tuple[int, bytes]:
    kind = "com.amazon.coral.validate#ValidationException"
    return 400, json.dumps({"__type": kind, "message": reason}).encode()


class Endpoint:
    """Takes batches as DynamoDB does; `answers` are given before its own."""

    def __init__(self, *answers: Any, bad: Callable[[str], bool] = lambda _: False) -> None:
        self.answers = list(answers)
        self.bad = bad
        self.stored: set[str] = set()
        self.requests: list[int] = []
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True

    def post(self, operation: str, body: bytes) -> tuple[int, bytes]:
        assert operation == "BatchWriteItem"
        requests = json.loads(body)["RequestItems"][TABLE]
        self.requests.append(len(requests))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            return answer
        keys = [request["PutRequest"]["Item"]["id"]["S"] for request in requests]
        if any(map(self.bad, keys)):
            return refusal("Item size has exceeded the maximum allowed size")
        taken = len(keys) if answer is None else answer
        self.stored |= set(keys[:taken])
        if taken == len(keys):
            return TAKEN
        return 200, json.dumps({"UnprocessedItems": {TABLE: requests[taken:]}}).encode()


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def items(count: int, text: str = "") -> Iterator[Item]:
    for number in range(count):
        item = {"id": {"S": str(number)}, "text": {"S": text}}
        yield number, json.dumps({"PutRequest": {"Item": item}}, ensure_ascii=False).encode()


def put(
    endpoint: Any, given: Iterator[Item], most_refused: int | None = None, time: Time | None = None
) -> Puts:
    time = time or Time()
    writer = DynamoDbWriter(TABLE, endpoint, sleep=time.sleep, clock=time.clock)
    return writer.put(given, 0, most_refused)


@pytest.mark.parametrize("count", [0, 1, 25, 26, 10_001])
def test_without_trouble_there_is_one_request_for_25_items(count: int) -> None:
    endpoint = Endpoint()

    puts = put(endpoint, items(count))

    assert len(endpoint.stored) == count
    assert (puts.items, puts.requests, puts.retries) == (count, math.ceil(count / 25), 0)
    assert len(endpoint.requests) == puts.requests
    assert endpoint.is_closed


def test_what_a_busy_table_leaves_over_is_sent_again_and_nothing_else() -> None:
    endpoint, time = Endpoint(10, THROTTLED, BROKEN, UnansweredError("reset"), 14), Time()

    puts = put(endpoint, items(25, "ü"), time=time)

    assert endpoint.requests == [25, 15, 15, 15, 15, 1]
    assert (puts.items, puts.requests, puts.retries) == (25, 6, 5)
    assert len(endpoint.stored) == 25


def test_pauses_are_drawn_between_nothing_and_a_bound_that_doubles_up_to_five_seconds() -> None:
    pauses = []
    for _ in range(30):
        time = Time()
        put(Endpoint(*[THROTTLED] * 12), items(1), time=time)
        pauses.append(time.pauses)

    longest = [max(column) for column in zip(*pauses, strict=True)]
    bounds = [min(5.0, 0.05 * 2**attempt) for attempt in range(1, 13)]
    assert all(bound * 0.5 < pause <= bound for pause, bound in zip(longest, bounds, strict=True))
    assert min(column for row in pauses for column in row) < 0.2


def test_a_table_that_takes_nothing_for_minutes_fails_the_load() -> None:
    time = Time()

    with pytest.raises(LoadError, match="taken none of 20 items for 300 s: slow down"):
        put(Endpoint(*[THROTTLED] * 1000), items(20), time=time)

    assert 300 < time.now < 310


def test_a_table_that_takes_little_at_a_time_is_waited_for() -> None:
    time = Time()
    answers = [answer for _ in range(24) for answer in (1, *[THROTTLED] * 12)]

    puts = put(Endpoint(*answers), items(25), time=time)

    assert puts.items == 25
    assert time.now > 300


def test_the_items_that_are_refused_are_found_by_halving_their_batch() -> None:
    endpoint = Endpoint(bad=lambda key: key in ("7", "31", "32"))

    puts = put(endpoint, items(60))

    assert sorted(one.number for one in puts.refused) == [7, 31, 32]
    assert {one.reason for one in puts.refused} == {
        "Item size has exceeded the maximum allowed size"
    }
    assert puts.items == 57
    assert len(endpoint.stored) == 57
    assert puts.requests == len(endpoint.requests) < 30


def test_a_table_that_refuses_everything_is_not_asked_for_each_item() -> None:
    endpoint = Endpoint(bad=lambda _: True)

    with pytest.raises(LoadError, match="refuses every item: Item size"):
        put(endpoint, items(100_000))

    assert len(endpoint.requests) < 20_000


def test_too_many_refusals_end_the_load_early() -> None:
    endpoint = Endpoint(bad=lambda key: int(key) % 10 == 0)

    puts = put(endpoint, items(50_000), most_refused=100)

    assert 100 < len(puts.refused) < 2500


def test_an_error_that_waiting_does_not_mend_fails_the_load_at_once() -> None:
    denied = (400, b'{"__type":"x#AccessDeniedException","Message":"not authorized"}')
    endpoint = Endpoint(*[denied] * 100)

    with pytest.raises(LoadError, match="table orders: AccessDeniedException: not authorized"):
        put(endpoint, items(25))

    assert len(endpoint.requests) == 1


def test_no_request_is_larger_than_dynamodb_takes() -> None:
    sizes = []

    class Measured(Endpoint):
        def post(self, operation: str, body: bytes) -> tuple[int, bytes]:
            sizes.append(len(body))
            return super().post(operation, body)

    puts = put(Measured(), items(50, "\\u0001" * 160_000))  # 160 KB of control characters

    assert puts.items == 50
    assert max(sizes) <= 16 * 1024 * 1024
    assert len(sizes) == 4


def test_items_are_taken_no_faster_than_they_are_put() -> None:
    given = put_so_far = most_ahead = 0
    body = b'{"PutRequest":{"Item":{"id":{"S":"1"},"text":{"S":"' + b"x" * 20_000 + b'"}}}}'

    def source() -> Iterator[Item]:
        nonlocal given, most_ahead
        for given in range(1, 4_001):
            most_ahead = max(most_ahead, given - put_so_far)
            yield given, body

    class Counting(Endpoint):
        def post(self, operation: str, body: bytes) -> tuple[int, bytes]:
            nonlocal put_so_far
            put_so_far += 25
            return TAKEN

    put(Counting(), source())

    assert put_so_far == 4_000  # 80 MB
    held = dynamodb_writer.WAITING_BYTES / len(body)
    assert most_ahead < held + 4 * 25 * dynamodb_writer.BATCHES_PER_TASK


def test_nothing_more_is_sent_when_the_lease_is_lost() -> None:
    endpoint = Endpoint()

    def lost() -> None:
        if len(endpoint.requests) >= 3:
            raise LeaseError("lost")

    with pytest.raises(LeaseError):
        DynamoDbWriter(TABLE, endpoint, allowed=lost).put(items(100_000), 100_000)  # type: ignore[arg-type]

    assert len(endpoint.requests) < 3 + dynamodb_writer.THREADS


def test_progress_is_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()

    class Ticking(Endpoint):
        def post(self, operation: str, body: bytes) -> tuple[int, bytes]:
            time.now += 0.1
            return super().post(operation, body)

    caplog.set_level(logging.INFO, "penstock_job")
    writer = DynamoDbWriter(TABLE, Ticking(), sleep=time.sleep, clock=time.clock)  # type: ignore[arg-type]
    writer.put(items(5_000), 5_000)

    lines = [record.getMessage() for record in caplog.records]
    assert 2 <= len(lines) <= 5  # 20 s by this clock
    assert all("of 5000 items" in line and "retries" in line for line in lines[:-1])
    assert lines[-1].startswith("orders: 5000 items put, ")
    assert lines[-1].endswith("200 requests, 0 of them retries, 0 refused")


@pytest.mark.parametrize("token", ["", "a-token/+="])
def test_requests_are_signed_as_botocore_signs_them(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 28, 12, 30, 1, tzinfo=UTC)
    session = boto3.Session("AKID", "secret", token or None, region_name="eu-central-1")
    endpoint = SignedEndpoint("dynamodb", "DynamoDB_20120810", session, now=lambda: now)
    body = '{"text": "ü"}'.encode()

    ours = endpoint.headers("BatchWriteItem", body)

    theirs = AWSRequest(
        "POST",
        session.client("dynamodb").meta.endpoint_url,
        data=body,
        headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
        },
    )
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now.replace(tzinfo=None))
    SigV4Auth(Credentials("AKID", "secret", token or None), "dynamodb", "eu-central-1").add_auth(
        theirs
    )
    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours.get("x-amz-security-token", "") == token
