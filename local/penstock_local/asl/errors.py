"""What can go wrong inside an execution, in the words of Amazon States Language."""

from __future__ import annotations

RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
ITEM_READER_FAILED = "States.ItemReaderFailed"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold"
PERMISSIONS = "States.Permissions"


class StateError(Exception):
    """An error with a name that `Retry` and `Catch` can match.

    `error` is the name, `cause` the text for a person; None means that the field is absent, as
    it is in the service's own events.
    """

    def __init__(self, error: str | None, cause: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class StateFaultError(StateError):
    """Values of a state's fields that make no sense: `States.Runtime`.

    The execution's end is then the only event that tells of the failure. `entered` is the id of
    the event by which the state was entered.
    """

    def __init__(self, detail: str, state: str, entered: int) -> None:
        super().__init__(RUNTIME, in_state(detail, state, entered))
        self.entered = entered


def in_state(detail: str, state: str, entered: int) -> str:
    """A cause with the sentence in front of it that names the state and its Entered event."""
    return (
        f"An error occurred while executing the state '{state}' "
        f"(entered at the event id #{entered}). {detail}"
    )


class EvaluationError(StateError):
    """A JSONata expression that failed: `States.QueryEvaluationError`.

    `location` is the path of the field inside the state, with slashes (`Arguments/FunctionName`);
    None when the fault is the state's own input. `detail` is the cause without the sentence that
    names the state: the interpreter, which knows the state and its event, puts it in front.
    """

    def __init__(self, detail: str, location: str | None) -> None:
        super().__init__(QUERY_EVALUATION_ERROR, detail)
        self.detail = detail
        self.location = location

    def within(self, state: str, entered_event_id: int) -> EvaluationError:
        """The same error, its cause beginning with the state it happened in."""
        placed = EvaluationError(self.detail, self.location)
        placed.cause = in_state(self.detail, state, entered_event_id)
        return placed
