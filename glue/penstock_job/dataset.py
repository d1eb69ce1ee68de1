"""Datasets: what a job publishes for one logical date, and how the next job finds it.

    <data_path>/<category>/<job>/job_id=<id>/attempt=<n>/part-*.parquet     the data of one attempt
    <data_path>/<category>/<job>/_rejects/job_id=<id>/attempt=<n>/…         what it could not use
    <data_path>/<category>/<job>/logical_date=<date>/manifest.json          the attempt that counts

An attempt that dies leaves files that no manifest names, so nobody ever reads them. Publishing is
one PUT of the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock_job.contract import JobContract
from penstock_job.errors import InputError, StaleAttemptError
from penstock_job.object_store import ObjectStore


@dataclass(frozen=True)
class PublishedColumn:
    """A column of published data: its name and its type, in the words of a specification."""

    name: str
    type: str


@dataclass(frozen=True)
class Manifest:
    """What one job published for one logical date."""

    job_id: str
    attempt: int
    files: list[str]
    columns: list[PublishedColumn]
    rows: int
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The manifest file's content."""
        return {
            "job_id": self.job_id,
            "attempt": self.attempt,
            "files": list(self.files),
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
            "rows": self.rows,
            **self.details,
        }


def attempt_path(contract: JobContract) -> str:
    """The folder of this attempt's own files."""
    return f"{_job_path(contract, contract.job_name)}/{_attempt(contract)}"


def rejects_path(contract: JobContract) -> str:
    """The folder of this attempt's rejects; the underscore hides it from Spark and Athena."""
    return f"{_job_path(contract, contract.job_name)}/_rejects/{_attempt(contract)}"


def manifest_path(contract: JobContract, job_name: str) -> str:
    """Where a job of this category publishes for this logical date."""
    job_path = _job_path(contract, job_name)
    return f"{job_path}/logical_date={contract.logical_date}/manifest.json"


def find_input(store: ObjectStore, contract: JobContract, upstream: str) -> Manifest:
    """The manifest of an upstream job for this job's logical date.

    Raises InputError when that job has published nothing for the date.
    """
    path = manifest_path(contract, upstream)
    content = _read(store, path)
    if content is None:
        raise InputError(
            f"{upstream} has published nothing for {contract.logical_date}: {path} does not "
            f"exist. Run {upstream} for that date first."
        )
    try:
        return Manifest(
            job_id=content["job_id"],
            attempt=content["attempt"],
            files=content["files"],
            columns=[PublishedColumn(item["name"], item["type"]) for item in content["columns"]],
            rows=content["rows"],
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} is no manifest of Penstock: {error!r}") from error


def current_details(store: ObjectStore, contract: JobContract) -> Mapping[str, Any]:
    """The manifest that this job has published for its logical date; empty where it has none."""
    return _read(store, manifest_path(contract, contract.job_name)) or {}


def rows_before(store: ObjectStore, contract: JobContract) -> int | None:
    """The rows that this job published for the last logical date before this one, if any."""
    job_path, prefix = _job_path(contract, contract.job_name), "logical_date="
    dates = [name[len(prefix) :] for name in store.folders(job_path) if name.startswith(prefix)]
    earlier = [date for date in dates if date < contract.logical_date]
    if not earlier:
        return None
    path = f"{job_path}/{prefix}{max(earlier)}/manifest.json"
    content = _read(store, path)
    if content is None or not isinstance(content.get("rows"), int):
        raise InputError(f"{path} is no manifest of Penstock: it says no rows")
    return int(content["rows"])


def publish(
    store: ObjectStore,
    contract: JobContract,
    files: Sequence[str],
    columns: Sequence[PublishedColumn],
    rows: int,
    details: Mapping[str, Any],
) -> None:
    """Make this attempt's files the data of the job for its logical date.

    Raises StaleAttemptError when a later attempt of the same run has published: this one was
    thought dead.
    """
    path = manifest_path(contract, contract.job_name)
    current = _read(store, path)
    if (
        current is not None
        and current.get("job_id") == contract.job_id
        and current.get("attempt", 0) > contract.attempt
    ):
        raise StaleAttemptError(
            f"attempt {current['attempt']} of {contract.job_name} has published already; "
            f"attempt {contract.attempt} stands back"
        )
    manifest = Manifest(
        contract.job_id,
        contract.attempt,
        list(files),
        list(columns),
        rows,
        {
            "job_name": contract.job_name,
            "category": contract.category,
            "logical_date": contract.logical_date,
            **details,
        },
    )
    store.write(path, json.dumps(manifest.as_json(), indent=2).encode(), "application/json")


def _job_path(contract: JobContract, job_name: str) -> str:
    return f"{contract.data_path}/{contract.category}/{job_name}"


def _attempt(contract: JobContract) -> str:
    return f"job_id={contract.job_id}/attempt={contract.attempt}"


def _read(store: ObjectStore, path: str) -> dict[str, Any] | None:
    body = store.read(path)
    if body is None:
        return None
    try:
        content: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    return content
