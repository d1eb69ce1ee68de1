"""What stands in for the work of a state under test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock_local.asl.api import ApiError, Request
from penstock_local.asl.errors import StateError
from penstock_local.asl.execution_input import read_json
from penstock_local.asl.integrations import Resource, UnknownResourceError, parse
from penstock_local.asl.test_state.mock_models import require_model
from penstock_local.asl.test_state.subject import Subject
from penstock_local.asl.values import Json

_MODES = ("STRICT", "PRESENT", "NONE")
_FIELDS = ("result", "errorOutput")
_MOCKABLE = ("Task", "Map", "Parallel")


@dataclass(frozen=True, slots=True)
class Mock:
    """The result of the state's work, or the error that the work ends with."""

    result: Json = None
    error: StateError | None = None

    def answer(self) -> Json:
        """The result, or StateError."""
        if self.error is not None:
            raise StateError(self.error.error, self.error.cause)
        return self.result


def read_mock(request: Request, subject: Subject) -> Mock | None:
    """The mock of a request; None when the state is to do its work.

    Raises ApiError for a mock that the state cannot have, and for a state that needs one.
    """
    given = request.get("mock")
    if given is None:
        _require_performable(subject, request)
        return None
    if subject.type not in _MOCKABLE:
        raise _refused(f"State type '{subject.type}' is not supported when a mock is specified")
    if request.get("revealSecrets"):
        raise _refused("TestState does not support RevealSecrets when a mock is specified.")
    mode = given.get("fieldValidationMode", "STRICT")
    if mode not in _MODES:
        raise _refused(
            f"1 validation error detected: Value '{mode}' at 'mock.fieldValidationMode' failed to"
            f" satisfy constraint: Member must satisfy enum value set: [{', '.join(_MODES)}]"
        )
    if [field in given for field in _FIELDS].count(True) != 1:
        raise _refused(
            "A test mock should have only one of the following fields: [result, errorOutput]."
        )
    if "errorOutput" in given:
        return Mock(error=_error(given["errorOutput"]))
    return Mock(result=_result(given["result"], subject, mode))


def waiting_resource(state: dict[str, Any]) -> Resource | None:
    """The resource of a task that waits for a job, a token or a worker."""
    resource = _resource(state)
    waits = resource is not None and (resource.pattern is not None or resource.kind == "activity")
    return resource if waits else None


def _resource(state: dict[str, Any]) -> Resource | None:
    if state["Type"] != "Task":
        return None
    try:
        return parse(state["Resource"])
    except UnknownResourceError:
        return None


def _require_performable(subject: Subject, request: Request) -> None:
    if subject.type in ("Map", "Parallel"):
        raise ApiError(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. Supported state types include:"
            " [Task, Wait, Pass, Succeed, Fail, Choice]",
        )
    if waiting_resource(subject.state) is not None:
        raise _refused(
            "TestState API supports Activity tasks and tasks with a '.sync' or '.waitForTaskToken'"
            " service integration pattern only when a mock is specified"
        )
    if subject.type == "Task" and request.get("roleArn") is None:
        raise _refused("RoleArn must be specified when testing a Task state")


def _error(given: dict[str, Any]) -> StateError:
    if not given.get("error"):
        raise _refused("The field 'error' is required in 'mock.errorOutput'")
    return StateError(given["error"], given.get("cause"))


def _result(text: str, subject: Subject, mode: str) -> Json:
    try:
        result = read_json(text)
    except ValueError:
        raise _refused("Mocked result must be valid JSON") from None
    if subject.type == "Map":
        _require_map_result(result, subject.state)
    elif subject.type == "Parallel":
        _require_branches(result, subject.state)
    elif mode != "NONE":
        resource = _resource(subject.state)
        if resource is not None:
            require_model(result, resource, strict=mode == "STRICT")
    return result


def _require_map_result(result: Json, state: dict[str, Any]) -> None:
    if "ResultWriter" in state:
        if not isinstance(result, dict):
            raise _refused("Mocked result must be a JSON object.")
    elif not isinstance(result, list):
        raise _refused("Mocked result must be an array.")


def _require_branches(result: Json, state: dict[str, Any]) -> None:
    if not isinstance(result, list):
        raise _refused("Mocked result must be an array.")
    if len(result) != len(state["Branches"]):
        raise _refused(
            "Mocked result must contain the same number of items as number of Parallel branches."
        )


def _refused(message: str) -> ApiError:
    return ApiError("ValidationException", message)
