"""The digest: what people read of a run in an e-mail, as plain text."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from penstock.domain.decision import GIVEN_UP
from penstock.domain.instant import parse_instant, seconds_between
from penstock.domain.lane import Lane
from penstock.domain.outcome import FAILURES, Outcome, Verdict
from penstock.domain.rejects_digest import rejected_records
from penstock.domain.run_log import total
from penstock.domain.unusual import unusual
from penstock.domain.verdict import stop_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import Failure
    from penstock.domain.run_record import RunRecord

LONGEST_SUBJECT: Final = 100
MOST_IN_TABLE: Final = 100
MOST_IN_LIST: Final = 30
MOST_NAMES: Final = 10
TEXT_COLUMNS: Final = 3
_IN_TABLE: Final = (*FAILURES, Outcome.BLOCKED, Outcome.SUCCEEDED)


def subject_of(run: RunRecord, jobs: Sequence[JobRecord]) -> str:
    """Return the subject of the message: at most 100 ASCII characters, as SNS demands."""
    counts = Counter(job.outcome for job in jobs)
    ran = counts.total() - counts[Outcome.SKIPPED]
    what = " ".join(word for word in (run.category, run.logical_date) if word) or "a run"
    text = f"Penstock {run.verdict}: {what}"
    if ran:
        text += f" ({counts[Outcome.SUCCEEDED]} of {ran} jobs succeeded)"
    return text.encode("ascii", "replace").decode()[:LONGEST_SUBJECT]


def digest_of(
    run: RunRecord, jobs: Sequence[JobRecord], failure: Failure | None, environment: str
) -> str:
    """Return the whole message; long lists are cut, and say so."""
    table = [job for outcome in _IN_TABLE for job in jobs if job.outcome is outcome]
    failed = [job for job in jobs if job.outcome in FAILURES]
    stopped = [job for job in jobs if job.outcome is Outcome.BLOCKED and not job.blocked_by]
    given_up = [job for job in stopped if job.cause.startswith(GIVEN_UP)]
    blocked = [job for job in stopped if job not in given_up]
    sections = [
        _head(run, jobs, environment),
        _section("What stopped the run", [stop_of(failure)] if failure else []),
        _section("What failed", _failures(failed, jobs)),
        _section("Bad rows, to be mended in the control table", _causes(jobs, Outcome.INVALID)),
        _section("Given up until someone acts", [f"{j.job_name}: {j.cause}" for j in given_up]),
        _section("Blocked", [f"{job.job_name}: {job.cause}" for job in blocked]),
        _section("Succeeded, but to be looked at", _remarks(jobs)),
        _section("Rejected records", rejected_records(jobs)),
        _section("Left out", _causes(jobs, Outcome.SKIPPED)),
        _section("Jobs", _table(table), MOST_IN_TABLE),
        _section("How to go on", _advice(run, jobs)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(run: RunRecord, jobs: Sequence[JobRecord], environment: str) -> str:
    counts = Counter(job.outcome for job in jobs)
    outcomes = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    rows = [
        f"{total(jobs, f'rows_{kind}'):,} {kind}"
        for kind in ("read", "written", "rejected", "filtered")
        if total(jobs, f"rows_{kind}") is not None
    ]
    dpu_seconds = total(jobs, "dpu_seconds")
    facts = {
        "Category": run.category or "unknown",
        "Logical date": run.logical_date or "unknown",
        "Job ID": run.job_id,
        "Environment": environment,
        "Started by": run.trigger,
        "Time": _time(run),
        "Jobs": outcomes or "none",
        "Rows": ", ".join(rows),
        "Rerun of": run.rerun_of,
        "Lane": run.lane if run.lane != Lane.LIVE else "",
        "Glue": f"{dpu_seconds / 3600:,.3f} DPU-hours" if dpu_seconds else "",
        "Cost": _cost(jobs),
        "Execution": run.execution_arn,
    }
    lines = [f"{name + ':':<14}{value}" for name, value in facts.items() if value]
    return "\n".join([f"Verdict:      {run.verdict}", *lines])


def _cost(jobs: Sequence[JobRecord]) -> str:
    """Return the dollars that are known, and of how many jobs that ran they are not."""
    dollars = total(jobs, "dollars")
    if dollars is None:
        return ""
    unknown = sum(bool(job.started_at) and job.figures.dollars is None for job in jobs)
    return f"${dollars:,.4f}" + (f", and {unknown} jobs of unknown cost" if unknown else "")


def _time(run: RunRecord) -> str:
    if not (run.started_at and run.ended_at):
        return ""
    start, end = parse_instant(run.started_at), parse_instant(run.ended_at)
    took = _duration(seconds_between(run.started_at, run.ended_at))
    return f"{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC, {took}"


def _section(title: str, lines: Sequence[str], most: int = MOST_IN_LIST) -> str:
    if not lines:
        return ""
    left = len(lines) - most
    shown = [*lines[:most], *([f"… and {left} more"] if left > 0 else [])]
    return "\n".join([title, "-" * len(title), *shown])


def _failures(failed: Iterable[JobRecord], jobs: Iterable[JobRecord]) -> list[str]:
    victims: dict[str, list[str]] = {}
    for job in jobs:
        if job.blocked_by:
            victims.setdefault(job.blocked_by, []).append(job.job_name)
    lines = []
    for job in failed:
        why = ": ".join(text for text in (job.error, job.cause) if text) or "no cause was given"
        text = f"{job.job_name} ({job.job_type}) {job.outcome}: {why}"
        if job.job_name in victims:
            text += f"\n    so these were blocked: {_names(victims[job.job_name])}"
        if job.failed_before:
            text += f"\n    it had failed {_times(job.failed_before)} before"
        lines.append(text)
    return lines


def _causes(jobs: Iterable[JobRecord], outcome: Outcome) -> list[str]:
    return [f"{job.job_name}: {job.cause}" for job in jobs if job.outcome is outcome]


def _remarks(jobs: Iterable[JobRecord]) -> list[str]:
    odd = [(job, job.cause) for job in jobs if job.outcome is Outcome.SUCCEEDED and job.error]
    odd += [(job, text) for job in jobs for text in unusual(job)]
    return [f"{job.job_name}: {text}" for job, text in odd]


def _table(jobs: Sequence[JobRecord]) -> list[str]:
    """Return a table of the jobs; a figure that nobody reported is a hyphen."""
    if not jobs:
        return []
    rows = [["job", "type", "outcome", "read", "written", "rejected", "seconds"]]
    for job in jobs:
        figures = job.figures
        counts = (figures.rows_read, figures.rows_written, figures.rows_rejected)
        seconds = "-" if job.seconds is None else f"{job.seconds:,.0f}"
        numbers = ("-" if count is None else f"{count:,}" for count in counts)
        rows.append([job.job_name, job.job_type, str(job.outcome), *numbers, seconds])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cells(row, widths)).rstrip() for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    for position, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield text.ljust(width) if position < 3 else text.rjust(width)


def _advice(run: RunRecord, jobs: Sequence[JobRecord]) -> list[str]:
    if run.verdict in (Verdict.SUCCEEDED, Verdict.DUPLICATE):
        return []
    outcomes = {job.outcome for job in jobs}
    advice = []
    if outcomes & {*FAILURES, Outcome.BLOCKED}:
        if run.lane == Lane.LIVE:
            advice.append(f"The next run of {run.category} tries failed and blocked jobs again.")
        advice.append(f"To run them again for {run.logical_date}: penstock rerun {run.job_id}")
    if Outcome.INVALID in outcomes:
        advice.append("Mend the bad rows first: a job with a bad row is not run.")
    if run.category and not run.planned:
        request: Mapping[str, str] = {"category": run.category, "logical_date": run.logical_date}
        known = {name: value for name, value in request.items() if value}
        advice.append(f"To run it again at once, start the pipeline with {json.dumps(known)}")
    return advice


def _names(names: Sequence[str]) -> str:
    left = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {left} more" if left > 0 else "")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _duration(seconds: float | None) -> str:
    minutes, rest = divmod(round(seconds or 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
