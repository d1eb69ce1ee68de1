"""The actions about Map Runs: list, describe, update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock_local.asl.api import (
    Answer,
    ApiError,
    Request,
    page_token,
    read_page_token,
    require_type,
)
from penstock_local.asl.execution_view import date, present
from penstock_local.asl.executions import DEFAULT_PAGE, find_execution

if TYPE_CHECKING:
    from penstock_local.asl.engine import Engine
    from penstock_local.asl.map_run import MapRun


class MapRuns:
    """The actions, each a method that takes the request and returns the answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self, request: Request) -> Answer:
        """ListMapRuns: those that one execution started, in the order of their start."""
        execution = find_execution(self._engine, request["executionArn"])
        runs = [run for run in self._engine.map_runs.values() if run.parent is execution]
        start = 0
        if "nextToken" in request:
            position = read_page_token(request["nextToken"], executionArn=execution.arn)
            start = position["start"]
        end = start + (request.get("maxResults") or DEFAULT_PAGE)
        answer: Answer = {"mapRuns": [_listed(run) for run in runs[start:end]]}
        if end < len(runs):
            answer["nextToken"] = page_token(start=end, executionArn=execution.arn)
        return answer

    def describe(self, request: Request) -> Answer:
        """DescribeMapRun: its limits and how many children, and items, are in which state."""
        return self._run(request).describe()

    def update(self, request: Request) -> Answer:
        """UpdateMapRun: new limits, effective at once."""
        limits = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")
        values = [request.get(limit) for limit in limits]
        if all(value is None for value in values):
            raise ApiError(
                "ValidationException",
                "At least one of maxConcurrency, toleratedFailureCount and"
                " toleratedFailurePercentage must be specified",
            )
        self._run(request).update(*values)
        return {}

    def _run(self, request: Request) -> MapRun:
        text = request["mapRunArn"]
        run = self._engine.map_runs.get(require_type(text, "mapRun").text)
        if run is None:
            raise ApiError("ResourceNotFound", f"Map Run Does Not Exist: '{text}'")
        return run


def _listed(run: MapRun) -> Answer:
    return present(
        executionArn=run.parent.arn,
        mapRunArn=run.arn,
        stateMachineArn=run.machine.arn,
        startDate=date(run.started),
        stopDate=date(run.stopped),
    )
