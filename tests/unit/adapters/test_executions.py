"""Executions as Step Functions shows them; each request is held to botocore's model."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from penstock.adapters.executions import Executions
from penstock.domain.child_execution import Children, ExecutionState

PARENT = "arn:aws:states:eu-central-1:123456789012:execution:pipeline:x"
MAP_RUN = "arn:aws:states:eu-central-1:123456789012:mapRun:pipeline/jobs:y"
COUNTS = dict.fromkeys(
    ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten"),
    0,
)


@pytest.fixture
def stub(aws: None) -> Any:
    client = boto3.client("stepfunctions")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def listed(*arns: str) -> list[dict[str, Any]]:
    return [
        {
            "executionArn": arn, "stateMachineArn": PARENT, "name": arn, "status": "RUNNING",
            "startDate": 0,
        }
        for arn in arns
    ]  # fmt: skip


def test_living_children_are_listed_a_thousand_a_request(stub: Any) -> None:
    run = {
        "executionArn": PARENT, "mapRunArn": MAP_RUN, "stateMachineArn": PARENT, "startDate": 0,
    }  # fmt: skip
    stub.add_response("list_map_runs", {"mapRuns": [run]}, {"executionArn": PARENT})
    counts = COUNTS | {"pending": 2, "total": 5}
    answer: dict[str, Any] = dict.fromkeys(
        ("maxConcurrency", "toleratedFailurePercentage", "toleratedFailureCount"), 0
    )
    answer |= {"mapRunArn": MAP_RUN, "executionArn": PARENT, "status": "RUNNING", "startDate": 0}
    answer |= {"itemCounts": counts, "executionCounts": COUNTS}
    stub.add_response("describe_map_run", answer, {"mapRunArn": MAP_RUN})
    request = {"mapRunArn": MAP_RUN, "statusFilter": "RUNNING", "maxResults": 1_000}
    first = {"executions": listed("a", "b"), "nextToken": "more"}
    stub.add_response("list_executions", first, request)
    stub.add_response(
        "list_executions", {"executions": listed("c")}, request | {"nextToken": "more"}
    )
    assert Executions(stub.client).children(PARENT) == Children(frozenset("abc"), 5, 2)


def test_an_execution_that_is_gone_is_no_error(stub: Any) -> None:
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
    stub.add_client_error("list_map_runs", "ExecutionDoesNotExist")
    executions = Executions(stub.client)
    assert executions.state(PARENT) == ExecutionState("GONE")
    assert executions.children(PARENT) == Children()


def test_any_other_refusal_is_raised_and_nobody_counts_as_dead(stub: Any) -> None:
    for operation in ("describe_execution", "list_map_runs"):
        stub.add_client_error(operation, "AccessDeniedException", http_status_code=400)
    executions = Executions(stub.client)
    with pytest.raises(ClientError):
        executions.state(PARENT)
    with pytest.raises(ClientError):
        executions.children(PARENT)


def test_a_run_without_a_map_has_no_children(stub: Any) -> None:
    stub.add_response("list_map_runs", {"mapRuns": []}, {"executionArn": PARENT})
    assert Executions(stub.client).children(PARENT) == Children()
