"""What a job takes in: what an upstream job published for its day, or an extracted table.

`clean` is the job of that name in the same category; `extract:shop/orders` is the table `orders` of
the source `shop` in its present state, whichever run extracted it.
"""

from __future__ import annotations

from collections.abc import Sequence

from penstock_job.column_type import TEXT, read_type
from penstock_job.contract import JobContract
from penstock_job.dataset import Manifest, PublishedColumn, find_input
from penstock_job.dialect import Dialect
from penstock_job.engine import Engine
from penstock_job.errors import InputError
from penstock_job.object_store import ObjectStore
from penstock_job.table_dataset import Layer, TableDataset, TableState

EXTRACTED = "extract:"
LAYER, RANK = "penstock_layer", "penstock_rank"


def read_input(
    engine: Engine, store: ObjectStore, contract: JobContract, name: str, table: str
) -> int:
    """Make an input a table of the engine; return how many rows there must be in it.

    Raises InputError where nothing is published under the name, or not what its manifest says.
    """
    if not name.startswith(EXTRACTED):
        manifest = find_input(store, contract, name)
        engine.read_dataset(table, manifest)
        return manifest.rows
    state = extracted_state(store, contract, name)
    layers = [f"{table}_{LAYER}_{number}" for number in range(len(state.layers))]
    for layer, layer_table in zip(state.layers, layers):
        _read_layer(engine, name, layer, layer_table)
    engine.view(table, _state_sql(state, layers, engine.dialect))
    return engine.row(f"SELECT count(*) FROM {engine.dialect.identifier(table)}")[0]


def extracted_state(store: ObjectStore, contract: JobContract, name: str) -> TableState:
    """The present state of an extracted table. Raises InputError where it was never extracted."""
    folder = f"{contract.data_path}/extract/{name[len(EXTRACTED) :]}"
    dataset = TableDataset(store, folder)
    state = dataset.state()
    if not state.layers:
        raise InputError(
            f"{name} has not been extracted: {dataset.manifest_path} does not exist. Extract the "
            "table first."
        )
    return state


def origin_of(store: ObjectStore, contract: JobContract, name: str) -> str:
    """What names the state of an input that is there now: whose attempt has made it."""
    if name.startswith(EXTRACTED):
        upper = extracted_state(store, contract, name).layers[-1]
        return f"{name} {upper.job_id} {upper.attempt}"
    manifest = find_input(store, contract, name)
    return f"{name} {manifest.job_id} {manifest.attempt}"


def spoken_name(name: str) -> str:
    """The name by which SQL speaks of an input: of `extract:shop/public.orders` it is `orders`."""
    if not name.startswith(EXTRACTED):
        return name
    return name.rpartition("/")[2].rpartition(".")[2]


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
    compared by nobody but its own database, so there the upper layer counts alone.
    """
    columns = state.columns
    if len(tables) == 1:
        return _layer_sql(state.layers[0], columns, tables[0], dialect)
    rows = " UNION ALL ".join(
        f"SELECT *, {number} AS {LAYER} FROM ({_layer_sql(layer, columns, table, dialect)}) AS part"
        for number, (layer, table) in enumerate(zip(state.layers, tables))
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
