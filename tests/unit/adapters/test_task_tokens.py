"""Word to Step Functions, checked against its API's own model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from penstock.adapters.task_tokens import TaskTokens


@pytest.fixture
def client(aws: None) -> Any:
    return boto3.client("stepfunctions")


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_turn_is_granted_with_the_token(client: Any, stub: Stubber) -> None:
    expected = {"taskToken": "token", "output": '{"turn":"granted"}'}
    stub.add_response("send_task_success", {}, expected)
    TaskTokens(client).grant("token")


def test_a_turn_is_refused_with_error_and_cause(client: Any, stub: Stubber) -> None:
    expected = {"taskToken": "token", "error": "JobBlocked", "cause": "x" * 32_768}
    stub.add_response("send_task_failure", {}, expected)
    TaskTokens(client).refuse("token", "JobBlocked", "x" * 40_000)


@pytest.mark.parametrize("code", ["TaskTimedOut", "InvalidToken", "TaskDoesNotExist"])
def test_a_child_that_no_longer_listens_is_no_error(client: Any, stub: Stubber, code: str) -> None:
    stub.add_client_error("send_task_success", code)
    stub.add_client_error("send_task_failure", code)
    TaskTokens(client).grant("token")
    TaskTokens(client).refuse("token", "JobBlocked", "cause")


def test_any_other_error_is_raised(client: Any, stub: Stubber) -> None:
    stub.add_client_error("send_task_success", "AccessDeniedException", http_status_code=400)
    with pytest.raises(ClientError, match="AccessDenied"):
        TaskTokens(client).grant("token")
