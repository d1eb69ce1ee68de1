"""The jobs of an extract run: one per large table, one per pack of small ones.

Each is written as a row of the control table would be, so that everything after planning is the
same for both front doors, and gets a work order: what its one argument, `--tables_path`, leads to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.packing import packs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.domain.extract_config import ExtractTable

LONGEST_NAME: Final = 64
MOST_ATTEMPTS: Final = 100
"""An extract is never given up: whoever asks for a table wants it tried."""
_FIELDS: Final = {
    "worker_type": "WorkerType",
    "number_of_workers": "NumberOfWorkers",
    "max_capacity": "MaxCapacity",
    "timeout_minutes": "TimeoutMinutes",
    "pool": "Pool",
    "priority": "Priority",
}
_OF_THE_TABLE: Final = (
    "cursor", "primary_key", "lookback", "columns", "types", "partition_column",
    "partition_by", "drift", "csv", "max_reject_ratio", "expected_rows",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExtractJob:
    """One job run and its tables."""

    name: str
    tables: tuple[ExtractTable, ...]

    def row(self, category: str, job_id: str) -> dict[str, Any]:
        """Return the job as the attributes of a control row."""
        first = self.tables[0]
        fields = {
            field: first.settings[name] for name, field in _FIELDS.items() if name in first.settings
        }
        return fields | {
            "JobName": self.name,
            "JobCategory": category,
            "JobType": first.job_type,
            "Target": first.target,
            "Arguments": {
                "tables_path": f"s3://{{data_bucket}}/{work_order_key(job_id, self.name)}"
            },
            "MaxAttempts": MOST_ATTEMPTS,
            "LastSeconds": sum(table.expected_seconds for table in self.tables),
        }

    def work_order(self, watermarks: Mapping[str, Any], target_folder: str) -> dict[str, Any]:
        """Return what the job is to do; `watermarks` are the committed ones by table key."""
        source = self.tables[0].source
        return {
            "source": {"name": source.name, "type": source.kind, **source.connection},
            "tables": [_order(table, watermarks, target_folder) for table in self.tables],
        }


def extract_jobs(tables: Sequence[ExtractTable], target_seconds: float) -> list[ExtractJob]:
    """Return the jobs, named so that they are found again and no two have one name."""
    jobs: list[ExtractJob] = []
    counts: dict[str, int] = {}
    for pack in packs(tables, target_seconds):
        source = pack[0].source.name
        if len(pack) == 1:
            name = f"{source}.{pack[0].table}"
        else:
            counts[source] = counts.get(source, 0) + 1
            name = f"{source}.pack-{counts[source]:03d}"
        jobs.append(ExtractJob(job_name(name), tuple(pack)))
    return jobs


def job_name(text: str) -> str:
    """Return a name of a job that is as near to the text as the rules for names allow."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", text)
    if name == text and len(name) <= LONGEST_NAME:
        return name
    mark = sha256(text.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}-{mark}"


def work_order_key(job_id: str, name: str) -> str:
    """Return the key of a job's work order."""
    return f"runs/{job_id}/tables/{name}.json"


def _order(
    table: ExtractTable, watermarks: Mapping[str, Any], target_folder: str
) -> dict[str, Any]:
    stated = {name: table.settings[name] for name in _OF_THE_TABLE if name in table.settings}
    if table.partitions is not None:
        stated["partitions"] = table.partitions
    return stated | {
        "table": table.table,
        "mode": table.mode,
        "watermark": watermarks.get(table.key),
        "target": f"{target_folder}{table.source.name}/{table.table}",
    }
