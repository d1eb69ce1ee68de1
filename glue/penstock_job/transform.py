"""A transform job, whichever engine runs it: its arguments and its steps."""

from __future__ import annotations

import argparse

from penstock_job.contract import JobArgumentParser, JobContract, Result
from penstock_job.dataset import find_input
from penstock_job.engine import Engine
from penstock_job.errors import InputError
from penstock_job.object_store import ObjectStore
from penstock_job.refine import publish_refined, refine
from penstock_job.retry import read_retries
from penstock_job.specification import Specification, read_names, read_specification

MAIN_TABLE = "penstock_input"


class SpecificationArgumentParser(JobArgumentParser):
    """The arguments that make a specification, beside those of every job."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        for name in ("columns", "rules", "filter", "max_reject_ratio"):
            self.add_argument(f"--{name}")


class TransformArgumentParser(SpecificationArgumentParser):
    """The arguments of a transform."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.add_argument("--inputs", required=True)
        self.add_argument("--select")


def specification_of(arguments: argparse.Namespace) -> Specification:
    """The specification among the parsed arguments."""
    return read_specification(
        columns=arguments.columns,
        rules=arguments.rules,
        filter=arguments.filter,
        select=getattr(arguments, "select", None),
        max_reject_ratio=arguments.max_reject_ratio,
    )


def transform(
    engine: Engine, store: ObjectStore, contract: JobContract, arguments: argparse.Namespace
) -> Result:
    """Refine the first input by the specification, with the other inputs at hand for its select.

    Inputs are upstream jobs of the same category; in the select each goes by its job's name.
    """
    specification = specification_of(arguments)
    main, *others = read_names(arguments.inputs, "inputs")
    manifest = find_input(store, contract, main)
    engine.read_dataset(MAIN_TABLE, manifest)
    for name in others:
        engine.read_dataset(name, find_input(store, contract, name))
    refined = refine(
        engine,
        specification,
        contract,
        table=MAIN_TABLE,
        name=main,
        source=f"{main} for {contract.logical_date}",
        retries=read_retries(engine, contract),
    )
    if refined.input_rows != manifest.rows:
        raise InputError(
            f"{main} says it published {manifest.rows} rows for {contract.logical_date}, "
            f"but its files hold {refined.input_rows}"
        )
    details = {"inputs": [main, *others]}
    return publish_refined(store, contract, refined, rows_read=manifest.rows, details=details)
