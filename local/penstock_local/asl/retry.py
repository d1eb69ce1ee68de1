"""What happens when an attempt fails: Retry first, then Catch, then the scope fails."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from penstock_local.asl.errors import (
    DATA_LIMIT_EXCEEDED,
    HEARTBEAT_TIMEOUT,
    RUNTIME,
    TASK_FAILED,
    TIMEOUT,
    EvaluationError,
    StateError,
    StateFaultError,
)

if TYPE_CHECKING:
    from penstock_local.asl.interpreter import Interpreter
    from penstock_local.asl.values import Json
    from penstock_local.asl.visit import Step, Visit

ALL = "States.ALL"
_ONLY_BY_NAME = frozenset({DATA_LIMIT_EXCEEDED, RUNTIME})

DEFAULT_INTERVAL_SECONDS = 1
DEFAULT_MAX_ATTEMPTS = 3
DEFAULT_BACKOFF_RATE = 2.0


class HeartbeatMissedError(StateError):
    """No heartbeat came in time.

    The service reports it as `States.Timeout`; Retry and Catch may also name it
    `States.HeartbeatTimeout`.
    """

    def __init__(self) -> None:
        super().__init__(TIMEOUT)


class ResultTooLargeError(StateError):
    """A task answered more than a state may hand on.

    AWS says that `States.ALL` does not cover `States.DataLimitExceeded`. The service was seen to
    catch it by `States.ALL` all the same when the data is the result of a task.
    """

    def __init__(self, cause: str | None) -> None:
        super().__init__(DATA_LIMIT_EXCEEDED, cause)


def matches(names: Sequence[str], error: StateError) -> bool:
    """Whether the ErrorEquals of a retrier or catcher covers the error.

    `States.ALL` covers everything but States.Runtime and States.DataLimitExceeded, and even that
    when it is about the result of a task. `States.TaskFailed` covers everything but those two and
    States.Timeout.
    """
    if error.error in names or (isinstance(error, ResultTooLargeError) and ALL in names):
        return True
    if isinstance(error, HeartbeatMissedError) and HEARTBEAT_TIMEOUT in names:
        return True
    if error.error in _ONLY_BY_NAME:
        return False
    return ALL in names or (TASK_FAILED in names and error.error != TIMEOUT)


def interval(retrier: dict[str, Any], attempt: int) -> float:
    """Seconds before the retry after `attempt` earlier ones, without jitter."""
    first: float = retrier.get("IntervalSeconds", DEFAULT_INTERVAL_SECONDS)
    rate: float = retrier.get("BackoffRate", DEFAULT_BACKOFF_RATE)
    longest: float | None = retrier.get("MaxDelaySeconds")
    try:
        seconds = first * rate**attempt
    except OverflowError:
        seconds = float("inf")
    return seconds if longest is None else min(seconds, longest)


class Retries:
    """The retries of one stay in a state: each retrier counts its own attempts."""

    __slots__ = ("_counts", "_retriers")

    def __init__(self, retriers: Sequence[dict[str, Any]]) -> None:
        self._retriers = retriers
        self._counts = [0] * len(retriers)

    def delay(self, error: StateError) -> float | None:
        """Seconds until the next attempt, or None when there is none.

        The first retrier that covers the error decides, even when its attempts are used up.
        """
        for index, retrier in enumerate(self._retriers):
            if not matches(retrier["ErrorEquals"], error):
                continue
            attempt = self._counts[index]
            if attempt >= retrier.get("MaxAttempts", DEFAULT_MAX_ATTEMPTS):
                return None
            self._counts[index] += 1
            seconds = interval(retrier, attempt)
            if retrier.get("JitterStrategy") == "FULL":
                return random.uniform(0, seconds)  # noqa: S311 - spreads load, guards nothing
            return seconds
        return None


def catcher_for(catchers: Sequence[dict[str, Any]], error: StateError) -> int | None:
    """The index of the first catcher that covers the error."""
    for index, catcher in enumerate(catchers):
        if matches(catcher["ErrorEquals"], error):
            return index
    return None


def error_output(error: StateError) -> dict[str, Json]:
    """`$states.errorOutput`. A timeout's Cause is "" there, though its event has none."""
    cause = "" if error.error == TIMEOUT and error.cause is None else error.cause
    return {"Error": error.error, "Cause": cause}


async def until_settled(
    scope: Interpreter, visit: Visit, perform: Callable[[Interpreter, Visit], Awaitable[Json]]
) -> Step:
    """Attempt the state until it succeeds, is caught, or has failed for good.

    An Output or Assign that cannot be evaluated fails the attempt like anything else does.
    """
    retries = Retries(visit.state.get("Retry", ()))
    while True:
        try:
            result = await perform(scope, visit)
            return scope.conclude(visit, visit.state, result, result=result)
        except EvaluationError as fault:
            error = scope.evaluation_failed(visit, fault)
        except StateError as failure:
            error = failure
        delay = retries.delay(error)
        if delay is None:
            return _caught(scope, visit, error)
        await scope.services.sleep(delay)
        visit.retry_count += 1
        visit.again = False
        scope.progress.forget_branches()


def _caught(scope: Interpreter, visit: Visit, error: StateError) -> Step:
    own_fault = isinstance(error, StateFaultError) and error.entered == visit.entered
    if visit.type != "Task" and not own_fault:
        scope.trail.record(f"{visit.type}StateFailed")
    if error.error == DATA_LIMIT_EXCEEDED:
        scope.progress.forget_branches()  # a redrive must run all of them: the results do not fit
    catchers = visit.state.get("Catch", ())
    index = catcher_for(catchers, error)
    if index is None:
        raise error
    output = error_output(error)
    try:
        return scope.conclude(visit, catchers[index], output, f"Catch/{index}/", errorOutput=output)
    except EvaluationError as fault:
        raise scope.evaluation_failed(visit, fault) from fault
