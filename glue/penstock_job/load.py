"""The steps of a load: judge the records, bring them to each target by key, account for them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from penstock_job.catalog_load import CatalogLoad
from penstock_job.column_type import FALSE_TEXTS, TRUE_TEXTS
from penstock_job.contract import JobArgumentParser, JobContract, Output, Result, write_result
from penstock_job.duckdb_engine import DuckDbEngine
from penstock_job.dynamodb_import import DynamoDbImport
from penstock_job.dynamodb_load import DynamoDbLoad
from penstock_job.errors import ArgumentsError
from penstock_job.lease import Lease, add_lease_arguments, lease_of
from penstock_job.load_records import LoadRecords
from penstock_job.redshift_load import RedshiftLoad
from penstock_job.redshift_table import RedshiftTarget
from penstock_job.refine import log_result
from penstock_job.rejects import report
from penstock_job.rule import read_ratio
from penstock_job.specification_document import read_names
from penstock_job.tally import require_balance


class LoadArgumentParser(JobArgumentParser):
    """The arguments of a load. An empty target means: not there."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.add_argument("--inputs", required=True)
        self.add_argument("--key", required=True)
        self.add_argument("--max_reject_ratio")
        add_lease_arguments(self)
        self.add_argument("--dynamodb_table", default="")
        self.add_argument("--dynamodb_import", default="false")
        self.add_argument("--catalog_table", default="")
        self.add_argument("--catalog_partition", default="")
        self.add_argument("--redshift_table", default="")
        for name in ("workgroup", "cluster", "database", "secret_arn", "copy_role_arn"):
            self.add_argument(f"--redshift_{name}", default="")


class LoadTarget(Protocol):
    """One thing that is loaded. What it raises ends the load."""

    @property
    def name(self) -> str:
        """For the result file."""

    @property
    def address(self) -> str:
        """For the result file; also the name of the target's lease."""

    def judge(self, records: LoadRecords) -> None:
        """Set aside the records that the target would not take. Nothing is written yet."""

    def load(self, records: LoadRecords, lease: Lease) -> int:
        """Bring the records there; gives the bytes. Those refused all the same are set aside."""


def load(engine: DuckDbEngine, contract: JobContract, arguments: argparse.Namespace) -> Result:
    """Load what the upstream job published for the logical date into each target.

    Every target is loaded by key and by one load at a time, so a load that is repeated changes
    nothing.
    """
    ratio = read_ratio(arguments.max_reject_ratio)
    key = read_names(arguments.key, "key")
    targets = _targets(engine, contract, arguments)
    records = LoadRecords(engine, contract, arguments.inputs, key)
    records.reject_keyless()
    for target in targets:
        target.judge(records)
    records.reject_repeated()
    records.require_limit(ratio, "no target takes them")
    size = 0
    with ExitStack() as stack:
        leases = [lease_of(engine.store, contract, target.address, arguments) for target in targets]
        for lease in sorted(leases, key=lambda one: one.target):  # all in one order: no deadlock
            stack.enter_context(lease)
        for target, lease in zip(targets, leases):
            size += target.load(records, lease)
            records.require_limit(ratio, f"{target.address} refused them")
    return _account(contract, records, targets, size)


def _targets(
    engine: DuckDbEngine, contract: JobContract, arguments: argparse.Namespace
) -> list[LoadTarget]:
    """The targets that the arguments name, DynamoDB first: it alone may refuse single records."""
    targets: list[LoadTarget] = []
    if arguments.dynamodb_table and read_flag(arguments.dynamodb_import, "dynamodb_import"):
        targets.append(DynamoDbImport(engine.store, contract, arguments.dynamodb_table))
    elif arguments.dynamodb_table:
        targets.append(
            DynamoDbLoad(arguments.dynamodb_table, read_ratio(arguments.max_reject_ratio))
        )
    if redshift := redshift_target(arguments):
        targets.append(RedshiftLoad(engine, contract, redshift))
    if arguments.catalog_table:
        partition = arguments.catalog_partition
        targets.append(CatalogLoad(contract, arguments.catalog_table, partition))
    if not targets:
        raise ArgumentsError(
            "nowhere to load: no dynamodb_table, no Redshift and no catalog_table is given"
        )
    return targets


def redshift_target(arguments: argparse.Namespace) -> RedshiftTarget | None:
    """The Redshift table among the arguments; None where no workgroup or cluster is configured."""
    configured = arguments.redshift_workgroup or arguments.redshift_cluster
    if not (arguments.redshift_table and configured):
        return None
    return RedshiftTarget(
        table=arguments.redshift_table,
        workgroup=arguments.redshift_workgroup,
        cluster=arguments.redshift_cluster,
        database=arguments.redshift_database or "dev",
        secret_arn=arguments.redshift_secret_arn,
        copy_role_arn=arguments.redshift_copy_role_arn,
    )


def read_flag(text: str, name: str) -> bool:
    """A yes or no among the arguments, in any of the ways a row may write it."""
    if text.lower() not in (*TRUE_TEXTS, *FALSE_TEXTS):
        raise ArgumentsError(f"{name} is {text!r}, not true or false")
    return text.lower() in TRUE_TEXTS


def _account(
    contract: JobContract, records: LoadRecords, targets: Sequence[LoadTarget], size: int
) -> Result:
    written = records.count()
    rejects = records.write_rejects()
    trial, rejected = records.trial, rejects.written.rows
    read = records.rows + trial.rows
    require_balance(read=read, written=written, rejected=rejected, filtered=trial.superseded)
    outputs = [Output(target.name, target.address, written) for target in targets]
    said = report(contract, rejects, trial.paths, trial.rows, trial.superseded)
    result = Result(read, written, rejected, trial.superseded, size, outputs, rejects=said)
    write_result(records.engine.store, contract, result)
    log_result(contract, result)
    return result
