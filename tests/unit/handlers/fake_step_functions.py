"""Step Functions in memory, as far as Reconcile Runs looks at it; held to botocore's model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

MODEL = botocore.session.get_session().get_service_model("stepfunctions")
NO_TIME = "2026-11-21T05:00:00Z"


@dataclass
class FakeStepFunctions:
    """Executions by ARN: a status, or status, error and cause; all children are of one Map Run."""

    parents: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Any] = field(default_factory=dict)
    pending: int = 0
    listed: set[str] | None = None
    granted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    around: Callable[[str], None] = lambda _: None
    described: list[str] = field(default_factory=list)

    def describe_execution(self, **request: Any) -> Any:
        arn = request["executionArn"]
        self.described.append(arn)
        found = (self.parents | self.children).get(arn)
        if found is None:
            raise refusal("ExecutionDoesNotExist", "DescribeExecution")
        status, *rest = [found] if isinstance(found, str) else found
        answer = {"executionArn": arn, "stateMachineArn": "machine", "status": status}
        answer |= dict(zip(("error", "cause"), rest, strict=False)) | {"startDate": NO_TIME}
        return self._checked("DescribeExecution", request, answer)

    def describe_map_run(self, **request: Any) -> Any:
        names = "pending running succeeded failed timedOut aborted total resultsWritten"
        counts = dict.fromkeys(names.split(), 0)
        counts |= {"pending": self.pending, "total": len(self.children) + self.pending}
        return self._checked("DescribeMapRun", request, {"itemCounts": counts})

    def get_paginator(self, operation: str) -> Any:
        fake = self

        class Paginator:
            def paginate(self, **request: Any) -> Iterator[Any]:
                request.pop("PaginationConfig", None)
                yield getattr(fake, f"_{operation}")(**request)

        return Paginator()

    def _list_map_runs(self, **request: Any) -> Any:
        if request["executionArn"] not in self.parents:
            raise refusal("ExecutionDoesNotExist", "ListMapRuns")
        runs = [{"mapRunArn": "map", "executionArn": request["executionArn"]}]
        return self._checked("ListMapRuns", request, {"mapRuns": runs if self.children else []})

    def _list_executions(self, **request: Any) -> Any:
        assert request["statusFilter"] == "RUNNING"
        running = {arn for arn, found in self.children.items() if found == "RUNNING"}
        arns = running if self.listed is None else self.listed
        executions = [{"executionArn": arn, "status": "RUNNING"} for arn in sorted(arns)]
        return self._checked("ListExecutions", request, {"executions": executions})

    def send_task_success(self, **request: Any) -> Any:
        self.granted.append(request["taskToken"])
        return self._checked("SendTaskSuccess", request, {})

    def send_task_failure(self, **request: Any) -> Any:
        self.refused[request["taskToken"]] = f"{request['error']}: {request['cause']}"
        return self._checked("SendTaskFailure", request, {})

    def _checked(self, operation: str, request: Any, answer: Any) -> Any:
        model: Any = MODEL.operation_model(operation)
        report = ParamValidator().validate(request, model.input_shape)
        assert not report.has_errors(), report.generate_report()
        assert set(answer) <= set(model.output_shape.members)
        self.around(f"after {operation}")
        return answer


def refusal(code: str, operation: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {}}
    return ClientError(answer, operation)
