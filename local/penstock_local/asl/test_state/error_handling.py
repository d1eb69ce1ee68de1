"""What becomes of a failed attempt: the next attempt, a catcher's state, or the end.

A test goes no further than the first of them. An error that the state itself lets pass goes on to
the Map and Parallel states around it, as in an execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from penstock_local.asl.definition import is_distributed
from penstock_local.asl.errors import EvaluationError, StateError
from penstock_local.asl.retry import (
    DEFAULT_MAX_ATTEMPTS,
    catcher_for,
    error_output,
    interval,
    matches,
)
from penstock_local.asl.test_state.map_trial import Tolerance, exceeded

if TYPE_CHECKING:
    from penstock_local.asl.api import Answer
    from penstock_local.asl.test_state.probe import Probe
    from penstock_local.asl.test_state.subject import Subject
    from penstock_local.asl.visit import Visit


class Handlers:
    """The retriers and catchers that an error of the state under test meets.

    `retry_count` says how often the state was retried before, `failed_items` how many other items
    of the Map state around it have failed.
    """

    def __init__(
        self, probe: Probe, visit: Visit, subject: Subject, retry_count: int, failed_items: int
    ) -> None:
        self._probe = probe
        self._visit = visit
        self._subject = subject
        self._retry_count = retry_count
        self._failed_items = failed_items

    def handle(self, error: StateError, inspection: dict[str, Any]) -> Answer:
        """The answer of the test; `inspection` learns which retrier or catcher it was."""
        details: dict[str, Any] = {}
        try:
            answer = self._handled(error, details)
        except EvaluationError as fault:
            answer = _ended("FAILED", self._probe.evaluation_failed(self._visit, fault))
        except StateError as failure:
            answer = _ended("FAILED", failure)
        if details:
            inspection["errorDetails"] = details
        return answer

    def _handled(self, error: StateError, details: dict[str, Any]) -> Answer:
        for state, arriving in self._stations(error):
            if self._is_retried(state, arriving, details):
                return _ended("RETRIABLE", arriving)
            index = catcher_for(state.get("Catch", ()), arriving)
            if index is not None:
                details["catchIndex"] = index
                return self._caught(state, index, arriving)
        return _ended("FAILED", error)

    def _stations(self, error: StateError) -> Iterator[tuple[dict[str, Any], StateError]]:
        """The state and those around it, each with the error as it arrives there."""
        yield self._subject.state, error
        for state in reversed(self._subject.around):
            if is_distributed(state):
                tolerance = _literal_tolerance(state)
                failed = self._failed_items + 1
                if not tolerance.exceeded(failed, failed):  # how many there are is not known
                    return
                error = exceeded()
            yield state, error

    def _is_retried(
        self, state: dict[str, Any], error: StateError, details: dict[str, Any]
    ) -> bool:
        """Whether the state is tried again; the first retrier that covers the error decides."""
        for index, retrier in enumerate(state.get("Retry", ())):
            if not matches(retrier["ErrorEquals"], error):
                continue
            details["retryIndex"] = index
            if self._retry_count >= retrier.get("MaxAttempts", DEFAULT_MAX_ATTEMPTS):
                return False
            details["retryBackoffIntervalSeconds"] = int(interval(retrier, self._retry_count))
            return True
        return False

    def _caught(self, state: dict[str, Any], index: int, error: StateError) -> Answer:
        output = error_output(error)
        step = self._probe.conclude(
            self._visit, state["Catch"][index], output, f"Catch[{index}]/", errorOutput=output
        )
        return {**_ended("CAUGHT_ERROR", error), "output": step.text, "nextState": step.next}


def _literal_tolerance(state: dict[str, Any]) -> Tolerance:
    """What the Map around the state tolerates, where that is not an expression; else nothing.

    Its expressions see the input of the Map, which a test of a state inside it does not know.
    """
    limits = [state.get(f"ToleratedFailure{unit}") for unit in ("Count", "Percentage")]
    count, percentage = (limit if isinstance(limit, (int, float)) else None for limit in limits)
    if count is None and percentage is None:
        count = 0
    return Tolerance(count, percentage)


def _ended(status: str, error: StateError) -> Answer:
    answer: Answer = {"status": status, "error": error.error, "cause": error.cause}
    return {key: value for key, value in answer.items() if value is not None}
