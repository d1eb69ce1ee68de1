"""The kinds of sources that tables are extracted from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from penstock_job.contract import JobContract
from penstock_job.database_access import database_access
from penstock_job.errors import ArgumentsError
from penstock_job.http_csv_source import HttpCsvSource
from penstock_job.object_store import ObjectStore
from penstock_job.s3_source import S3Source
from penstock_job.table_source import TableSource
from penstock_job.work_order import SourceOrder

Opener = Callable[[SourceOrder, JobContract, ObjectStore, Path], TableSource]


def open_source(
    source: SourceOrder, contract: JobContract, store: ObjectStore, folder: Path
) -> TableSource:
    """The source of a work order; it may use the folder. Raises ArgumentsError and SourceError."""
    opener = OPENERS.get(source.type)
    if opener is None:
        raise ArgumentsError(
            f"source {source.name} is of the type {source.type}; this job knows "
            f"{', '.join(OPENERS)}"
        )
    return opener(source, contract, store, folder)


# A source's own module is imported when it is asked for: an extract of files needs no driver.
def _postgresql(
    source: SourceOrder, _: JobContract, store: ObjectStore, folder: Path
) -> TableSource:
    from penstock_job.postgresql_source import PORT, PostgresqlSource

    return PostgresqlSource(database_access(source, store, folder, PORT))


def _mysql(source: SourceOrder, _: JobContract, store: ObjectStore, folder: Path) -> TableSource:
    from penstock_job.mysql_source import PORT, MysqlSource

    return MysqlSource(database_access(source, store, folder, PORT))


OPENERS: Mapping[str, Opener] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "http_csv": HttpCsvSource,
    "s3": S3Source,
}
