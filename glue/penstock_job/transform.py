"""A transform job, whichever engine runs it: its arguments and its steps."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from penstock_job.contract import JobArgumentParser, JobContract, Result
from penstock_job.dataset import attempt_path, rows_before
from penstock_job.engine import Engine
from penstock_job.errors import ArgumentsError, InputError
from penstock_job.job_input import read_input, spoken_name
from penstock_job.object_store import ObjectStore
from penstock_job.refine import NO_LINES, Judgement, judge, publish_refined, refine
from penstock_job.rejects import Malformed
from penstock_job.retry import read_retries
from penstock_job.specification import Specification
from penstock_job.specification_document import read_names, specification_of

MAIN_TABLE = "penstock_input"
SOURCE = "source"
"""The name by which a select knows the records of a file."""
STATED = ("columns", "nulls", "rules", "join", "filter", "select", "max_reject_ratio")


class SpecificationArgumentParser(JobArgumentParser):
    """The arguments that make a specification, beside those of every job."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        for name in ("columns", "nulls", "rules", "filter", "max_reject_ratio", "specification"):
            self.add_argument(f"--{name}")


class TransformArgumentParser(SpecificationArgumentParser):
    """The arguments of a transform."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.add_argument("--inputs", default="")
        self.add_argument("--source", default="", help="s3://… of a CSV file")
        self.add_argument("--delimiter", default=",")
        self.add_argument("--join")
        self.add_argument("--select")


@dataclass(frozen=True)
class _Judged:
    judgement: Judgement
    malformed: Malformed
    rows_read: int


def read_arguments(arguments: argparse.Namespace, store: ObjectStore) -> Specification:
    """The specification among the parsed arguments, and in the file that they name."""
    stated = {name: getattr(arguments, name, None) for name in STATED}
    return specification_of(stated, arguments.specification, store)


def transform(
    engine: Engine, store: ObjectStore, contract: JobContract, arguments: argparse.Namespace
) -> Result:
    """Refine the first input, or a CSV file, by the specification.

    Inputs are upstream jobs of the same category, which SQL knows by their names, and extracted
    tables (`extract:shop/orders`), which it knows by the name of the table. The lookups of joins
    and rules are inputs, too, whether named as such or not.
    """
    specification = read_arguments(arguments, store)
    names = (
        read_names(arguments.inputs, "inputs") if arguments.inputs or not arguments.source else []
    )
    main = SOURCE if arguments.source else names.pop(0)
    if spoken_name(main) in specification.lookups:
        raise ArgumentsError(f"{main} cannot be looked up in itself")
    spoken = {spoken_name(name) for name in names}
    others = [*names, *(name for name in specification.lookups if name not in spoken)]
    for name in others:
        read_input(engine, store, contract, name, spoken_name(name))
    judged = (
        _judge_file(engine, specification, contract, arguments)
        if arguments.source
        else _judge_input(engine, store, specification, contract, main)
    )
    before = rows_before(store, contract) if specification.table_rules.compares else None
    refined = refine(
        engine,
        contract,
        judged.judgement,
        name=spoken_name(main),
        source=arguments.source or f"{main} for {contract.logical_date}",
        malformed=judged.malformed,
        before=before,
    )
    details = {"inputs": [arguments.source or main, *others]}
    return publish_refined(store, contract, refined, rows_read=judged.rows_read, details=details)


def _judge_input(
    engine: Engine,
    store: ObjectStore,
    specification: Specification,
    contract: JobContract,
    main: str,
) -> _Judged:
    rows = read_input(engine, store, contract, main, MAIN_TABLE)
    retries = read_retries(engine, contract)
    judgement = judge(engine, specification, MAIN_TABLE, retries, attempt_path(contract))
    if judgement.records != rows:
        raise InputError(
            f"{main} says it published {rows} rows for {contract.logical_date}, "
            f"but its files hold {judgement.records}"
        )
    return _Judged(judgement, NO_LINES, rows)


def _judge_file(
    engine: Engine,
    specification: Specification,
    contract: JobContract,
    arguments: argparse.Namespace,
) -> _Judged:
    source = engine.open_csv(arguments.source, arguments.delimiter)
    retries = read_retries(engine, contract)
    judgement = source.judge(specification, MAIN_TABLE, retries, attempt_path(contract))
    return _Judged(judgement, source.malformed(), source.records + source.malformed_rows)
