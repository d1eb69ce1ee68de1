"""Rejects: the records that an attempt could not use, each kept with its reason.

    <data_path>/<category>/<job>/_rejects/job_id=<id>/attempt=<n>/part-*.parquet   the records
    <data_path>/<category>/<job>/_rejects/job_id=<id>/attempt=<n>/rejects.json     files and rows

They lie with the data, not under `runs/`, because what is there is forgotten after a while, and a
record that still waits to be tried again must not be. A record is tried in three runs (`attempt`
counts them), then it rests until somebody acts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from penstock_job.column_type import INTEGER, TEXT, TIMESTAMP, ColumnType
from penstock_job.contract import JobContract
from penstock_job.dataset import Manifest, PublishedColumn, rejects_path
from penstock_job.dialect import Dialect
from penstock_job.engine import Engine, Written
from penstock_job.errors import AccountingError, InputError
from penstock_job.object_store import ObjectStore
from penstock_job.reject_sql import RETRY

MOST_ATTEMPTS = 3
"""After so many attempts a reject rests in quarantine."""

MALFORMED, UNFIT = "malformed", "input"
"""The rules of records that are none of the source's format, and none of the input any more."""

EXCERPT = ""
"""The header of a line that is kept only in part, so that it can never be read again."""

COLUMNS: Mapping[str, ColumnType] = {
    "source": ColumnType(TEXT),  # the source file, or the upstream job and its logical date
    "line": ColumnType(INTEGER),  # of the source file, where it is known
    "key": ColumnType(TEXT),  # the values of the record's key, where it has one
    "record": ColumnType(TEXT),  # as it came: JSON, or the text of a malformed line
    "header": ColumnType(TEXT),  # of such a line: the column names of its file, as JSON
    "rule": ColumnType(TEXT),
    "reason": ColumnType(TEXT),
    "attempt": ColumnType(INTEGER),
    "first_seen": ColumnType(TIMESTAMP),
    "first_job_id": ColumnType(TEXT),
    "job_id": ColumnType(TEXT),  # the run that rejected it last
}
RETRIED = "penstock_retried"


@dataclass(frozen=True)
class Retries:
    """The rejects that an attempt tries again; they are the table `penstock_retried`.

    `paths` are the folders, among those that the run has named, that they come from.
    """

    paths: Sequence[str] = ()
    rows: int = 0


@dataclass(frozen=True)
class Malformed:
    """The lines of a source that never became records: a select of line, reason, text, whole.

    `header` are the column names of the source; `whole` says whether the text is all of the line.
    """

    lines: str = ""
    rows: int = 0
    header: Sequence[str] = ()

    def rejects(self, dialect: Dialect) -> str:
        """What is kept of them, as `keep_rejects` takes it."""
        null = "CAST(NULL AS {})".format
        header = dialect.literal(json.dumps(list(self.header), ensure_ascii=False))
        return (
            f"SELECT line, {null('STRING')} AS key, text AS record, "
            f"CASE WHEN whole THEN {header} ELSE '{EXCERPT}' END AS header, "
            f"'{MALFORMED}' AS rule, reason, {null('BIGINT')} AS {RETRY} "
            f"FROM ({self.lines}) AS lines"
        )


@dataclass(frozen=True)
class Kept:
    """The rejects that an attempt has written: how many by rule, and how many of them rest."""

    written: Written = field(default_factory=lambda: Written([], 0))
    by_rule: Mapping[str, int] = field(default_factory=dict)
    resting: int = 0


def keep_rejects(
    engine: Engine,
    contract: JobContract,
    found: Sequence[str],
    rules: Sequence[str],
    *,
    source: str,
    retries: bool,
) -> Kept:
    """Write the records that these selects find, and count them by rule in what was written.

    Each select gives line, key, record, header, rule, reason and `penstock_retry`, in this order;
    the last is the number of a record that was tried again. Those, if there are any (`retries`),
    keep their origin and their history. `rules` are all the rules that can be found.
    """
    selected = _statement(engine, contract, found, source, retries=retries)
    folder = rejects_path(contract)
    written = engine.write_parquet(selected, folder, _counts(rules, engine.dialect))
    resting, counts = written.counts[0], dict(zip(rules, written.counts[1:]))
    if sum(counts.values()) != written.rows:
        raise AccountingError(
            f"{written.rows} rejects were written, but {sum(counts.values())} are known by rule"
        )
    write_manifest(engine.store, folder, written)
    return Kept(written, {rule: count for rule, count in counts.items() if count}, resting)


def find_rejects(store: ObjectStore, folder: str) -> Manifest | None:
    """The rejects of one attempt, to be read as a dataset; None where there are none any more."""
    body = store.read(f"{folder}/rejects.json")
    if body is None:
        return None
    try:
        content = json.loads(body)
        files, rows = [str(file) for file in content["files"]], int(content["rows"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder}/rejects.json is not Penstock's: {error!r}") from error
    columns = [PublishedColumn(name, str(kind)) for name, kind in COLUMNS.items()]
    return Manifest("", 0, files, columns, rows)


def report(
    contract: JobContract, kept: Kept, paths: Sequence[str], rows: int, superseded: int
) -> dict[str, Any] | None:
    """What the result file says of rejects: those written, and which earlier ones were tried.

    Those are `rows` records under `paths`, of which `superseded` were filtered because a newer
    record has their key. None where there is nothing to say.
    """
    if not (kept.written.rows or paths):
        return None
    stated: dict[str, Any] = {"rows": kept.written.rows}
    if kept.written.rows:
        stated["path"] = rejects_path(contract)
        stated["by_rule"] = dict(kept.by_rule)
        stated["resting"] = kept.resting
    if paths:
        stated["retried"] = list(paths)
        stated["rows_retried"] = rows
        stated["superseded"] = superseded
    return stated


def _statement(
    engine: Engine,
    contract: JobContract,
    found: Sequence[str],
    source: str,
    *,
    retries: bool,
) -> str:
    literal = engine.dialect.literal
    now = datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds")
    new = {
        "source": literal(source),
        "line": "found.line",
        "key": "found.key",
        "record": "found.record",
        "header": "found.header",
        "attempt": "0",
        "first_seen": literal(now),
        "first_job_id": literal(contract.job_id),
    }
    values = {
        name: f"CASE WHEN before.{RETRY} IS NULL THEN {value} ELSE before.{name} END"
        if retries
        else value
        for name, value in new.items()
    }
    values["attempt"] = f"{values['attempt']} + 1"
    values |= {"rule": "found.rule", "reason": "found.reason", "job_id": literal(contract.job_id)}
    selected = ", ".join(
        f"CAST({values[name]} AS {engine.dialect.type_name(kind)}) AS {name}"
        for name, kind in COLUMNS.items()
    )
    rows = " UNION ALL ".join(f"SELECT * FROM ({select}) AS part" for select in found)
    join = f" LEFT JOIN {RETRIED} AS before ON before.{RETRY} = found.{RETRY}" if retries else ""
    return f"SELECT {selected} FROM ({rows}) AS found{join}"


def _counts(rules: Sequence[str], dialect: Dialect) -> list[str]:
    of_rules = [f"count(*) FILTER (WHERE rule = {dialect.literal(rule)})" for rule in rules]
    return [f"count(*) FILTER (WHERE attempt >= {MOST_ATTEMPTS})", *of_rules]


def write_manifest(store: ObjectStore, folder: str, written: Written) -> None:
    """Name the files of a folder, last of all: what has no such list is none of its rejects."""
    content = {"rows": written.rows, "files": [file.path for file in written.files]}
    store.write(f"{folder}/rejects.json", json.dumps(content).encode(), "application/json")
