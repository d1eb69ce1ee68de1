"""The verdict on a record: the rules that it breaks, the filter, and the status that follows."""

from __future__ import annotations

from collections.abc import Sequence

from penstock_job.check import JOIN, Check
from penstock_job.join import DROP, Join
from penstock_job.judged_table import ACCEPTED, FAULT, FILTERED, MALFORMED, REJECTED, STATUS
from penstock_job.record import raw_columns
from penstock_job.reject_sql import rejecting
from penstock_job.rule import FOREIGN_KEY, Rule
from penstock_job.rule_sql import broken
from penstock_job.subject import Subject


def checked(subject: Subject) -> str:
    """Each rule broken or not, and the filter's verdict."""
    selected = ["*", f"{_verdict(subject)} AS penstock_filter"]
    for check in subject.checks:
        if check.kind == JOIN and check.lookup is not None:
            read = subject.is_read([name for name, _ in check.lookup.on])
            test = " AND ".join([f"NOT {check.lookup.found}", *read])
            selected.append(f"({test}) AS {check.flag}")
    for check, rule in subject.rule_checks(comparisons=False):
        if rule.name == FOREIGN_KEY and check.lookup is not None:
            there = [f"{subject.name(name)} IS NOT NULL" for name in rule.columns]
            test = " AND ".join([f"NOT {check.lookup.found}", *there])
        else:
            test = broken(rule, subject.types, subject.dialect)
        test = " AND ".join([f"({test})", *subject.is_read(rule.columns)])
        selected.append(f"coalesce({test}, FALSE) AS {check.flag}")
    return f"SELECT {', '.join(selected)} FROM joined"


def _verdict(subject: Subject) -> str:
    condition = subject.specification.filter
    verdict = f"({subject.dialect.sql(condition)})" if condition else "TRUE"
    dropped = [
        " AND ".join([f"NOT {look.found}", *subject.is_read([name for name, _ in look.on])])
        for look in subject.lookups
        if isinstance(look.origin, Join) and look.origin.unmatched == DROP
    ]
    if not dropped:
        return verdict
    tests = " OR ".join(f"({test})" for test in dropped)
    return f"CASE WHEN {tests} THEN FALSE ELSE {verdict} END"


def ranked(subject: Subject) -> str:
    """`unique`, which needs the verdicts of the other rules; then whether any rule rejects."""
    comparisons = subject.rule_checks(comparisons=True)
    fails = f"({_fails(_rejecting(subject, comparisons=True))}) AS penstock_fails"
    if not comparisons:
        return f"SELECT *, {fails} FROM checked"
    # Only records that are good in themselves compete for a key; otherwise a bad one could take
    # it, and both it and the good one would be lost.
    fit = f"(NOT ({_fails(_rejecting(subject, comparisons=False))}) AND penstock_filter IS TRUE)"
    flags = ["*", *(f"{_repeats(subject, rule)} AS {check.flag}" for check, rule in comparisons)]
    ranked = f"SELECT {', '.join(flags)} FROM (SELECT *, {fit} AS penstock_fit FROM checked) AS fit"
    return f"SELECT *, {fails} FROM ({ranked}) AS compared"


def stated(subject: Subject) -> str:
    """One status per record."""
    malformed = f"WHEN {FAULT} IS NOT NULL THEN {MALFORMED} " if subject.has_lines else ""
    return (
        f"SELECT *, CASE {malformed}WHEN penstock_filter IS FALSE THEN {FILTERED} "
        f"WHEN penstock_fails THEN {REJECTED} "
        f"WHEN penstock_filter IS TRUE THEN {ACCEPTED} "
        f"ELSE {FILTERED} END AS {STATUS} FROM ranked"
    )


def _repeats(subject: Subject, rule: Rule) -> str:
    keys = [subject.name(name) for name in rule.columns]
    present = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    # Ties are broken by the whole record, so that both engines keep the same one.
    order = [f"{raw} ASC NULLS FIRST" for _, raw in raw_columns(subject.schema)]
    if rule.keep:
        way = "DESC" if rule.keep.descending else "ASC"
        order.insert(0, f"{subject.name(rule.keep.column)} {way} NULLS LAST")
    partition = ", ".join([*keys, "penstock_fit"])
    rank = f"row_number() OVER (PARTITION BY {partition} ORDER BY {', '.join(order)})"
    return f"(penstock_fit AND {present} AND {rank} > 1)"


def _rejecting(subject: Subject, *, comparisons: bool) -> list[tuple[Check, str]]:
    return [
        (check, condition)
        for check, condition in rejecting(subject.checks, is_numbered=subject.is_numbered)
        if comparisons or not check.is_comparison
    ]


def _fails(checks: Sequence[tuple[Check, str]]) -> str:
    return " OR ".join(condition for _, condition in checks)


def reason(subject: Subject) -> str:
    """All that is wrong with a rejected record, in sentences."""
    checks = _rejecting(subject, comparisons=True)
    cases = ", ".join(
        f"CASE WHEN {condition} THEN {subject.dialect.literal(check.text)} END"
        for check, condition in checks
    )
    return f"concat_ws('; ', {cases})"
