"""Which rejects of earlier runs a run tries again.

A batch is tried by one run at a time: a run takes it before its plan is stored. It is free again
when it was given back, or when the run that has it is over without having closed it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from penstock.domain.plan import retries_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from penstock.domain.plan_line import PlanDocument
    from penstock.domain.reject_batch import RejectBatch

MOST_BATCHES: Final = 100
"""As many batches a job tries at once, the oldest first; the rest waits for the next run."""


def free_batches(
    batches: Iterable[RejectBatch], job_id: str, open_runs: AbstractSet[str]
) -> list[RejectBatch]:
    """Return the batches that this run may try: open ones that no other run at work has taken."""
    counts: dict[str, int] = {}
    found: list[RejectBatch] = []
    for batch in sorted(batches, key=lambda batch: (batch.job_name, batch.job_id, batch.attempt)):
        is_held = batch.taken_by != job_id and batch.taken_by in open_runs
        number = counts.get(batch.job_name, 0)
        if batch.open and not is_held and number < MOST_BATCHES and batch.job_id != job_id:
            counts[batch.job_name] = number + 1
            found.append(batch)
    return found


def by_job(batches: Iterable[RejectBatch]) -> dict[str, list[RejectBatch]]:
    """Return the batches by the job that has rejected them."""
    found: dict[str, list[RejectBatch]] = {}
    for batch in batches:
        found.setdefault(batch.job_name, []).append(batch)
    return found


def retried_paths(plan: PlanDocument) -> set[str]:
    """Return the paths of the batches that a plan tries again."""
    return {batch["path"] for entry in plan["jobs"] for batch in entry.get("Rejects", ())}


def retry_files(plan: PlanDocument) -> Iterator[tuple[str, bytes]]:
    """Yield what `--rejects_path` leads to, for each job that has rejects to try again."""
    for entry in plan["jobs"]:
        batches = entry.get("Rejects")
        if batches:
            key = retries_key(plan["job_id"], entry["JobName"], entry["Attempt"])
            yield key, json.dumps({"batches": batches}).encode()
