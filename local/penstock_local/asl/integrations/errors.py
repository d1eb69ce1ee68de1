"""Failed calls in the words of Step Functions: the names that Catch matches, and the causes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from penstock_local.asl.errors import PERMISSIONS, RUNTIME, TASK_FAILED, StateError
from penstock_local.asl.integrations import services
from penstock_local.asl.values import Json, compact

if TYPE_CHECKING:
    from botocore.model import StructureShape


class ParametersError(StateError):
    """Arguments that do not fit the API that the task calls: `States.Runtime`.

    `detail` is the cause without the sentence that names the state: the interpreter, which knows
    the state and its event, puts it in front with `within`.
    """

    def __init__(self, arguments: Json, unfit: UnfitArgumentsError) -> None:
        self.detail = (
            f"The Parameters '{compact(arguments)}' could not be used to start the Task: [{unfit}]"
        )
        super().__init__(RUNTIME, self.detail)

    def within(self, state: str, entered_event_id: int) -> StateError:
        """The same error, its cause beginning with the state it happened in."""
        return StateError(
            RUNTIME,
            f"An error occurred while executing the state '{state}' "
            f"(entered at the event id #{entered_event_id}). {self.detail}",
        )


class UnfitArgumentsError(Exception):
    """Arguments that an API does not take; `problems` are sentences in the service's words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


class CallFailedError(Exception):
    """A call that a service refused, or that never reached it, before it has a name for Catch."""


class RefusedError(CallFailedError):
    """A service answered with an error; `code` is the API's own.

    `shape` is the name of the error in the API's model where that is another (SQS, whose codes
    are older than its model).
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int,
        request_id: str | None = None,
        extended_request_id: str | None = None,
        shape: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.request_id = request_id or str(uuid.uuid4())
        self.extended_request_id = extended_request_id
        self.shape = shape or code

    @property
    def is_passing(self) -> bool:
        """Whether the same call may well succeed a moment later."""
        throttled = "hrottl" in self.code or self.code in _BUSY
        return throttled or self.status >= _SERVER_ERROR


_BUSY = ("TooManyRequestsException", "RequestLimitExceeded", "SlowDown")
_SERVER_ERROR = 500


class UnreachableError(CallFailedError):
    """The call got no answer."""


class RoleNotTrustingError(CallFailedError):
    """The state machine's role does not exist, or does not admit Step Functions."""


class TaskRoleRefusedError(CallFailedError):
    """The state machine's role may not assume the role of the state's Credentials."""

    def __init__(self, role_arn: str, task_role_arn: str) -> None:
        super().__init__(
            f"The role {role_arn} is not authorized to assume the task state's role,"
            f" {task_role_arn}."
        )


@dataclass(frozen=True, slots=True)
class SdkV1Service:
    """What the AWS SDK for Java v1 calls a service; optimised integrations speak its language.

    `prefix` begins the names of errors, `service` stands in causes, `exception` is the class of
    errors that the API model does not name. `unmodelled` are codes that today's model names and
    the SDK that Step Functions was built with does not.
    """

    botocore: str
    prefix: str
    service: str
    exception: str
    unmodelled: frozenset[str] = frozenset()


def optimized_error(error: CallFailedError, sdk: SdkV1Service) -> StateError:
    """The error as an optimised integration reports it (`Glue.EntityNotFoundException`)."""
    if not isinstance(error, RefusedError):
        return _without_answer(error, sdk.prefix)
    name = None if error.code in sdk.unmodelled else _sdk_v1_class(sdk.botocore, error.shape)
    return StateError(f"{sdk.prefix}.{name or sdk.exception}", sdk_v1_cause(error, sdk.service))


def sdk_v1_cause(error: RefusedError, service: str) -> str:
    """The message that the AWS SDK for Java v1 makes of an answer."""
    extended = (
        f"S3 Extended Request ID: {error.extended_request_id}; "
        if error.extended_request_id is not None
        else ""
    )
    return (
        f"{error.message} (Service: {service}; Status Code: {error.status}; "
        f"Error Code: {error.code}; Request ID: {error.request_id}; {extended}Proxy: null)"
    )


def sdk_error(error: CallFailedError, service: str) -> StateError:
    """The error as an aws-sdk integration reports it (`DynamoDb.ResourceNotFoundException`)."""
    prefix = services.sdk_error_prefix(service)
    if not isinstance(error, RefusedError):
        return _without_answer(error, prefix)
    name = _sdk_v2_class(service, error.shape)
    return StateError(f"{prefix}.{name or f'{prefix}Exception'}", _sdk_v2_cause(error, service))


def _sdk_v2_cause(error: RefusedError, service: str) -> str:
    prefix = services.sdk_error_prefix(service)
    extended = (
        f", Extended Request ID: {error.extended_request_id}"
        if error.extended_request_id is not None
        else ""
    )
    # Only this service's messages were seen to end so.
    attempts = " (SDK Attempt Count: 1)" if service == "stepfunctions" else ""
    return (
        f"{error.message} (Service: {prefix}, Status Code: {error.status}, "
        f"Request ID: {error.request_id}{extended}){attempts}"
    )


def _without_answer(error: CallFailedError, prefix: str) -> StateError:
    if isinstance(error, RoleNotTrustingError):
        return StateError(PERMISSIONS, str(error))
    if isinstance(error, TaskRoleRefusedError):
        return StateError(TASK_FAILED, str(error))
    return StateError(f"{prefix}.SdkClientException", str(error))


_S3_UNMODELLED = frozenset({"AccessDenied"})  # "S3.S3Exception" is what a denial has always been


def _sdk_v2_class(service: str, code: str) -> str | None:
    if service == "s3" and code in _S3_UNMODELLED:
        return None
    shape = _error_shape(service, code)
    return None if shape is None else _exception_name(services.java_class_name(shape.name))


def _sdk_v1_class(service: str, code: str) -> str | None:
    shape = _error_shape(service, code)
    return None if shape is None else _exception_name(shape.name)


def _error_shape(service: str, code: str) -> StructureShape | None:
    """The error of that code, if the service's model names it, for whatever operation."""
    shapes = cast("list[StructureShape]", services.service_model(service).error_shapes)
    for shape in shapes:
        if code in (shape.name, shape.error_code):
            return shape
    return None


def _exception_name(name: str) -> str:
    if name.endswith("Fault"):
        return name.removesuffix("Fault") + "Exception"
    return name if name.endswith("Exception") else name + "Exception"
