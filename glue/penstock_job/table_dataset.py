"""The dataset of an extracted table: layers, of which a manifest names those that count.

    <data_path>/<target>/job_id=<id>/attempt=<n>/try=<token>/part-*.parquet    what a try has read
    <data_path>/<target>/manifest.json                                         the table's state

The first layer is the whole table as it was; each further one holds the rows that changed since.
The state of the table is the layers put together, of each primary key the row with the highest
cursor. Publishing is one PUT of the manifest, and only if it is as it was when it was read: so of
two jobs that publish at once neither overwrites the other, and an attempt that dies is never read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from penstock_job.dataset import PublishedColumn
from penstock_job.errors import InputError, StaleAttemptError
from penstock_job.object_store import ObjectStore
from penstock_job.schema_drift import united

MOST_TRIES = 20


@dataclass(frozen=True)
class Layer:
    """What one run extracted of a table, and where from: `watermark` is how far it went."""

    job_id: str
    attempt: int
    is_whole: bool
    files: Sequence[str]
    columns: Sequence[PublishedColumn]
    rows: int
    bytes: int
    watermark_before: Any
    watermark: Any
    logical_date: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TableState:
    """The layers of a table, oldest first, and how they are put together."""

    layers: Sequence[Layer] = ()
    primary_key: Sequence[str] = ()
    cursor: str = ""

    @property
    def columns(self) -> list[PublishedColumn]:
        """The columns of the table: those of the last layer and, at the end, older ones."""
        columns: list[PublishedColumn] = []
        for layer in self.layers:
            columns = united(layer.columns, columns)
        return columns

    @property
    def can_be_merged(self) -> bool:
        """Whether rows of two layers can be told to be the same row."""
        return bool(self.primary_key and self.cursor)

    def layer_of(self, job_id: str) -> Layer | None:
        """What a run has published already."""
        return next((layer for layer in self.layers if layer.job_id == job_id), None)

    def names(self) -> frozenset[str]:
        """The runs whose layers count."""
        return frozenset(layer.job_id for layer in self.layers)


def stacked(
    now: TableState, layer: Layer, known: frozenset[str], keys: tuple[Sequence[str], str]
) -> TableState:
    """The state with one more layer.

    `known` are the runs whose layers counted before the rows of this layer were read: a whole table
    takes their place. A layer that was published meanwhile may be newer than this one, and its
    watermark may be committed, so it stays on top, where rows can be told apart at all. Where they
    cannot, two increments that were read side by side may hold the same rows: the second to come
    raises StaleAttemptError.
    """
    primary_key, cursor = keys
    state = TableState((), primary_key, cursor)
    if not layer.is_whole and not state.can_be_merged and now.names() != known:
        others = ", ".join(sorted(now.names() - known)) or "another whole table"
        raise StaleAttemptError(f"{others} was published while this increment was read")
    if not layer.is_whole:
        return TableState((*now.layers, layer), primary_key, cursor)
    if not state.can_be_merged:
        return TableState((layer,), primary_key, cursor)
    newer = [each for each in now.layers if each.job_id not in known]
    return TableState((layer, *newer), primary_key, cursor)


class TableDataset:
    """The dataset of one table."""

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store = store
        self.folder = folder

    @property
    def manifest_path(self) -> str:
        """Where the state of the table is written."""
        return f"{self.folder}/manifest.json"

    def state(self) -> TableState:
        """What has been published; empty where nothing has. Raises InputError."""
        return self._read()[0]

    def publish(
        self, layer: Layer, known: frozenset[str], keys: tuple[Sequence[str], str]
    ) -> Layer:
        """Make a layer count, once per run; return the one that counts.

        Where another attempt of the same run has published, that one stays.
        """
        for _ in range(MOST_TRIES):
            now, version = self._read()
            published = now.layer_of(layer.job_id)
            if published is not None:
                return published
            state = stacked(now, layer, known, keys)
            body = json.dumps(_as_json(state), indent=2).encode()
            if self._store.replace(self.manifest_path, body, "application/json", version):
                return layer
        raise InputError(f"{self.manifest_path} is written by others all the time")

    def _read(self) -> tuple[TableState, str | None]:
        """The state and the version (ETag) of its manifest, None where there is none."""
        found = self._store.read_version(self.manifest_path)
        if found is None:
            return TableState(), None
        body, version = found
        try:
            return _state(json.loads(body)), version
        except (KeyError, TypeError, ValueError) as error:
            path = self.manifest_path
            raise InputError(f"{path} is no manifest of a table: {error!r}") from error


def _as_json(state: TableState) -> dict[str, Any]:
    return {
        "primary_key": list(state.primary_key),
        "cursor": state.cursor,
        "columns": [asdict(column) for column in state.columns],
        "layers": [asdict(layer) for layer in state.layers],
    }


def _state(content: Mapping[str, Any]) -> TableState:
    layers = [
        Layer(**{**each, "columns": [PublishedColumn(**column) for column in each["columns"]]})
        for each in content["layers"]
    ]
    return TableState(layers, content["primary_key"], content["cursor"])
