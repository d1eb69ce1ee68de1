"""Executions of the pipeline and their children, as Step Functions shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from penstock.domain.child_execution import GONE, Children, ExecutionState

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_THERE = frozenset({"ExecutionDoesNotExist", "ResourceNotFound"})


class Executions:
    """Looks at executions; never starts or stops one."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def state(self, arn: str) -> ExecutionState:
        """Return how an execution stands; this is the truth, while lists may be behind."""
        try:
            answer = self._client.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_THERE:
                raise
            return ExecutionState(GONE)
        return ExecutionState(answer["status"], answer.get("error", ""), answer.get("cause", ""))

    def children(self, arn: str) -> Children:
        """Return the children of a run, in one request per thousand and two more.

        Step Functions' lists lag behind by seconds, so a child that is not in it may be alive.
        """
        live: set[str] = set()
        total = pending = 0
        for map_run in self._map_runs(arn):
            counts = self._client.describe_map_run(mapRunArn=map_run)["itemCounts"]
            total += counts["total"]
            pending += counts["pending"]
            live.update(self._running(map_run))
        return Children(frozenset(live), total, pending)

    def _map_runs(self, arn: str) -> list[str]:
        pages = self._client.get_paginator("list_map_runs").paginate(executionArn=arn)
        try:
            return [run["mapRunArn"] for page in pages for run in page["mapRuns"]]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_THERE:
                raise
            return []

    def _running(self, map_run: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_executions").paginate(
            mapRunArn=map_run, statusFilter="RUNNING", PaginationConfig={"PageSize": 1_000}
        )
        for page in pages:
            for execution in page["executions"]:
                yield execution["executionArn"]
