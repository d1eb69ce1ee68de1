"""The run log in Redshift: one row per run and one per job, written in one transaction.

The statements are plain SQL that DuckDB understands, too. Parameters of the Data API cannot be
NULL or empty, so a row travels as one text with its fields between bars, and an absent field is an
empty one. Writing a run again replaces it: the log can be repeated at will.

The rows of thousands of jobs have no room in the statement: they go to a file, in the same form,
and the statement copies it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from penstock.domain.instant import seconds_between
from penstock.domain.outcome import FAILURES, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.domain.job_record import JobRecord
    from penstock.domain.messages import LogStatement, SqlParameter
    from penstock.domain.redshift import Redshift
    from penstock.domain.run_record import RunRecord

RUN_COLUMNS: Final = {
    "job_id": "VARCHAR(64)",
    "category": "VARCHAR(64)",
    "logical_date": "DATE",
    "environment": "VARCHAR(64)",
    "started_by": "VARCHAR(64)",
    "verdict": "VARCHAR(16)",
    "started_at": "TIMESTAMP",
    "ended_at": "TIMESTAMP",
    "seconds": "DOUBLE PRECISION",
    "jobs_planned": "INTEGER",
    "jobs_succeeded": "INTEGER",
    "jobs_failed": "INTEGER",
    "jobs_blocked": "INTEGER",
    "jobs_skipped": "INTEGER",
    "jobs_invalid": "INTEGER",
    "rows_read": "BIGINT",
    "rows_written": "BIGINT",
    "rows_rejected": "BIGINT",
    "rows_filtered": "BIGINT",
    "bytes": "BIGINT",
    "dpu_seconds": "DOUBLE PRECISION",
    "dollars": "DOUBLE PRECISION",
    "lane": "VARCHAR(16)",
    "rerun_of": "VARCHAR(64)",
    "duplicate_of": "VARCHAR(64)",
    "execution_arn": "VARCHAR(512)",
}
JOB_COLUMNS: Final = {
    "job_id": "VARCHAR(64)",
    "job_name": "VARCHAR(64)",
    "job_type": "VARCHAR(32)",
    "attempt": "INTEGER",
    "outcome": "VARCHAR(16)",
    "started_at": "TIMESTAMP",
    "ended_at": "TIMESTAMP",
    "seconds": "DOUBLE PRECISION",
    "rows_read": "BIGINT",
    "rows_written": "BIGINT",
    "rows_rejected": "BIGINT",
    "rows_filtered": "BIGINT",
    "bytes": "BIGINT",
    "dpu_seconds": "DOUBLE PRECISION",
    "dollars": "DOUBLE PRECISION",
    "failed_before": "INTEGER",
    "waited_seconds": "DOUBLE PRECISION",
    "error": "VARCHAR(256)",
    "cause": "VARCHAR(2000)",
}
RUN_TABLE: Final = "etl.run_log"
JOB_TABLE: Final = "etl.job_log"
ROWS_PER_INSERT: Final = 200
"""One statement may have 100 KB; a row is about 60 bytes of it."""
MOST_ROW_BYTES: Final = 100_000
"""The statement is state of the machine, and all of that together may have 256 KiB."""
COPY_OPTIONS: Final = "DELIMITER '|' TIMEFORMAT 'auto' EMPTYASNULL"
LONGEST_ERROR: Final = 64
LONGEST_CAUSE: Final = 400
"""In characters, each up to four of the bytes that a VARCHAR counts."""


@dataclass(frozen=True, slots=True)
class RunLog:
    """The batch that logs runs, and the file that it copies, if any, under its key.

    `missing` jobs are in neither: there was no room, and no role with which to copy a file.
    """

    statement: LogStatement
    key: str = ""
    content: bytes = b""
    missing: int = 0


def run_log(
    redshift: Redshift,
    environment: str,
    data_bucket: str,
    runs: Sequence[tuple[RunRecord, Sequence[JobRecord]]],
) -> RunLog:
    """Return the log of the runs, the latest first.

    Jobs that did not succeed come first, so it is successes that are left out of a huge log where
    Redshift has no role to copy a file.
    """
    run_lines = [_run_line(run, jobs, environment) for run, jobs in runs]
    job_lines = [_job_line(job) for _, jobs in runs for job in sorted(jobs, key=_succeeded)]
    fitting = _fitting(job_lines, MOST_ROW_BYTES - sum(map(_size, run_lines)))
    missing = len(job_lines) - len(fitting)
    ids = [run.job_id for run, _ in runs]
    if not (missing and redshift.copy_role_arn):
        return RunLog(_statement(redshift, ids, run_lines, fitting), missing=missing)
    key = f"runs/{ids[0]}/job_log.txt"
    copy = _copy(f"s3://{data_bucket}/{key}", redshift.copy_role_arn)
    content = "".join(f"{line}\n" for line in job_lines).encode()
    return RunLog(_statement(redshift, ids, run_lines, [], copy), key, content)


def definition() -> str:
    """Return the statements that create the log, as a file for people who want it beforehand."""
    statements = [
        "CREATE SCHEMA IF NOT EXISTS etl",
        _create(RUN_TABLE, RUN_COLUMNS),
        _create(JOB_TABLE, JOB_COLUMNS),
    ]
    pretty = [text.replace("(", "(\n    ", 1).replace(", ", ",\n    ") for text in statements]
    made_by = (
        "-- Made by schema/generate.py from penstock.domain.run_log; runs create it themselves."
    )
    return "\n".join([made_by, *(f"{text};" for text in pretty), ""])


def _statement(
    redshift: Redshift,
    ids: Sequence[str],
    run_lines: Sequence[str],
    job_lines: Sequence[str],
    *copies: str,
) -> LogStatement:
    names = {f"id{number}": job_id for number, job_id in enumerate(ids)}
    run_rows = {f"run{number}": line for number, line in enumerate(run_lines)}
    job_rows = {f"job{number}": line for number, line in enumerate(job_lines)}
    known = ", ".join(f":{name}" for name in names)
    request: Any = redshift.connection() | {
        "Sqls": [
            "CREATE SCHEMA IF NOT EXISTS etl",
            _create(RUN_TABLE, RUN_COLUMNS),
            _create(JOB_TABLE, JOB_COLUMNS),
            _delete(RUN_TABLE, known),
            _delete(JOB_TABLE, known),
            *_inserts(RUN_TABLE, RUN_COLUMNS, list(run_rows)),
            *_inserts(JOB_TABLE, JOB_COLUMNS, list(job_rows)),
            *copies,
        ],
        "Parameters": _parameters(names | run_rows | job_rows),
        "ClientToken": f"log-{ids[0]}",
        "StatementName": f"penstock-run-log-{ids[0]}",
    }
    return cast("LogStatement", request)


def _delete(table: str, parameters: str) -> str:
    return f"DELETE FROM {table} WHERE job_id IN ({parameters})"  # noqa: S608 - no value is in it


def _create(table: str, columns: dict[str, str]) -> str:
    fields = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"CREATE TABLE IF NOT EXISTS {table} ({fields})"


def _inserts(table: str, columns: dict[str, str], parameters: Sequence[str]) -> Iterable[str]:
    """Yield statements that take the parameters apart into rows."""
    fields = ", ".join(
        f"CAST(NULLIF(SPLIT_PART(line, '|', {position}), '') AS {kind})"
        for position, kind in enumerate(columns.values(), start=1)
    )
    for start in range(0, len(parameters), ROWS_PER_INSERT):
        lines = " UNION ALL ".join(
            f"SELECT CAST(:{name} AS VARCHAR(4000)) AS line"
            for name in parameters[start : start + ROWS_PER_INSERT]
        )
        names = ", ".join(columns)
        yield f"INSERT INTO {table} ({names}) SELECT {fields} FROM ({lines}) AS given"  # noqa: S608


def _copy(source: str, role_arn: str) -> str:
    names = ", ".join(JOB_COLUMNS)
    return f"COPY {JOB_TABLE} ({names}) FROM '{source}' IAM_ROLE '{role_arn}' {COPY_OPTIONS}"


def _run_line(run: RunRecord, jobs: Sequence[JobRecord], environment: str) -> str:
    counts = Counter(job.outcome for job in jobs)
    return _line(
        run.job_id,
        run.category,
        run.logical_date,
        environment,
        run.trigger,
        run.verdict,
        _timestamp(run.started_at),
        _timestamp(run.ended_at),
        seconds_between(run.started_at, run.ended_at),
        run.planned,
        counts[Outcome.SUCCEEDED],
        sum(counts[outcome] for outcome in FAILURES),
        counts[Outcome.BLOCKED],
        counts[Outcome.SKIPPED],
        counts[Outcome.INVALID],
        *(total(jobs, name) for name in ("rows_read", "rows_written", "rows_rejected")),
        *(total(jobs, name) for name in ("rows_filtered", "bytes", "dpu_seconds", "dollars")),
        run.lane,
        run.rerun_of,
        run.duplicate_of,
        run.execution_arn,
    )


def _job_line(job: JobRecord) -> str:
    figures = job.figures
    return _line(
        job.job_id,
        job.job_name,
        job.job_type,
        job.attempt,
        job.outcome,
        _timestamp(job.started_at),
        _timestamp(job.ended_at),
        job.seconds,
        figures.rows_read,
        figures.rows_written,
        figures.rows_rejected,
        figures.rows_filtered,
        figures.bytes,
        figures.dpu_seconds,
        figures.dollars,
        job.failed_before,
        seconds_between(job.arrived_at, job.started_at),
        job.error[:LONGEST_ERROR],
        job.cause[:LONGEST_CAUSE],
    )


def total(jobs: Iterable[JobRecord], figure: str) -> float | int | None:
    """Return the sum of a figure over the jobs that know it, or None if none does."""
    known = [value for job in jobs if (value := getattr(job.figures, figure)) is not None]
    return sum(known) if known else None


def _line(*fields: object) -> str:
    return "|".join(_field(field) for field in fields)


def _field(value: object) -> str:
    """Return the value without what would end the field; bars are rare enough in causes."""
    return "" if value is None else " ".join(str(value).replace("|", "/").split())


def _timestamp(instant: str | None) -> str:
    return instant.replace("T", " ").removesuffix("Z") if instant else ""


def _succeeded(job: JobRecord) -> bool:
    return job.outcome is Outcome.SUCCEEDED


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    fitting: list[str] = []
    for line in lines:
        room -= _size(line)
        if room < 0:
            break
        fitting.append(line)
    return fitting


def _size(line: str) -> int:
    """Return the bytes of a row in the state: the text, its parameter, its part of the SQL."""
    return len(line.encode()) + 100


def _parameters(values: dict[str, str]) -> list[SqlParameter]:
    return [{"Name": name, "Value": value} for name, value in values.items()]
