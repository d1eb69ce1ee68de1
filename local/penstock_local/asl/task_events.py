"""The history events of one attempt of a Task, whose names depend on what the task calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from penstock_local.asl.errors import StateError
    from penstock_local.asl.history import Trail
    from penstock_local.asl.integrations import Resource


class TaskEvents(Protocol):
    """What one attempt tells the history, in this order.

    `settings` of `scheduled` are timeoutInSeconds, heartbeatInSeconds and taskCredentials, as far
    as the state sets them.
    """

    def scheduled(self, arguments: str, region: str, settings: dict[str, Any]) -> None:
        """The attempt begins; `arguments` is their JSON text."""

    def started(self, worker: str = "") -> None:
        """The call is made, or a worker has taken the activity's work."""

    def submitted(self, output: str) -> None:
        """The service has answered and the task waits for the job or for its token."""

    def succeeded(self, output: str) -> None:
        """The task has its result."""

    def failed(self, error: StateError) -> None:
        """The task has failed."""

    def timed_out(self, error: StateError) -> None:
        """The task, or its heartbeat, took too long."""


class ServiceTaskEvents:
    """Task events of optimised and aws-sdk integrations."""

    __slots__ = ("_kind", "_trail")

    def __init__(self, trail: Trail, resource: Resource) -> None:
        self._trail = trail
        self._kind = {"resourceType": resource.resource_type, "resource": resource.resource}

    def scheduled(self, arguments: str, region: str, settings: dict[str, Any]) -> None:
        details = {**self._kind, "region": region, "parameters": arguments, **settings}
        self._trail.record("TaskScheduled", details)

    def started(self, worker: str = "") -> None:  # noqa: ARG002 - services have no workers
        self._trail.record("TaskStarted", self._kind)

    def submitted(self, output: str) -> None:
        self._trail.record("TaskSubmitted", {**self._kind, "output": output})

    def succeeded(self, output: str) -> None:
        self._trail.record("TaskSucceeded", {**self._kind, "output": output})

    def failed(self, error: StateError) -> None:
        self._trail.record("TaskFailed", {**self._kind, **failure_details(error)})

    def timed_out(self, error: StateError) -> None:
        self._trail.record("TaskTimedOut", {**self._kind, **failure_details(error)})


class LambdaFunctionEvents:
    """Events of a Task whose Resource is a function's ARN."""

    __slots__ = ("_arn", "_trail")

    def __init__(self, trail: Trail, resource: Resource) -> None:
        self._trail = trail
        self._arn = resource.text

    def scheduled(self, arguments: str, region: str, settings: dict[str, Any]) -> None:  # noqa: ARG002
        details = {"resource": self._arn, "input": arguments, **settings}
        details.pop("heartbeatInSeconds", None)
        self._trail.record("LambdaFunctionScheduled", details)

    def started(self, worker: str = "") -> None:  # noqa: ARG002 - functions have no workers
        self._trail.record("LambdaFunctionStarted")

    def submitted(self, output: str) -> None:
        raise NotImplementedError("a function's ARN has no pattern that waits")

    def succeeded(self, output: str) -> None:
        self._trail.record("LambdaFunctionSucceeded", {"output": output})

    def failed(self, error: StateError) -> None:
        self._trail.record("LambdaFunctionFailed", failure_details(error))

    def timed_out(self, error: StateError) -> None:
        self._trail.record("LambdaFunctionTimedOut", failure_details(error))


class ActivityEvents:
    """Events of a Task whose Resource is an activity's ARN."""

    __slots__ = ("_arn", "_trail")

    def __init__(self, trail: Trail, resource: Resource) -> None:
        self._trail = trail
        self._arn = resource.text

    def scheduled(self, arguments: str, region: str, settings: dict[str, Any]) -> None:  # noqa: ARG002
        details = {"resource": self._arn, "input": arguments, **settings}
        details.pop("taskCredentials", None)
        self._trail.record("ActivityScheduled", details)

    def started(self, worker: str = "") -> None:
        self._trail.record("ActivityStarted", {"workerName": worker} if worker else {})

    def submitted(self, output: str) -> None:
        raise NotImplementedError("an activity has no pattern of its own")

    def succeeded(self, output: str) -> None:
        self._trail.record("ActivitySucceeded", {"output": output})

    def failed(self, error: StateError) -> None:
        self._trail.record("ActivityFailed", failure_details(error))

    def timed_out(self, error: StateError) -> None:
        self._trail.record("ActivityTimedOut", failure_details(error))


def events_for(trail: Trail, resource: Resource) -> TaskEvents:
    """The events that fit the kind of the resource."""
    if resource.kind == "lambda_arn":
        return LambdaFunctionEvents(trail, resource)
    if resource.kind == "activity":
        return ActivityEvents(trail, resource)
    return ServiceTaskEvents(trail, resource)


def failure_details(error: StateError) -> dict[str, str]:
    """Error and cause for an event: what is None is left out."""
    given = {"error": error.error, "cause": error.cause}
    return {key: value for key, value in given.items() if value is not None}
