"""The contract every job keeps: the arguments it is started with and the result it leaves.

Any job may be run by Penstock, written in whatever way: it is given these arguments, and it may
write a small JSON file to `result_path` as its last act.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from penstock_job.errors import ArgumentsError
from penstock_job.object_store import ObjectStore


@dataclass(frozen=True)
class JobContract:
    """Who this job is in which run, and where its result and its data belong.

    `rejects_path` leads to the list of rejects that the job is to try again; empty for none.
    """

    job_id: str
    job_name: str
    category: str
    logical_date: str
    attempt: int
    result_path: str
    data_path: str
    rejects_path: str = ""


@dataclass(frozen=True)
class Output:
    """One thing a job made: a dataset, its rejects, a table it loaded."""

    name: str
    path: str
    rows: int


@dataclass(frozen=True)
class Result:
    """What a job reports of itself. `bytes` is the size of the data it wrote.

    `tables` is for extracts: an entry for each table, with its own outcome and watermark.
    `warnings` are for a person: the job succeeded, but something is to be looked at.
    """

    rows_read: int
    rows_written: int
    rows_rejected: int
    rows_filtered: int
    bytes: int
    outputs: list[Output] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rejects: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The result file's content; what there is nothing to say of is left out."""
        tables = {"tables": self.tables} if self.tables else {}
        rejects = {"rejects": dict(self.rejects)} if self.rejects else {}
        return {
            "rows_read": self.rows_read,
            "rows_written": self.rows_written,
            "rows_rejected": self.rows_rejected,
            "rows_filtered": self.rows_filtered,
            "bytes": self.bytes,
            "outputs": [
                {"name": output.name, "path": output.path, "rows": output.rows}
                for output in self.outputs
            ],
            **tables,
            **({"warnings": self.warnings} if self.warnings else {}),
            **rejects,
        }


class JobArgumentParser(argparse.ArgumentParser):
    """Reads Glue's arguments: always pairs of `--name value`, some of them not for us.

    `argparse` alone would take a value that begins with a dash (a SQL comment, a negative number)
    for another option, so each known name is first joined to its value.
    """

    def __init__(self, description: str) -> None:
        super().__init__(description=description, allow_abbrev=False)
        for name in ("job_id", "job_name", "category", "logical_date", "result_path", "data_path"):
            self.add_argument(f"--{name}", required=True)
        self.add_argument("--attempt", type=int, default=1)
        self.add_argument("--rejects_path", default="")

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """The known arguments of `argv`; Glue's own (`--job-language`, …) are passed over."""
        tokens = list(argv)
        joined: list[str] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token in self._option_string_actions and position + 1 < len(tokens):
                position += 1
                token = f"{token}={tokens[position]}"
            joined.append(token)
            position += 1
        arguments, _ = self.parse_known_args(joined)
        return arguments

    def error(self, message: str) -> NoReturn:
        raise ArgumentsError(message)


def contract_of(arguments: argparse.Namespace) -> JobContract:
    """The job contract among the parsed arguments."""
    return JobContract(
        job_id=arguments.job_id,
        job_name=arguments.job_name,
        category=arguments.category,
        logical_date=arguments.logical_date,
        attempt=arguments.attempt,
        result_path=arguments.result_path,
        data_path=arguments.data_path.rstrip("/"),
        rejects_path=arguments.rejects_path,
    )


def write_result(store: ObjectStore, contract: JobContract, result: Result) -> None:
    """Leave the result file. A job calls this last: the file means that everything else is done.

    (An extract calls it after each table: the file means that the tables in it are done.)
    """
    body = json.dumps(result.as_json(), indent=2).encode()
    store.write(contract.result_path, body, "application/json")
