"""What the task of a job is given, made from its row.

Shape by type of job:

- `python_shell`, `spark`: a map of texts, as Glue hands them to a script: `{"--job_id": "…"}`.
- `ecs`: the same as a command line: `["--job_id", "…"]`.
- `emr`: the members of EMR Serverless' `SparkSubmit` beside the entry point.
- `lambda`, `state_machine`: a JSON object: the contract's names without `--`, and under `arguments`
  what the row says, with its types.
- `redshift_sql`: the whole request to `batchExecuteStatement`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.placeholder import fill, fill_all, job_arguments
from penstock.domain.row_reader import BadValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.domain.control_row import ControlRow
    from penstock.domain.redshift import Redshift

LONGEST_LAMBDA_MINUTES: Final = 15
LONGEST_SQL_MINUTES: Final = 24 * 60
"""Lambda and Redshift end what takes longer."""
DEFAULT_MINUTES: Final = 480
MOST_STATEMENTS: Final = 40
"""Of one request to the Redshift Data API."""
LARGEST_SQL: Final = 100_000
"""Bytes of a job's statements: a state holds 256 KiB, and DescribeStatement repeats them."""

SQL_OPTION: Final = "statements"
SPARK_OPTION: Final = "spark_submit_parameters"

EMR_WORKERS: Final = {"G.1X": (4, "14g"), "G.2X": (8, "28g"), "G.4X": (16, "56g")}
"""vCPU and heap of a worker of Glue's size; Spark adds a tenth of the heap for itself."""

_SQL_TEXT: Final = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_SQL_PARAMETER: Final = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class JobTask:
    """What a row says of the work itself; `stated` are its arguments as they are written."""

    job_type: str
    target: str
    stated: Mapping[str, Any]
    timeout_minutes: int
    worker_type: str | None = None
    number_of_workers: int | None = None

    @classmethod
    def of(cls, row: ControlRow) -> JobTask:
        """Return the task that a row describes."""
        return cls(
            job_type=row.job_type,
            target=row.target,
            stated=row.arguments,
            timeout_minutes=row.timeout_minutes,
            worker_type=row.worker_type,
            number_of_workers=row.number_of_workers,
        )


def start_token(job_id: str, job_name: str, attempt: int) -> str:
    """Return 64 characters, the same for every try of one attempt: a service starts it once."""
    return hashlib.sha256(f"{job_id}/{job_name}/{attempt}".encode()).hexdigest()


def task_arguments(
    task: JobTask,
    contract: Mapping[str, str],
    values: Mapping[str, str],
    token: str,
    redshift: Redshift | None = None,
) -> Any:
    """Return what the task is given, with placeholders filled in; raise BadValueError.

    `contract` holds what every job is given, `values` what placeholders stand for, `token` is the
    start token of the attempt.
    """
    match task.job_type:
        case "lambda":
            _check_time(task, LONGEST_LAMBDA_MINUTES, "Lambda ends a function")
            return _message(task, contract, values)
        case "state_machine":
            return _message(task, contract, values)
        case "ecs":
            return _command(job_arguments(task.stated, contract, values))
        case "emr":
            return _spark_submit(task, contract, values)
        case "redshift_sql":
            _check_time(task, LONGEST_SQL_MINUTES, "Redshift ends a statement")
            return _sql_request(task, contract, values, token, redshift)
        case _:
            return job_arguments(task.stated, contract, values)


def _check_time(task: JobTask, longest: int, who: str) -> None:
    if task.timeout_minutes > longest and task.timeout_minutes != DEFAULT_MINUTES:
        raise BadValueError(f"{who} after {longest} minutes at the latest", "TimeoutMinutes")


def _message(
    task: JobTask, contract: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, Any]:
    told = {_plain(name): value for name, value in contract.items()}
    own = {_plain(name): fill_all(value, values) for name, value in task.stated.items()}
    return {**told, "attempt": int(contract["--attempt"]), "arguments": _as_json(own)}


def _command(arguments: Mapping[str, str]) -> list[str]:
    return [part for pair in arguments.items() for part in pair]


def _spark_submit(
    task: JobTask, contract: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, Any]:
    stated, further = _taken_out(task.stated, SPARK_OPTION, values)
    if not isinstance(further, str | None):
        raise BadValueError(f"{SPARK_OPTION} is a text, like '--conf spark.x=1'")
    parameters = [*_workers(task), *([further] if further else [])]
    submit = {"EntryPointArguments": _command(job_arguments(stated, contract, values))}
    return submit | ({"SparkSubmitParameters": " ".join(parameters)} if parameters else {})


def _workers(task: JobTask) -> list[str]:
    """Return the options of spark-submit for workers of that size, and for exactly so many."""
    settings: list[str] = []
    if task.worker_type is not None:
        if task.worker_type not in EMR_WORKERS:
            raise BadValueError(f"an emr job has one of {', '.join(EMR_WORKERS)}", "WorkerType")
        cores, memory = EMR_WORKERS[task.worker_type]
        settings += [f"executor.cores={cores}", f"executor.memory={memory}"]
    if task.number_of_workers is not None:
        settings += [
            "dynamicAllocation.enabled=false",
            f"executor.instances={task.number_of_workers}",
        ]
    return [f"--conf spark.{setting}" for setting in settings]


def _sql_request(
    task: JobTask,
    contract: Mapping[str, str],
    values: Mapping[str, str],
    token: str,
    redshift: Redshift | None,
) -> dict[str, Any]:
    if redshift is None:
        raise BadValueError("the stack has no RedshiftWorkgroup or RedshiftCluster", "JobType")
    stated, given = _taken_out(task.stated, SQL_OPTION, values)
    statements = _statements(given)
    texts = job_arguments(stated, contract, values)
    parameters = _parameters(statements, {_plain(name): text for name, text in texts.items()})
    request = {
        **redshift.connection(),
        "Database": fill(task.target, values),
        "Sqls": statements,
        "ClientToken": token,
        "StatementName": f"{contract['--job_id']} {contract['--job_name']}",
    }
    return request | ({"Parameters": parameters} if parameters else {})


def _statements(given: Any) -> list[str]:
    statements = [given] if isinstance(given, str) else given
    if not isinstance(statements, list) or not statements:
        raise BadValueError(f"a redshift_sql job has a list of {SQL_OPTION}")
    if not all(isinstance(each, str) and each.strip() for each in statements):
        raise BadValueError(f"one of the {SQL_OPTION} is empty or no text")
    if len(statements) > MOST_STATEMENTS:
        raise BadValueError(f"{SQL_OPTION} are {len(statements)}, not {MOST_STATEMENTS}")
    size = sum(len(each.encode()) for each in statements)
    if size > LARGEST_SQL:
        raise BadValueError(f"{SQL_OPTION} have {size} bytes, at most {LARGEST_SQL}")
    return statements


def _parameters(statements: Sequence[str], texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Return those arguments that a statement refers to as `:name`; Redshift refuses others."""
    named = {name for sql in statements for name in _SQL_PARAMETER.findall(_SQL_TEXT.sub(" ", sql))}
    unknown = sorted(named - texts.keys())
    if unknown:
        raise BadValueError(f"{SQL_OPTION} use :{unknown[0]}, which is no argument")
    empty = sorted(name for name in named if not texts[name])
    if empty:
        raise BadValueError(f"{empty[0]} is empty, which Redshift's parameters cannot be")
    return [{"Name": name, "Value": texts[name]} for name in sorted(named)]


def _taken_out(
    stated: Mapping[str, Any], option: str, values: Mapping[str, str]
) -> tuple[dict[str, Any], Any]:
    """Return the arguments without one that is Penstock's, and that one, filled in, or None."""
    others = {name: value for name, value in stated.items() if _plain(name) != option}
    own = [value for name, value in stated.items() if _plain(name) == option]
    return others, fill_all(own[0], values) if own else None


def _plain(name: str) -> str:
    return name.removeprefix("--")


def _as_json(value: Any) -> Any:
    """Return the value as it is after a way through JSON: dates and the like become texts."""
    return json.loads(json.dumps(value, default=str))
