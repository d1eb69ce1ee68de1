"""What a job takes in: what an upstream job published for its day, or an extracted table.

`clean` is the job of that name in the same category; `extract:shop/orders` is the table `orders` of
the source `shop` in its present state, whichever run extracted it.
"""

from __future__ import annotations

from penstock_job.contract import JobContract
from penstock_job.dataset import find_input
from penstock_job.engine import Engine
from penstock_job.errors import InputError
from penstock_job.layers import read_layers
from penstock_job.object_store import ObjectStore
from penstock_job.table_dataset import TableDataset, TableState

EXTRACTED = "extract:"


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
    engine.view(table, read_layers(engine, state, name, table))
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
