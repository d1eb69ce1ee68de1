"""The layers of an extracted table, put together by whichever engine reads them."""

from __future__ import annotations

from collections.abc import Sequence

from penstock_job.column_type import TEXT, read_type
from penstock_job.dataset import Manifest, PublishedColumn
from penstock_job.dialect import Dialect
from penstock_job.engine import Engine
from penstock_job.errors import InputError
from penstock_job.table_dataset import Layer, TableState

LAYER, RANK = "penstock_layer", "penstock_rank"


def read_layers(engine: Engine, state: TableState, name: str, table: str) -> str:
    """Make each layer a table of the engine; return the select that puts them together.

    Raises InputError where the files do not hold what the manifest says.
    """
    tables = [f"{table}_{LAYER}_{number}" for number in range(len(state.layers))]
    for layer, layer_table in zip(state.layers, tables):
        _read_layer(engine, name, layer, layer_table)
    return _state_sql(state, tables, engine.dialect)


def _read_layer(engine: Engine, name: str, layer: Layer, table: str) -> None:
    manifest = Manifest(
        layer.job_id, layer.attempt, list(layer.files), list(layer.columns), layer.rows
    )
    engine.read_dataset(table, manifest)
    rows = engine.row(f"SELECT count(*) FROM {engine.dialect.identifier(table)}")[0]
    if rows != layer.rows:
        raise InputError(
            f"{name}: its manifest says that {layer.job_id} extracted {layer.rows} rows, but the "
            f"files hold {rows}"
        )


def _state_sql(state: TableState, tables: Sequence[str], dialect: Dialect) -> str:
    """The layers put together: of each primary key the row with the highest cursor.

    Of rows with the same cursor that of the upper layer counts, which was read later. A text is
    compared by nobody but its own database, so there the upper layer counts alone. Without a key
    every row of every layer counts.
    """
    columns = state.columns
    selects = [
        _layer_sql(layer, columns, table, dialect) for layer, table in zip(state.layers, tables)
    ]
    if len(selects) == 1 or not state.can_be_merged:
        return " UNION ALL ".join(selects)
    rows = " UNION ALL ".join(
        f"SELECT *, {number} AS {LAYER} FROM ({select}) AS part"
        for number, select in enumerate(selects)
    )
    names = ", ".join(dialect.identifier(column.name) for column in columns)
    keys = ", ".join(map(dialect.identifier, state.primary_key))
    order = f"{LAYER} DESC"
    kinds = {column.name: read_type(column.type).kind for column in columns}
    if kinds.get(state.cursor, TEXT) != TEXT:
        order = f"{dialect.identifier(state.cursor)} DESC NULLS LAST, {order}"
    return (
        f"SELECT {names} FROM (SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) "
        f"AS {RANK} FROM ({rows}) AS layers) AS ranked WHERE {RANK} = 1"
    )


def _layer_sql(
    layer: Layer, columns: Sequence[PublishedColumn], table: str, dialect: Dialect
) -> str:
    """A layer with the columns of the whole state; those it does not have are NULL."""
    own = {column.name.lower(): column.name for column in layer.columns}
    values = []
    for column in columns:
        name = own.get(column.name.lower())
        value = dialect.identifier(name) if name else "NULL"
        kind = dialect.type_name(read_type(column.type))
        values.append(f"CAST({value} AS {kind}) AS {dialect.identifier(column.name)}")
    return f"SELECT {', '.join(values)} FROM {dialect.identifier(table)}"
