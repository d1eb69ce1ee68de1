"""Tries rejects of earlier runs again, together with the new input and under the rules of today.

A record of the new input wins over a reject with the same key, which then counts as filtered; of
several rejects with one key the latest counts. Without a `unique` rule the whole record is the key.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from penstock_job.cast import is_unreadable, read_as
from penstock_job.column import Column
from penstock_job.column_type import INTEGER, TEXT, ColumnType
from penstock_job.contract import JobContract
from penstock_job.dataset import current_details, rejects_path
from penstock_job.dialect import Dialect
from penstock_job.engine import Engine
from penstock_job.errors import InputError
from penstock_job.judged_table import FAULT, records_of
from penstock_job.reject_sql import RETRY
from penstock_job.rejects import (
    COLUMNS,
    MALFORMED,
    MOST_ATTEMPTS,
    RETRIED,
    UNFIT,
    Retries,
    find_rejects,
    write_manifest,
)

logger = logging.getLogger(__name__)

TRIED, SUPERSEDED, WITH_RETRIES = "penstock_tried", "penstock_superseded", "penstock_all"
TAKES: Mapping[str, tuple[str, str]] = {
    "open": (f"attempt < {MOST_ATTEMPTS}", "attempt"),
    "resting": (f"attempt >= {MOST_ATTEMPTS}", "0"),
    "all": ("TRUE", "0"),
    "accepted": ("TRUE", "attempt"),
}
"""Which rejects of an attempt are tried again, and how often they count as tried by now."""


@dataclass(frozen=True)
class Trial:
    """The input together with the rejects that fit it, as the table `table`.

    Of the `rows` rejects, `joined` are in it, those `superseded` are filtered, and the
    rest (`left`, a condition) cannot even be read as records of this input. `paths` are the folders
    that the rejects come from.
    """

    table: str
    paths: Sequence[str] = ()
    rows: int = 0
    joined: int = 0
    superseded: int = 0
    left: str = ""

    @property
    def mark(self) -> str:
        """What tells a load of these rejects from one without them, or with others."""
        if not self.rows:
            return ""
        return f" and rejects {sha256(' '.join(self.paths).encode()).hexdigest()[:16]}"

    @property
    def unfit(self) -> int:
        """How many cannot be read as records."""
        return self.rows - self.joined - self.superseded


def read_retries(engine: Engine, contract: JobContract) -> Retries:
    """Read what the run says is to be tried again, and what an earlier attempt has accepted of it.

    A date that is published anew must not lose the rejects that were accepted for it. Rejects that
    are not where they should be are left out, and so they stay open.
    """
    selects, paths = [], []
    for number, batch in enumerate(_batches(engine, contract)):
        manifest = find_rejects(engine.store, batch["path"])
        if manifest is None:
            logger.warning("%s: there are no rejects to be tried again", batch["path"])
            continue
        table = f"penstock_rejects_{number}"
        engine.read_dataset(table, manifest)
        condition, attempt = TAKES[batch["take"]]
        columns = ", ".join(
            f"{attempt if name == 'attempt' else name} AS {name}" for name in COLUMNS
        )
        selects.append(f"SELECT {columns} FROM {table} WHERE {condition}")
        if batch["take"] != "accepted":
            paths.append(batch["path"])
    if not selects:
        return Retries()
    order = "first_seen, job_id, source, line, key, record"
    rows = " UNION ALL ".join(selects)
    engine.keep(
        RETRIED, f"SELECT row_number() OVER (ORDER BY {order}) AS {RETRY}, * FROM ({rows}) AS kept"
    )
    return Retries(paths, engine.row(f"SELECT count(*) FROM {RETRIED}")[0])


def try_again(
    engine: Engine,
    retries: Retries,
    table: str,
    schema: Mapping[str, ColumnType],
    key: Sequence[str],
) -> Trial:
    """Join the rejects to the input `table` with these columns, of which `key` are the key."""
    if not retries.rows:
        return Trial(table, retries.paths)
    inputs, schema = list(schema), records_of(schema)
    engine.keep(TRIED, _read(schema, engine.dialect))
    source = engine.dialect.identifier(table)
    if FAULT in inputs:
        source = f"(SELECT * FROM {source} WHERE {FAULT} IS NULL)"
    engine.keep(SUPERSEDED, _superseded(source, schema, key, engine.dialect))
    fits = "penstock_unreadable = '' AND header IS NULL"
    beaten = f"SELECT {RETRY} FROM {SUPERSEDED}"
    names = ", ".join(map(engine.dialect.identifier, inputs))
    own = ", ".join(
        engine.dialect.identifier(name) if name in schema else f"CAST(NULL AS STRING) AS {name}"
        for name in inputs
    )
    left = f"{TRIED} WHERE {RETRY} NOT IN ({beaten})"
    engine.view(
        WITH_RETRIES,
        f"SELECT {names}, CAST(NULL AS BIGINT) AS {RETRY} FROM {engine.dialect.identifier(table)} "
        f"UNION ALL SELECT {own}, {RETRY} FROM {left} AND {fits}",
    )
    superseded, joined = engine.row(
        f"SELECT (SELECT count(*) FROM {SUPERSEDED}), (SELECT count(*) FROM {left} AND {fits})"
    )
    return Trial(
        WITH_RETRIES, retries.paths, retries.rows, joined, superseded, f"{left} AND NOT ({fits})"
    )


def without_newer_lines(engine: Engine, trial: Trial, malformed: str) -> Trial:
    """Take out those lines that the source has anew; `malformed` selects its malformed lines."""
    if not trial.unfit:
        return trial
    newer = f"header IS NOT NULL AND penstock_text IN (SELECT text FROM ({malformed}) AS lines)"
    count = engine.row(f"SELECT count(*) FROM {trial.left} AND {newer}")[0]
    return replace(
        trial, superseded=trial.superseded + count, left=f"{trial.left} AND NOT ({newer})"
    )


def unfit_rejects(trial: Trial, dialect: Dialect) -> str:
    """What is kept of the rejects that cannot be read as records; the rest comes from before."""
    text, line = dialect.text_type, f"CAST(NULL AS {dialect.type_name(ColumnType(INTEGER))})"
    is_line = "before.header IS NOT NULL"
    return (
        f"SELECT {line} AS line, CAST(NULL AS {text}) AS key, CAST(NULL AS {text}) AS record, "
        f"CAST(NULL AS {text}) AS header, "
        f"CASE WHEN {is_line} THEN '{MALFORMED}' ELSE '{UNFIT}' END AS rule, "
        f"CASE WHEN {is_line} THEN before.reason ELSE tried.penstock_unreadable END AS reason, "
        f"before.{RETRY} FROM (SELECT * FROM {trial.left}) AS tried "
        f"JOIN {RETRIED} AS before ON before.{RETRY} = tried.{RETRY}"
    )


def keep_accepted(engine: Engine, contract: JobContract, accepted: str) -> str:
    """Keep the rejects with these numbers for a later attempt for the same date; return where."""
    folder = f"{rejects_path(contract)}/accepted"
    names = ", ".join(COLUMNS)
    rows = f"SELECT {names} FROM {RETRIED} WHERE {RETRY} IN ({accepted})"
    write_manifest(engine.store, folder, engine.write_parquet(rows, folder))
    return folder


def _batches(engine: Engine, contract: JobContract) -> list[Mapping[str, str]]:
    before = current_details(engine.store, contract).get("accepted_rejects")
    listed: list[Any] = [{"path": before, "take": "accepted"}] if before else []
    if contract.rejects_path:
        body = engine.store.read(contract.rejects_path)
        if body is None:
            raise InputError(f"{contract.rejects_path}, the list of rejects, does not exist")
        listed += json.loads(body)["batches"]
    return listed


def _read(schema: Mapping[str, ColumnType], dialect: Dialect) -> str:
    """The rejects as records of the input, and what of each cannot be read as its columns."""
    text = ColumnType(TEXT)
    record = "CASE WHEN header IS NULL THEN record ELSE '{}' END"
    values, faults = [], []
    for name, kind in schema.items():
        member = dialect.member(record, name)
        typed = read_as(Column(name, name, kind), text, member, None, dialect)
        unreadable = is_unreadable(Column(name, name, kind), text, member, typed, dialect)
        values.append(f"{typed} AS {dialect.identifier(name)}")
        spoken = dialect.literal(f"{name} is not {kind.spoken}, as the input has it now")
        faults.append(f"CASE WHEN {unreadable} THEN {spoken} END")
    return (
        f"SELECT {RETRY}, job_id, header, record AS penstock_text, {', '.join(values)}, "
        f"concat_ws('; ', {', '.join(faults)}) AS penstock_unreadable FROM {RETRIED}"
    )


def _superseded(
    source: str, schema: Mapping[str, ColumnType], key: Sequence[str], dialect: Dialect
) -> str:
    """The numbers of the rejects that a record of the input, or a later reject, replaces."""
    names = [dialect.identifier(name) for name in key]
    keyed = " AND ".join(["header IS NULL", *(f"{name} IS NOT NULL" for name in names)])
    keyed = f"({keyed})" if names else "FALSE"
    columns = [dialect.identifier(name) for name in schema]
    same = " AND ".join(f"old.{name} IS NOT DISTINCT FROM new.{name}" for name in columns)
    keyless = f"SELECT * FROM {TRIED} WHERE NOT {keyed} AND header IS NULL"
    ranked = f"SELECT {RETRY}, row_number() OVER ({_latest(names, keyed)}) AS place FROM {TRIED}"
    selects = [
        f"SELECT old.{RETRY} FROM ({keyless}) AS old JOIN {source} AS new ON {same}",
        f"SELECT {RETRY} FROM ({ranked}) AS ranked WHERE place > 1",
    ]
    if names:
        same_key = " AND ".join(f"old.{name} = new.{name}" for name in names)
        selects.append(
            f"SELECT old.{RETRY} FROM (SELECT * FROM {TRIED} WHERE {keyed}) AS old "
            f"JOIN {source} AS new ON {same_key}"
        )
    return " UNION ".join(selects)


def _latest(names: Sequence[str], keyed: str) -> str:
    parts = [keyed, *names, f"CASE WHEN NOT {keyed} THEN penstock_text END"]
    return f"PARTITION BY {', '.join(parts)} ORDER BY job_id DESC, {RETRY} DESC"
