"""The form of Retry and Catch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock_local.asl.validation.fields import refuse_jsonpath
from penstock_local.asl.validation.findings import Findings
from penstock_local.asl.validation.kinds import FILLED_LIST, OBJECT, TEXT, Number

_ALL = "States.ALL"
_MOST = 99_999_999

_RETRY_NUMBERS = {
    "IntervalSeconds": Number(0, _MOST, expression=False),
    "MaxAttempts": Number(0, _MOST, expression=False),
    "MaxDelaySeconds": Number(1, 31_622_400, expression=False),
    "BackoffRate": Number(1, whole=False, expression=False),
}
_RETRY_FIELDS = {"ErrorEquals", "JitterStrategy", "Comment", *_RETRY_NUMBERS}
_CATCH_FIELDS = {"ErrorEquals", "Next", "Assign", "Output", "Comment"}


def check_retry(state: dict[str, Any], location: str, findings: Findings) -> None:
    """Check the retriers of a state, if it has any."""
    for where, retrier, last in _entries(state, "Retry", location, findings):
        for field in retrier:
            if field not in _RETRY_FIELDS:
                findings.unsupported(field, where)
        _check_error_equals(retrier, where, findings, last=last)
        for field, number in _RETRY_NUMBERS.items():
            if field in retrier:
                number.check(retrier[field], f"{where}/{field}", findings)
        if "JitterStrategy" in retrier:
            strategy = retrier["JitterStrategy"]
            findings.one_of(strategy, ("NONE", "FULL"), f"{where}/JitterStrategy")


def check_catch(state: dict[str, Any], location: str, findings: Findings) -> None:
    """Check the catchers of a state, if it has any."""
    for where, catcher, last in _entries(state, "Catch", location, findings):
        for field in catcher:
            if field == "ResultPath":
                refuse_jsonpath(field, where, findings)
            elif field not in _CATCH_FIELDS:
                findings.unsupported(field, where)
        _check_error_equals(catcher, where, findings, last=last)
        findings.required((field for field in ("Next",) if field not in catcher), where)
        for field, kind in (("Next", TEXT), ("Assign", OBJECT)):
            if field in catcher:
                kind.check(catcher[field], f"{where}/{field}", findings)


def _entries(
    state: dict[str, Any], field: str, location: str, findings: Findings
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Location, entry and whether it is the last, of the entries that are objects."""
    entries = state.get(field)
    if not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        where = f"{location}/{field}[{index}]"
        if isinstance(entry, dict):
            yield where, entry, index == len(entries) - 1
        else:
            OBJECT.check(entry, where, findings)


def _check_error_equals(
    entry: dict[str, Any], location: str, findings: Findings, *, last: bool
) -> None:
    if "ErrorEquals" not in entry:
        findings.required(["ErrorEquals"], location)
        return
    names = entry["ErrorEquals"]
    where = f"{location}/ErrorEquals"
    FILLED_LIST.check(names, where, findings)
    if not isinstance(names, list):
        return
    for index, name in enumerate(names):
        TEXT.check(name, f"{where}[{index}]", findings)
    if _ALL in names and not (len(names) == 1 and last):
        findings.schema(f"{_ALL} must appear alone and at end of list", where)
