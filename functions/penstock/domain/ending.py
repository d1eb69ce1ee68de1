"""How an attempt at a job ended, from what the state machine heard of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.figures import Figures
from penstock.domain.outcome import Outcome
from penstock.domain.prices import Prices
from penstock.domain.rejects_report import RejectsReport, rejects_of_file
from penstock.domain.result_file import (
    MalformedResultError,
    figures_of_file,
    figures_of_report,
    warnings_of_file,
)
from penstock.domain.service_report import ServiceReport, report_of
from penstock.domain.table_report import failures_among, table_reports

if TYPE_CHECKING:
    from penstock.domain.messages import Failure

BLOCKED_ERROR: Final = "JobBlocked"
TABLES_ERROR: Final = "TablesFailedError"
ENDED_ERROR: Final = "JobAlreadyEnded"
IMBALANCE_ERROR: Final = "RowsDoNotAddUpError"
WARNED: Final = "JobWarned"
"""What stands as the error of a job that succeeded, and whose warnings are its cause."""
AWAIT_TURN: Final = "Await Turn"
SETTLE_JOB: Final = "Settle Job"
LONGEST_CAUSE: Final = 1_000
LIST_PRICES: Final = Prices()

_TIMEOUTS: Final = frozenset({"States.Timeout", "States.HeartbeatTimeout"})
_MESSAGE: Final = re.compile(r'"(?:ErrorMessage|errorMessage)"\s*:\s*"((?:[^"\\]|\\.)*)')
_SDK_TAIL: Final = re.compile(r"\s*\(Service: .*\)\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ending:
    """The outcome of an attempt, with all that is recorded beside it."""

    outcome: Outcome
    error: str = ""
    cause: str = ""
    figures: Figures = field(default_factory=Figures)
    rejects: RejectsReport | None = None


def ending_of_result(
    result: Any, result_file: bytes | None, prices: Prices = LIST_PRICES
) -> Ending:
    """Judge a task that ended without an error, which does not mean that the job went well.

    A Glue run that somebody stopped, for one, may count as a success for Step Functions. A result
    file that cannot be read does not change the outcome, but is noted as the error of the job; so
    are the warnings of a job that went well. An extract that reports a failed table has failed,
    whatever its service says; so has a job whose rows do not add up or whose rejects cannot be
    read: records would be lost unknown to anybody.
    """
    report = report_of(result) or ServiceReport(Outcome.SUCCEEDED)
    error = "" if report.outcome is Outcome.SUCCEEDED else "JobNotSucceededError"
    cause = report.cause
    try:
        counts = figures_of_file(result_file).or_else(_figures_in(result))
    except MalformedResultError as malformed:
        counts = malformed.figures
        error = error or "MalformedResultError"
        cause = "; ".join(text for text in (cause, str(malformed)) if text)
    outcome = report.outcome
    failed_tables = failures_among(table_reports(result_file))
    if failed_tables and outcome is Outcome.SUCCEEDED:
        outcome, error, cause = Outcome.FAILED, TABLES_ERROR, failed_tables
    warnings = [] if error else warnings_of_file(result_file)
    if warnings:
        error, cause = WARNED, "; ".join(warnings)
    figures = counts.or_else(_with_dollars(report, prices))
    ending = Ending(outcome, error, in_short(cause), figures)
    return _accounted(ending, result_file) if outcome is Outcome.SUCCEEDED else ending


def ending_of_failure(
    failure: Failure, result_file: bytes | None = None, prices: Prices = LIST_PRICES
) -> Ending:
    """Judge the error of a state; the counts of a job that failed half-way are kept."""
    error, text = failure.get("error") or "Unknown", failure.get("cause") or ""
    body = _json(text)
    report = report_of(body) or ServiceReport(Outcome.FAILED, _message(text))
    try:
        counts = figures_of_file(result_file)
    except MalformedResultError as malformed:
        counts = malformed.figures
    outcome, cause = _outcome_and_cause(failure["state"], error, report)
    figures = counts.or_else(_with_dollars(report, prices))
    return Ending(outcome, error, in_short(cause), figures)


def _accounted(ending: Ending, result_file: bytes | None) -> Ending:
    """Return a success with its rejects, or as a failure if a record of it may be lost."""
    fault = ending.figures.imbalance
    if fault:
        return replace(ending, outcome=Outcome.FAILED, error=IMBALANCE_ERROR, cause=fault)
    try:
        return replace(ending, rejects=rejects_of_file(result_file))
    except MalformedResultError as malformed:
        error, cause = "MalformedResultError", in_short(str(malformed))
        return replace(ending, outcome=Outcome.FAILED, error=error, cause=cause)


def in_short(cause: str) -> str:
    """Return a cause without the SDK's request data, not longer than people read."""
    plain = _SDK_TAIL.sub("", cause).strip()
    return plain if len(plain) <= LONGEST_CAUSE else plain[: LONGEST_CAUSE - 1] + "…"


def message_of(cause: str) -> str:
    """Return what a cause says to people: the message out of a service's JSON, else the text."""
    report = report_of(_json(cause))
    return in_short(report.cause if report else _message(cause))


def _outcome_and_cause(state: str, error: str, report: ServiceReport) -> tuple[Outcome, str]:
    if error in _TIMEOUTS:
        late = "its turn did not come" if state == AWAIT_TURN else "it did not end"
        return Outcome.TIMED_OUT, report.cause or f"{late} within the time allowed"
    if error == BLOCKED_ERROR and state == AWAIT_TURN:
        return Outcome.BLOCKED, report.cause
    if error == ENDED_ERROR and state == AWAIT_TURN:
        return Outcome.ABORTED, report.cause
    if state == SETTLE_JOB:
        return Outcome.FAILED, f"the job ended, but its outcome was not recorded: {report.cause}"
    outcome = report.outcome
    return Outcome.FAILED if outcome is Outcome.SUCCEEDED else outcome, report.cause or error


def _with_dollars(report: ServiceReport, prices: Prices) -> Figures:
    return replace(report.figures, dollars=prices.dollars(report.usage))


def _figures_in(result: Any) -> Figures:
    """Return the counts that a Lambda job answered with, if it did."""
    payload = result.get("Payload") if isinstance(result, dict) else None
    try:
        return figures_of_report(payload)
    except MalformedResultError as malformed:
        return malformed.figures


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _message(text: str) -> str:
    """Return the message out of a JSON text that Step Functions has cut off, else the text."""
    found = _MESSAGE.search(text) if text.startswith("{") else None
    if not found:
        return text
    return str(_json(f'"{found.group(1)}"') or found.group(1))
