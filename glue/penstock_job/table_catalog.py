"""The datasets of extracted tables as tables of the Data Catalog.

A table of one layer is registered with the folder of that layer: another layer in its place is one
update. A table to which increments are added is partitioned by `penstock_layer`, the run that
extracted it; of rows with the same primary key that of the highest cursor counts. Columns by whose
values the files are laid out are partition keys, too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from urllib.parse import unquote

from penstock_job.catalog import (
    Catalog,
    CatalogColumn,
    CatalogPartition,
    CatalogTable,
    table_name,
)
from penstock_job.column_type import (
    BINARY,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    TEXT,
    TIMESTAMP,
    read_type,
)
from penstock_job.table_dataset import Layer, TableDataset, TableState
from penstock_job.table_writer import LAID_OUT_BY

LAYER = "penstock_layer"
_HIVE_TYPES = {
    TEXT: "string",
    INTEGER: "bigint",
    DOUBLE: "double",
    BOOLEAN: "boolean",
    DATE: "date",
    TIMESTAMP: "timestamp",
    BINARY: "binary",
}


class TableCatalog:
    """Registers extracted tables in one database of the Data Catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def register(
        self, source: str, table: str, dataset: TableDataset, is_incremental: bool
    ) -> None:
        """Make the catalog hold what the dataset's manifest names now. Raises CatalogError."""
        origin = f"{source}/{table}"

        def describe(keys: Sequence[str]) -> CatalogTable:
            return catalog_table(
                origin, dataset.folder, dataset.state(), is_incremental or LAYER in keys
            )

        self._catalog.register(table_name(source, table), describe)


def table_catalog(database: str) -> TableCatalog | None:
    """The catalog's database of this name; None where none is named."""
    return TableCatalog(Catalog(database)) if database else None


def catalog_table(
    origin: str, folder: str, state: TableState, is_layered: bool = False
) -> CatalogTable:
    """What the catalog is to hold of a table's state, of which there is at least one layer.

    `is_layered` keeps a table partitioned by layer that has been: a whole extract now and then
    does not change how it is read.
    """
    layered = is_layered or len(state.layers) > 1
    keys = _partition_names(state.layers)
    own_keys = [LAYER, *keys] if layered else keys
    types = {column.name: _hive_type(column.type) for column in state.columns} | {LAYER: "string"}
    lowered = {key.lower() for key in own_keys}
    last = state.layers[-1]
    return CatalogTable(
        origin=origin,
        columns=[
            CatalogColumn(column.name, types[column.name])
            for column in state.columns
            if column.name.lower() not in lowered
        ],
        location=folder if layered else _folder_of(last, folder),
        partition_keys=[CatalogColumn(key, types[key]) for key in own_keys],
        partitions=[
            partition
            for layer in state.layers
            for partition in _partitions(layer, folder, keys, layered)
        ],
        parameters={
            "penstock_job_id": last.job_id,
            "penstock_attempt": str(last.attempt),
            "penstock_primary_key": ",".join(state.primary_key),
            "penstock_cursor": state.cursor,
        },
    )


def _hive_type(text: str) -> str:
    kind = read_type(text)
    if kind.kind == DECIMAL:
        return f"decimal({kind.precision},{kind.scale})"
    return _HIVE_TYPES[kind.kind]


def _partition_names(layers: Sequence[Layer]) -> list[str]:
    """The columns by whose values the files of every layer are laid out; none if layers differ."""
    found = {tuple(name for name, _ in _values(path)) for layer in layers for path in layer.files}
    return list(found.pop()) if len(found) == 1 else []


def _partitions(
    layer: Layer, folder: str, keys: Sequence[str], layered: bool
) -> list[CatalogPartition]:
    own = (layer.job_id,) if layered else ()
    if not keys:
        return [CatalogPartition(own, _folder_of(layer, folder))] if layered else []
    folders = {
        (*own, *(value for _, value in _values(path))): posixpath.dirname(path)
        for path in layer.files
    }
    return [CatalogPartition(values, place) for values, place in sorted(folders.items())]


def _folder_of(layer: Layer, folder: str) -> str:
    """The folder in which all files of a layer are, and nothing else."""
    if layer.files:
        return _split(layer.files[0])[0]
    return f"{folder}/job_id={layer.job_id}/attempt={layer.attempt}/empty"


def _values(path: str) -> list[tuple[str, str]]:
    """The partition columns and values that the folders of a file's path state."""
    pairs = (part.partition("=") for part in _split(path)[1].split("/") if part)
    return [(unquote(name)[_mark(name) :], unquote(value)) for name, _, value in pairs]


def _mark(name: str) -> int:
    return len(LAID_OUT_BY) if name.startswith(LAID_OUT_BY) else 0


def _split(path: str) -> tuple[str, str]:
    """The folder of a file: that of the try which wrote it, and what is below that.

    Whose try it was counts for nothing: increments that become one are written by a later run.
    """
    start, mark, rest = posixpath.dirname(path).partition("/try=")
    token, _, below = rest.partition("/")
    return f"{start}{mark}{token}", below
